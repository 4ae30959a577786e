"""Who may present what: the current actor its own token, and a named agent its hand-over.

A bearer's mere possession is never enough, and an outsider is told nothing.
"""

from collections.abc import Callable

import pytest

from support.agents_http import ACCESS_TOKEN, TOKEN_EXCHANGE, Agent, decode, outcome, unix_time
from support.world import CALENDAR, World

pytestmark = pytest.mark.section("RFC 8693", "2.1")

REFUSED = (400, "invalid_request")


@pytest.fixture(scope="module")
def hand_over(planner: Agent, hold: str) -> str:
    """Planner's word that booker may read the calendar."""
    answer = planner.exchange(hold, audience="booker", scope="calendar:read")
    return str(answer.json()["access_token"])


@pytest.fixture(scope="module")
def for_calendar(planner: Agent, hold: str) -> str:
    return str(planner.exchange(hold, resource=CALENDAR).json()["access_token"])


def test_the_current_actor_presents_its_own(planner: Agent, hold: str, for_calendar: str) -> None:
    assert planner.exchange(hold).status_code == 200
    assert planner.exchange(for_calendar).status_code == 200


def test_the_named_agent_presents_its_hand_over(booker: Agent, hand_over: str) -> None:
    assert booker.exchange(hand_over).status_code == 200


@pytest.mark.parametrize("bystander", ["booker", "checker", "mallory"])
def test_a_bystander_cannot_present_a_hold(world: World, hold: str, bystander: str) -> None:
    refusal = world.refused(world.agent(bystander).exchange, hold)
    assert refusal == (*REFUSED, "subject.not_the_actor")


@pytest.mark.parametrize("bystander", ["booker", "mallory"])
def test_a_bystander_cannot_present_what_it_saw_at_an_api(
    world: World, for_calendar: str, bystander: str
) -> None:
    assert outcome(world.agent(bystander).exchange(for_calendar)) == REFUSED


@pytest.mark.parametrize("other", ["planner", "checker", "mallory"])
def test_a_hand_over_is_for_the_agent_it_names_and_for_nobody_else(
    world: World, hand_over: str, other: str
) -> None:
    refusal = world.refused(world.agent(other).exchange, hand_over)
    assert refusal == (*REFUSED, "subject.may_act")


def test_the_old_actor_cannot_present_what_was_taken(world: World, hold: str) -> None:
    taken = world.hand_over(hold, "planner", "booker", "calendar:read")
    assert outcome(world.agent("planner").exchange(taken)) == REFUSED


def test_a_resource_server_cannot_exchange_what_it_was_sent(
    world: World, for_calendar: str
) -> None:
    refusal = world.refused(world.api().exchange, for_calendar)
    assert refusal == (400, "unauthorized_client", "request.unauthorized_client")


def test_a_client_that_may_not_exchange_is_refused(world: World, hold: str) -> None:
    world.register("no-exchange", grant_types=frozenset({"client_credentials"}))
    refusal = world.refused(world.agent("no-exchange").exchange, hold)
    assert refusal == (400, "unauthorized_client", "request.unauthorized_client")


def test_a_spawned_agent_cannot_present_its_parents_token(world: World, hold: str) -> None:
    child = world.spawn("planner", hold, "calendar:read")
    assert outcome(world.agent(child).exchange(hold)) == REFUSED


def test_a_parent_cannot_present_its_childs_token(world: World, hold: str) -> None:
    child = world.spawn("planner", hold, "calendar:read")
    taken = world.hand_over(hold, "planner", child, "calendar:read")
    assert outcome(world.agent("planner").exchange(taken)) == REFUSED


def test_without_client_authentication_nobody_exchanges(world: World, hold: str) -> None:
    stranger = Agent("planner", world.metadata)
    assert outcome(stranger.exchange(hold)) == (401, "invalid_client")


def end(world: World, token: str) -> str:
    world.agent("planner").revoke(token)
    return token


def garble(world: World, token: str) -> str:
    return f"{token[:-8]}AAAAAAAA"


@pytest.mark.parametrize("spoil", [end, garble])
def test_the_answer_tells_an_outsider_nothing(
    world: World, hold: str, spoil: Callable[[World, str], str]
) -> None:
    alive = world.agent("mallory").exchange(hold)
    spoilt = world.agent("mallory").exchange(spoil(world, world.hold()))
    assert (alive.status_code, alive.json()) == (spoilt.status_code, spoilt.json())


def test_nor_whether_the_token_has_expired_nor_what_it_is_for(world: World, hold: str) -> None:
    claims = decode(hold)[1]
    for changed in ({"exp": claims["iat"] - 1}, {"delegation_id": "unknown"}, {"aud": CALENDAR}):
        answer = world.agent("mallory").exchange(world.forge(claims | changed))
        assert answer.json() == world.agent("mallory").exchange(hold).json()


