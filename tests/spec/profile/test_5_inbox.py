"""The inbox: what is pressed is what was shown, and a GET decides nothing."""

import re
from html import unescape
from typing import Any

import httpx
import pytest

from support.agents_http import outcome, unix_time
from support.asking import Asking
from support.world import World

pytestmark = pytest.mark.section("profile", "5")

CARD = re.compile(r'<form class="card deciding" id="card-([^"]+)".*?</form>', re.DOTALL)


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


def inbox(browser: httpx.Client, world: World) -> str:
    page = browser.get(world.metadata["approvals_page"])
    assert page.status_code == 200, page.text
    return page.text


def form_of(html: str) -> dict[str, Any]:
    """Return the first card's form, as a browser would send it untouched."""
    found = CARD.search(html)
    assert found is not None, html
    card = found[0]
    fields: dict[str, Any] = {"scope": []}
    fields["action"] = unescape(re.search(r'action="([^"]*)"', card)[1])  # type: ignore[index]
    for tag in re.findall(r"<input[^>]*>", card):
        name, value = (re.search(rf'{a}="([^"]*)"', tag) for a in ("name", "value"))
        assert name is not None
        given = unescape(value[1]) if value else ""
        if "checkbox" not in tag:
            fields[name[1]] = given
        elif " checked" in tag:
            fields[name[1]].append(given)
    chosen = re.search(r'<option[^>]*value="(\d+)"[^>]*selected', card)
    assert chosen is not None
    return fields | {"lifetime": chosen[1]}


def press(browser: httpx.Client, form: dict[str, Any], decision: str, **changes: Any) -> Any:
    sent = form | {"decision": decision} | changes
    return browser.post(sent.pop("action"), data=sent)


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"origin": "self"}, "<bdi>stranger</bdi> registered itself. An administrator let it in."),
        ({"created_at": unix_time()}, "<bdi>stranger</bdi> is new here: since less than a week."),
        ({}, None),
    ],
)
def test_it_says_what_speaks_for_looking_twice(
    world: World, asking: Asking, members: dict[str, Any], sentence: str | None
) -> None:
    stranger = f"stranger-{len(world.keys)}"
    world.register(stranger, name="stranger", **members)
    hold = world.hold(stranger, asking.person)
    Asking(world, world.agent(stranger), hold, asking.person).asked()
    page = inbox(world.browser(asking.person), world)
    assert ("Before you decide" in page) == (sentence is not None)
    assert sentence is None or sentence in page


def test_it_says_who_started_a_helper(asking: Asking) -> None:
    world = asking.world
    helper = world.spawn("planner", asking.hold, "flights:search calendar:read")
    taken = world.hand_over(asking.hold, "planner", helper, "flights:search")
    Asking(world, world.agent(helper), taken, asking.person).asked(
        scope="openid calendar:read", resource="https://calendar.example"
    )
    page = inbox(world.browser(asking.person), world)
    assert "is a helper that <bdi>planner</bdi> started." in page


def test_it_says_what_who_through_whom_and_in_whose_words(asking: Asking) -> None:
    world = asking.world
    taken = world.hand_over(asking.hold, "planner", "booker", "flights:search")
    booker = Asking(world, world.agent("booker"), taken, asking.person)
    booker.asked(binding_message="TP1234 <b>seat</b>")
    page = inbox(world.browser(asking.person), world)
    assert ">Pay</h2>" in page
    assert page.index("<li>You</li>") < page.index("planner") < page.index("booker")
    assert "TP1234 &lt;b&gt;seat&lt;/b&gt;" in page
    assert "pay.example" in page
    assert "Deny and stop" in page


def test_yes_is_yes_to_what_was_shown(asking: Asking) -> None:
    asked = asking.asked()
    browser = asking.world.browser(asking.person)
    answer = press(browser, form_of(inbox(browser, asking.world)), "approve")
    assert answer.status_code == 303
    assert asking.poll(asked).json()["scope"] == "pay:transfer"
    assert "you said yes" in inbox(browser, asking.world)


