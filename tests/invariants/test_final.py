"""V2, V12, V14, V19: what is final stays so across workers and restarts, what is bound
stays bound, and the loser of a race changes nothing but its event.

A worker that starts afterwards knows nothing but the database: it is the restart.
"""

from dataclasses import replace

from sqlalchemy import Table, func, select

from deputize.delegation.models import code, delegation, refresh_token
from deputize.tasks.models import task
from invariants.test_races import AT_ONCE, at_once
from support.agents_http import decode, outcome, pkce
from support.world import CALENDAR, CALLBACK, World, another_worker


def test_what_ended_is_ended_for_a_worker_that_starts_afterwards(world: World) -> None:
    hold = world.hold()
    taken = world.hand_over(hold, "planner", "booker", "calendar:read")
    token = world.agent("booker").exchange(taken, resource=CALENDAR).json()["access_token"]
    assert world.agent("planner").revoke(hold).status_code == 200
    with another_worker(world) as metadata:
        api = replace(world.api(), metadata=metadata)
        assert api.introspect(token).json() == {"active": False}
        booker = replace(world.agent("booker"), metadata=metadata)
        assert outcome(booker.exchange(taken)) == (400, "invalid_request")


def test_what_was_used_once_is_used_for_a_worker_that_starts_afterwards(world: World) -> None:
    verifier, challenge = pkce()
    redeeming = {
        "grant_type": "authorization_code",
        "code": world.code(challenge),
        "redirect_uri": CALLBACK,
        "code_verifier": verifier,
    }
    planner = world.agent("planner")
    assertion = planner.client_assertion()
    first = planner.post("token_endpoint", **redeeming, client_assertion=assertion)
    assert first.status_code == 200
    refused = planner.client_assertion()
    wrong = planner.exchange("not a token", client_assertion=refused)
    assert outcome(wrong) == (400, "invalid_request")
    hold = first.json()["access_token"]
    with another_worker(world) as metadata:
        later = replace(planner, metadata=metadata)
        for used in (assertion, refused):
            replayed = later.exchange(hold, resource=CALENDAR, client_assertion=used)
            assert outcome(replayed) == (401, "invalid_client")
        assert outcome(later.post("token_endpoint", **redeeming)) == (400, "invalid_grant")


def test_a_token_bound_to_a_key_never_gives_an_unbound_one(world: World) -> None:
    claims = decode(world.hold())[1]
    bound = world.forge(claims | {"cnf": {"jkt": "x" * 43}})
    for params in ({"resource": CALENDAR}, {"audience": "booker", "scope": "calendar:read"}, {}):
        refused = world.agent("planner").exchange(bound, **params)
        assert outcome(refused) == (400, "invalid_request")


def test_the_losers_of_a_race_for_a_code_leave_nothing_but_their_events(world: World) -> None:
    verifier, challenge = pkce()
    won = world.code(challenge)
    kept = [code, task, delegation, refresh_token]
    before = [_count(world, table) for table in kept]
    refused = len(world.events("token.refused"))
    planner = world.agent("planner")
    answers = at_once(
        [
            lambda: planner.post(
                "token_endpoint",
                grant_type="authorization_code",
                code=won,
                redirect_uri=CALLBACK,
                code_verifier=verifier,
            )
        ]
        * AT_ONCE
    )
    assert [a.status_code for a in answers].count(200) == 1
    assert [_count(world, t) - b for t, b in zip(kept, before, strict=True)] == [0, 1, 1, 1]
    assert len(world.events("token.refused")) - refused == AT_ONCE - 1


def _count(world: World, table: Table) -> int:
    with world.context.db.read() as tx:
        return int(tx.execute(select(func.count()).select_from(table)).scalar_one())
