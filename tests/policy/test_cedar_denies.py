"""A Cedar policy takes away, at every way to a token; who is refused learns no more than that."""

import re

import pytest

from policy.conftest import AskedBy
from support.agents_http import new_key, outcome
from support.world import CALENDAR, FLIGHTS, World


@pytest.fixture(scope="module")
def policies() -> str:
    return """
        @id("no-checker")
        forbid (principal == Agent::"checker", action, resource);

        @id("mallory-hands-nothing-on")
        forbid (principal == Agent::"mallory", action == Action::"issue", resource)
        when { context has grant_type && context.grant_type like "*token-exchange" };

        @id("depth")
        forbid (principal, action == Action::"issue", resource == Resource::"https://calendar.example")
        when { context.depth > 1 && context.root == "planner" };

        @id("no-yes-for-booker")
        forbid (principal == Agent::"booker", action == Action::"approve", resource);

        @id("no-spawned")
        forbid (principal, action, resource) when { context.signals.spawned };
    """


class TestIssuance:
    """Each grant is asked about, and answers as its RFC says."""

    def test_what_nothing_forbids_passes(self, world: World) -> None:
        answer = world.agent("planner").exchange(world.hold(), resource=CALENDAR)
        assert answer.status_code == 200, answer.text

    def test_an_exchange_is_an_invalid_request(self, world: World) -> None:
        # RFC 8693 §2.2.2: "unacceptable based on policy".
        taken = world.hand_over(world.hold(), "planner", "booker", "calendar:read")
        refusal = world.refused(world.agent("booker").exchange, taken, resource=CALENDAR)
        assert refusal == (400, "invalid_request", "policy.denied")

    def test_the_same_through_another_chain_passes(self, world: World) -> None:
        answer = world.agent("booker").exchange(world.hold("booker"), resource=CALENDAR)
        assert answer.status_code == 200, answer.text

    def test_a_code_is_an_invalid_grant(self, world: World) -> None:
        assert world.refused(world.consent, "checker") == (400, "invalid_grant", "policy.denied")

    def test_an_agent_for_itself_is_an_unauthorized_client(self, world: World) -> None:
        ask = world.agent("checker").post
        refusal = world.refused(ask, "token_endpoint", grant_type="client_credentials")
        assert refusal == (400, "unauthorized_client", "policy.denied")

    def test_spawning_is_an_exchange(self, world: World) -> None:
        mallory, hold = world.agent("mallory"), world.hold("mallory")
        refusal = world.refused(mallory.ask_to_spawn, hold, "calendar:read", new_key())
        assert refusal == (400, "invalid_request", "policy.denied")

    def test_a_spawned_agent_can_be_told_from_others(self, world: World) -> None:
        hold = world.hold()
        child = world.spawn("planner", hold, "flights:search")
        given = world.agent("planner").exchange(hold, audience=child, scope="flights:search")
        token = given.json()["access_token"]
        refusal = world.refused(world.agent(child).exchange, token, resource=FLIGHTS)
        assert refusal == (400, "invalid_request", "policy.denied")

    def test_the_event_names_the_policy_and_the_client_is_not_told(self, world: World) -> None:
        answer = world.consent("checker")
        assert outcome(answer) == (400, "invalid_grant")
        assert "no-checker" not in answer.text
        last = world.events("token.refused")[-1]
        assert (last["rule"], last["facts"]["detail"]) == ("policy.denied", "no-checker")

    def test_nothing_was_made_of_what_is_refused(self, world: World) -> None:
        made = len(world.events("delegation.issued"))
        world.consent("checker")
        assert len(world.events("delegation.issued")) == made

    def test_a_refused_request_uses_up_its_assertion(self, world: World) -> None:
        checker = world.agent("checker")
        assertion = checker.client_assertion()
        asked = {"grant_type": "client_credentials", "client_assertion": assertion}
        assert outcome(checker.post("token_endpoint", **asked)) == (400, "unauthorized_client")
        assert outcome(checker.post("token_endpoint", **asked)) == (401, "invalid_client")


class TestApproval:
    """The person's yes is asked about as well: a policy can forbid what they would allow."""

    def test_a_yes_that_a_policy_forbids_is_none(self, asked_by: AskedBy) -> None:
        booker = asked_by("booker")
        request = booker.asked()
        assert booker.say_yes() == "forbidden"
        assert outcome(booker.poll(request)) == (400, "authorization_pending")

    def test_its_refusal_is_recorded_with_the_policy(self, world: World, asked_by: AskedBy) -> None:
        booker = asked_by("booker")
        booker.asked()
        booker.say_yes()
        last = world.events("approval.refused")[-1]
        assert (last["rule"], last["facts"]["detail"]) == ("policy.denied", "no-yes-for-booker")
        assert last["facts"]["approval_id"] == booker.cards()[0].id

    def test_the_page_says_so_in_words(self, world: World, asked_by: AskedBy) -> None:
        booker = asked_by("booker")
        booker.asked()
        browser, card = world.browser(booker.person), booker.cards()[0]
        form = _form(browser.get("/deputize/approvals").text)
        pressed = {**form, "decision": "approve", "scope": ["pay:transfer"]}
        answer = browser.post(f"/deputize/approvals/{card.id}", data=pressed)
        assert answer.status_code == 403
        assert "Your organisation does not allow this" in answer.text

    def test_a_no_asks_nobody(self, asked_by: AskedBy) -> None:
        booker = asked_by("booker")
        request = booker.asked()
        assert booker.say_no() == "done"
        assert outcome(booker.poll(request)) == (400, "access_denied")

    def test_another_agents_yes_passes(self, asked_by: AskedBy) -> None:
        planner = asked_by("planner")
        request = planner.asked()
        assert planner.say_yes() == "done"
        assert planner.poll(request).json()["scope"] == "pay:transfer"


def _form(html: str) -> dict[str, str]:
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html)
    return dict(fields)