def test_no_is_no(asking: Asking) -> None:
    asked = asking.asked()
    browser = asking.world.browser(asking.person)
    assert press(browser, form_of(inbox(browser, asking.world)), "deny").status_code == 303
    assert outcome(asking.poll(asked)) == (400, "access_denied")
    assert "you said no" in inbox(browser, asking.world)


def test_no_and_stop_ends_what_the_agent_holds(asking: Asking) -> None:
    world = asking.world
    taken = world.hand_over(asking.hold, "planner", "booker", "flights:search")
    booker = Asking(world, world.agent("booker"), taken, asking.person)
    asked = booker.asked()
    browser = world.browser(asking.person)
    press(browser, form_of(inbox(browser, world)), "stop")
    assert outcome(booker.poll(asked)) == (400, "access_denied")
    assert booker.agent.introspect(taken).json() == {"active": False}
    assert asking.agent.introspect(asking.hold).json()["active"] is True


def test_less_is_less(asking: Asking) -> None:
    asking.hold = asking.world.hold(
        "planner", asking.person, untick=("calendar:write", "calendar:read")
    )
    calendar = "https://calendar.example"
    asked = asking.asked(scope="openid calendar:write calendar:read", resource=calendar)
    browser = asking.world.browser(asking.person)
    form = form_of(inbox(browser, asking.world))
    assert sorted(form["scope"]) == ["calendar:read", "calendar:write"]
    press(browser, form, "approve", scope=["calendar:read"], lifetime="60")
    told = asking.poll(asked).json()
    assert told["scope"] == "calendar:read"
    assert told["expires_in"] <= 60


class TestWhatDecidesNothing:
    @pytest.fixture
    def form(self, asking: Asking) -> dict[str, Any]:
        self.asked = asking.asked()
        browser = asking.world.browser(asking.person)
        return form_of(inbox(browser, asking.world))

    def still_waits(self, asking: Asking) -> bool:
        asking.world.pass_time(60)
        return outcome(asking.poll(self.asked)) == (400, "authorization_pending")

    def test_a_get(self, asking: Asking, form: dict[str, Any]) -> None:
        browser = asking.world.browser(asking.person)
        assert browser.get(form["action"], params={"decision": "approve"}).status_code == 405
        assert self.still_waits(asking)

    def test_a_form_of_another_session(self, asking: Asking, form: dict[str, Any]) -> None:
        other = asking.world.browser(asking.person)
        answer = press(other, form, "approve")
        assert answer.status_code == 303
        assert (
            "the page on which you pressed was too old"
            in other.get(answer.headers["Location"]).text
        )
        assert self.still_waits(asking)

    def test_another_person(self, asking: Asking, form: dict[str, Any]) -> None:
        eve = asking.world.browser("eve")
        asking.world.browser("eve")
        page = inbox(eve, asking.world)
        assert CARD.search(page) is None
        asked = Asking(asking.world, asking.agent, asking.world.hold("planner", "eve"), "eve")
        asked.asked()
        mine = form_of(inbox(eve, asking.world))
        assert press(eve, mine | {"action": form["action"]}, "approve").status_code == 404
        assert self.still_waits(asking)

    def test_signed_out(self, asking: Asking, form: dict[str, Any]) -> None:
        answer = press(asking.world.browser(None), form, "approve")
        assert "/sign-in" in answer.headers["Location"]
        assert self.still_waits(asking)

    @pytest.mark.parametrize(
        "changes",
        [{"decision": "perhaps"}, {"scope": []}, {"scope": ["calendar:read"]}],
    )
    def test_what_is_no_decision(
        self,
        asking: Asking,
        changes: dict[str, Any],
    ) -> None:
        self.asked = asking.asked()
        browser = asking.world.browser(asking.person)
        form = form_of(inbox(browser, asking.world))
        sent = {"decision": "approve"} | changes
        assert press(browser, form, sent.pop("decision"), **sent).status_code == 303
        assert self.still_waits(asking)

    def test_about_something_else_than_was_shown(self, asking: Asking) -> None:
        self.asked = asking.asked()
        browser = asking.world.browser(asking.person)
        form = form_of(inbox(browser, asking.world))
        changed = press(browser, form, "approve", shown="x" * 64)
        assert changed.status_code == 409
        assert "Nothing was granted." in changed.text
        assert self.still_waits(asking)

    def test_too_late(self, asking: Asking) -> None:
        asked = asking.asked(requested_expiry="30")
        browser = asking.world.browser(asking.person)
        form = form_of(inbox(browser, asking.world))
        asking.world.pass_time(31)
        assert press(browser, form, "approve").status_code == 410
        assert outcome(asking.poll(asked)) == (400, "expired_token")

    def test_twice(self, asking: Asking) -> None:
        asking.asked()
        browser = asking.world.browser(asking.person)
        form = form_of(inbox(browser, asking.world))
        assert press(browser, form, "deny").status_code == 303
        assert press(browser, form, "approve").status_code in (409, 410)


