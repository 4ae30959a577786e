"""A step-up loop: the agent asks, is approved, tries again, and is told to ask.

The approval is stored beside the token that the agent goes on using, or grants what the
token had already: nothing new comes of it, and the person is asked for ever.
"""

from support.agents_http import decode, outcome
from support.asking import Asking
from support.world import CALENDAR, PAY


def step_up(asking: Asking, scope: str = "pay:transfer", resource: str = PAY) -> str:
    answer = asking.agent.exchange(
        asking.hold, resource=resource, scope=scope, binding_message="TP1234"
    )
    assert outcome(answer) == (400, "authorization_pending"), answer.text
    return str(answer.json()["auth_req_id"])


def test_once_approved_what_was_asked_for_is_there(asking: Asking) -> None:
    asked = step_up(asking)
    asking.say_yes()
    token = asking.poll(asked).json()["access_token"]
    claims = decode(token)[1]
    assert (claims["scope"], claims["aud"]) == ("pay:transfer", PAY)
    assert asking.world.is_active(token, "pay-api")


def test_what_grants_nothing_new_is_not_asked(asking: Asking) -> None:
    answer = asking.ask(scope="openid calendar:read", resource=CALENDAR)
    assert outcome(answer) == (400, "invalid_scope")
    exchanged = asking.agent.exchange(
        asking.hold, resource=CALENDAR, scope="calendar:read", binding_message="TP1234"
    )
    assert outcome(exchanged) == (200, "none")
    assert asking.cards() == []


def test_what_no_yes_would_change_is_not_asked(asking: Asking) -> None:
    """Where a ceiling, the target or the chain says no, the answer is final."""
    world = asking.world
    world.register("poor", scope=frozenset({"calendar:read"}))
    hold = world.hold("poor", asking.person, scope="calendar:read")
    poor = Asking(world, world.agent("poor"), hold, asking.person)
    issuer = world.metadata["issuer"]
    for answer in (
        poor.ask(),
        asking.ask(resource=CALENDAR),
        asking.agent.exchange(
            asking.hold, resource=issuer, scope="pay:transfer", binding_message="TP1234"
        ),
        asking.agent.exchange(
            asking.hold, audience="booker", scope="pay:transfer", binding_message="TP1234"
        ),
    ):
        assert answer.status_code == 400
        assert answer.json()["error"] in ("invalid_scope", "invalid_target")
    assert asking.cards() == []


def test_a_no_is_an_answer_and_not_a_reason_to_ask_again(asking: Asking) -> None:
    asked = step_up(asking)
    asking.say_no()
    assert outcome(asking.poll(asked)) == (400, "access_denied")
    again = asking.agent.exchange(
        asking.hold, resource=PAY, scope="pay:transfer", binding_message="TP1234"
    )
    assert outcome(again) == (400, "access_denied")
    assert len(asking.cards()) == 1