@pytest.mark.parametrize("typ", ["", "a", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_token_is_refused(planner: Agent, typ: str) -> None:
    assert outcome(planner.exchange(typ)) == REFUSED


def test_an_agents_own_token_is_nobodys_delegation(world: World) -> None:
    own = world.agent("planner").post("token_endpoint", grant_type="client_credentials")
    refusal = world.refused(world.agent("planner").exchange, own.json()["access_token"])
    assert refusal == (*REFUSED, "subject.no_delegation")


def test_a_refresh_token_is_no_subject_token(world: World) -> None:
    answer = world.consent().json()
    assert outcome(world.agent("planner").exchange(answer["refresh_token"])) == REFUSED


def test_a_subject_that_is_bound_to_a_key_is_refused(world: World, hold: str) -> None:
    bound = world.forge(decode(hold)[1] | {"cnf": {"jkt": "a" * 43}})
    refusal = world.refused(world.agent("planner").exchange, bound)
    assert refusal == (*REFUSED, "subject.bound")


class TestActorToken:
    """§2.1, `actor_token`: the client's own and live, or the exchange is refused."""

    @staticmethod
    def exchange(agent: Agent, subject: str, actor: str) -> tuple[int, str]:
        return outcome(agent.exchange(subject, actor_token=actor, actor_token_type=ACCESS_TOKEN))

    def test_somebody_elses_is_refused(self, world: World, hold: str, hand_over: str) -> None:
        booker = world.agent("booker")
        actor = {"actor_token": hold, "actor_token_type": ACCESS_TOKEN}
        refusal = world.refused(booker.exchange, hand_over, **actor)
        assert refusal == (*REFUSED, "actor.not_its_own")

    def test_a_hand_over_to_the_client_is_not_its_own(self, booker: Agent, hand_over: str) -> None:
        assert self.exchange(booker, hand_over, hand_over) == REFUSED

    def test_one_that_expired_is_refused(self, world: World, hold: str) -> None:
        old = world.forge(decode(hold)[1] | {"exp": decode(hold)[1]["iat"] - 1})
        assert self.exchange(world.agent("planner"), hold, old) == REFUSED

    def test_one_whose_delegation_ended_is_refused(self, world: World, hold: str) -> None:
        ended = end(world, world.hold())
        assert self.exchange(world.agent("planner"), hold, ended) == REFUSED

    def test_one_of_its_own_that_was_revoked_is_refused(self, world: World, hold: str) -> None:
        planner = world.agent("planner")
        own = planner.post("token_endpoint", grant_type="client_credentials").json()
        planner.revoke(own["access_token"])
        assert self.exchange(planner, hold, own["access_token"]) == REFUSED

    @pytest.mark.parametrize("actor", ["a", "a.b.c", "drft_" + "a" * 43])
    def test_what_is_no_token_is_refused(self, planner: Agent, hold: str, actor: str) -> None:
        assert self.exchange(planner, hold, actor) == REFUSED

    def test_its_own_token_for_itself_is_good(self, world: World, hand_over: str) -> None:
        booker = world.agent("booker")
        own = booker.post("token_endpoint", grant_type="client_credentials").json()
        answer = booker.exchange(
            hand_over, actor_token=own["access_token"], actor_token_type=ACCESS_TOKEN
        )
        assert answer.status_code == 200

    def test_it_is_no_subject(self, world: World, hold: str) -> None:
        answer = world.agent("planner").post(
            "token_endpoint",
            grant_type=TOKEN_EXCHANGE,
            actor_token=hold,
            actor_token_type=ACCESS_TOKEN,
        )
        assert outcome(answer) == REFUSED


class TestLiveness:
    """The party itself is refused once what the token hangs on has ended."""

    def test_its_delegation_was_ended(self, world: World) -> None:
        token = end(world, world.hold())
        refusal = world.refused(world.agent("planner").exchange, token)
        assert refusal == (*REFUSED, "delegation.ended")

    def test_an_ancestor_was_ended(self, world: World) -> None:
        root = world.hold()
        taken = world.hand_over(root, "planner", "booker", "calendar:read")
        end(world, root)
        refusal = world.refused(world.agent("booker").exchange, taken)
        assert refusal == (*REFUSED, "delegation.ended")

    def test_an_agent_of_its_chain_was_stopped(self, world: World) -> None:
        world.register("stopped-later", delegates_to=frozenset({"booker"}))
        root = world.hold("stopped-later")
        taken = world.hand_over(root, "stopped-later", "booker", "calendar:read")
        world.stop("stopped-later")
        assert outcome(world.agent("booker").exchange(taken)) == REFUSED

    def test_the_person_may_not_act_at_the_host_any_more(self, world: World) -> None:
        token = world.hold(person="eve")
        world.host.inactive.add("eve")
        refusal = world.refused(world.agent("planner").exchange, token)
        assert refusal == (*REFUSED, "person.inactive")
        world.host.inactive.remove("eve")

    def test_the_person_left(self, world: World) -> None:
        token = world.hold(person="eve")
        world.leave("eve")
        assert outcome(world.agent("planner").exchange(token)) == REFUSED

    def test_the_token_expired(self, world: World) -> None:
        token = world.hold()
        world.pass_time(301)
        refusal = world.refused(world.agent("planner").exchange, token)
        assert refusal == (*REFUSED, "subject.expired")

    def test_its_task_is_overdue(self, world: World) -> None:
        answer = world.consent(until=900).json()
        refusal = world.refused(world.agent("planner").exchange, later(world, answer))
        assert refusal == (*REFUSED, "task.overdue")

    def test_an_agent_of_its_chain_expired(self, world: World) -> None:
        soon = unix_time() + 900
        world.register("brief", delegates_to=frozenset({"booker"}), expires_at=soon)
        hold = world.hold("brief", pass_on=("booker",))
        taken = world.hand_over(hold, "brief", "booker", "calendar:read")
        fresh = later(world, {"access_token": taken})
        refusal = world.refused(world.agent("booker").exchange, fresh)
        assert refusal == (*REFUSED, "delegation.expired")


def later(world: World, answer: dict[str, str]) -> str:
    """Return the token as if it had not expired, a quarter of an hour later."""
    claims = decode(answer["access_token"])[1]
    world.pass_time(901)
    return world.forge(claims | {"exp": claims["exp"] + 2000})