class TestAskedForAgain:
    """An open page asks for itself; what it has is not sent twice (RFC 9110 §13.1.2)."""

    @pytest.fixture
    def browser(self, asking: Asking) -> httpx.Client:
        return asking.world.browser(asking.person)

    def look(self, asking: Asking, browser: httpx.Client, tag: str = "") -> httpx.Response:
        known = {"If-None-Match": tag} if tag else {}
        return browser.get(asking.world.metadata["approvals_page"], headers=known)

    def test_what_has_not_changed_is_not_sent(self, asking: Asking, browser: httpx.Client) -> None:
        asking.asked()
        tag = self.look(asking, browser).headers["ETag"]
        again = self.look(asking, browser, tag)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers["Cache-Control"] == "no-store"

    def test_asking_prolongs_no_session(self, asking: Asking, browser: httpx.Client) -> None:
        tag = self.look(asking, browser).headers["ETag"]
        assert "Set-Cookie" not in self.look(asking, browser, tag).headers
        assert "Set-Cookie" not in self.look(asking, browser).headers

    def test_a_new_card_is(self, asking: Asking, browser: httpx.Client) -> None:
        tag = self.look(asking, browser).headers["ETag"]
        asking.asked()
        assert CARD.search(self.look(asking, browser, tag).text)

    def test_a_decision_is(self, asking: Asking, browser: httpx.Client) -> None:
        asking.asked()
        tag = self.look(asking, browser).headers["ETag"]
        asking.say_no()
        assert "you said no" in self.look(asking, browser, tag).text

    def test_a_time_that_reads_otherwise_is(self, asking: Asking, browser: httpx.Client) -> None:
        asking.asked()
        tag = self.look(asking, browser).headers["ETag"]
        asking.world.pass_time(60)
        assert "you can decide" in self.look(asking, browser, tag).text

    def test_nobody_has_what_another_session_was_sent(
        self, asking: Asking, browser: httpx.Client
    ) -> None:
        """Its forms would be refused here."""
        asking.asked()
        tag = self.look(asking, browser).headers["ETag"]
        other = asking.world.browser(asking.person)
        assert self.look(asking, other, tag).status_code == 200

    def test_who_is_signed_out_is_sent_to_sign_in(self, asking: Asking) -> None:
        answer = self.look(asking, asking.world.browser(None), "*")
        assert answer.status_code == 303
        assert "/sign-in" in answer.headers["Location"]

    def test_the_script_reaches_this_server_alone(
        self, asking: Asking, browser: httpx.Client
    ) -> None:
        policy = self.look(asking, browser).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert policy.endswith("; script-src 'self'; connect-src 'self'")


def test_an_agent_cannot_approve_for_itself(asking: Asking) -> None:
    """V11: no principal authenticated as a client moves an approval out of pending."""
    asked = asking.asked()
    (card,) = asking.cards()
    page = f"{asking.world.metadata['approvals_page']}/{card.id}"
    for told in ({"decision": "approve", "shown": card.content_hash}, {}):
        answer = httpx.post(
            page, data=told, headers={"Authorization": f"Bearer {asking.hold}"}, trust_env=False
        )
        assert "/sign-in" in answer.headers["Location"]
    assert outcome(asking.poll(asked)) == (400, "authorization_pending")


def test_a_person_without_questions_sees_none(world: World) -> None:
    assert "Nothing waits for you." in inbox(world.browser("ben"), world)
