"""The consent page: the person may grant less, nobody else can grant, and it is never skipped."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from deputize.catalogue.models import Scope
from deputize.endings.edit_catalogue import declare_scope
from support.agents_http import decode, outcome, unix_time
from support.world import CALENDAR, World, authorize_url, read_form

pytestmark = pytest.mark.section("Deputize profile", "2")

#: The challenge of appendix B of RFC 7636: no code of these tests is redeemed by its verifier.
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


class Page:
    """The page as one person's browser shows it, ready to be pressed."""

    def __init__(
        self, world: World, client_id: str = "planner", person: str = "ana", **params: Any
    ) -> None:
        self.world = world
        self.browser = world.browser(person)
        url = authorize_url(world.metadata, client_id, CHALLENGE, **params)
        self.answer = self.browser.get(url)
        assert self.answer.status_code == 200, self.answer.text
        self.form = read_form(self.answer.text)
        self.action = self.form.pop("action")[0]

    def press(self, decision: str = "allow", /, **changed: list[str] | None) -> httpx.Response:
        """Post the form with these fields changed; None leaves one out."""
        sent = self.form | {"decision": [decision]} | changed
        form = {name: values for name, values in sent.items() if values is not None}
        return self.browser.post(self.action, data=form)


def told(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


def redeemed(world: World, answer: httpx.Response, client_id: str = "planner") -> dict[str, Any]:
    granted: dict[str, Any] = (
        world.agent(client_id)
        .post(
            "token_endpoint",
            grant_type="authorization_code",
            code=told(answer)["code"],
            redirect_uri="http://127.0.0.1/callback",
            code_verifier=VERIFIER,
        )
        .json()
    )
    return granted


def shown_again(answer: httpx.Response) -> str:
    """Return the page, that was shown again with what is the matter; nothing was granted."""
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "<form" in answer.text
    return answer.text


class TestShown:
    """Agent, owner, purpose, what, where, how long, and to whom it may be passed on."""

    def test_all_of_it_is_shown(self, world: World) -> None:
        text = Page(world).answer.text
        for word in ("planner", "Ben", "Books trips", "Read your calendar", "calendar.example"):
            assert word in text
        for field in ("scope", "pass_on", "until", "csrf_token", "shown"):
            assert f'name="{field}"' in text

    def test_a_sensitive_scope_is_listed_and_not_given(self, world: World) -> None:
        page = Page(world, scope="calendar:read pay:transfer")
        assert "Pay" in page.answer.text
        assert page.form["scope"] == ["calendar:read"]

    def test_nobody_frames_or_stores_it(self, world: World) -> None:
        headers = Page(world).answer.headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "no-store" in headers["Cache-Control"]

    def test_what_an_agent_says_of_itself_is_no_markup(self, world: World) -> None:
        words = "<script>alert(1)</script>"
        world.register("loud", name=words, purpose=words)
        text = Page(world, "loud").answer.text
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text

    def test_looking_at_it_decides_nothing(self, world: World) -> None:
        page = Page(world)
        before = world.events()
        again = page.browser.get(page.action, params={"decision": "allow", **page.form})
        assert again.status_code in (200, 400)
        assert "Location" not in again.headers
        assert world.events() == before


class TestLess:
    """The person may grant less than was asked, and no more."""

    def test_a_scope_is_unticked(self, world: World) -> None:
        answer = Page(world).press(scope=["calendar:read", "tasks"])
        assert redeemed(world, answer)["scope"] == "calendar:read tasks"

    def test_nothing_ticked_is_no_grant(self, world: World) -> None:
        shown_again(Page(world).press(scope=[]))

    @pytest.mark.parametrize("added", ["flights:hold", "pay:transfer", "admin", "calendar:delete"])
    def test_what_was_not_offered_cannot_be_ticked(self, world: World, added: str) -> None:
        page = Page(world, scope="calendar:read pay:transfer")
        answer = page.press(scope=["calendar:read", added])
        assert redeemed(world, answer)["scope"] == "calendar:read"
        shown_again(Page(world, scope="calendar:read pay:transfer").press(scope=[added]))

    def test_it_is_shortened(self, world: World) -> None:
        granted = redeemed(world, Page(world).press(until=["900"]))
        claims = decode(granted["access_token"])[1]
        world.pass_time(claims["iat"] + 840 - unix_time())
        refreshed = world.agent("planner").post(
            "token_endpoint", grant_type="refresh_token", refresh_token=granted["refresh_token"]
        )
        assert 0 < refreshed.json()["expires_in"] <= 60

    @pytest.mark.parametrize(
        "until", ["0", "-1", "", "soon", "1e3", "9" * 11, "9" * 100, "٣٦٠٠", str(30 * 86400 + 1)]
    )
    def test_no_time_is_made_up(self, world: World, until: str) -> None:
        shown_again(Page(world).press(until=[until]))

    def test_nor_one_past_the_agent(self, world: World) -> None:
        world.register("ending", expires_at=unix_time() + 1000)
        page = Page(world, "ending")
        shown_again(page.press(until=["3600"]))

    def test_a_part_of_whom_it_may_be_passed_on_to(self, world: World) -> None:
        token = redeemed(world, Page(world).press(pass_on=["checker"]))["access_token"]
        planner = world.agent("planner")
        asked = {"scope": "calendar:read"}
        assert planner.exchange(token, audience="checker", **asked).status_code == 200
        refused = planner.exchange(token, audience="booker", **asked)
        assert outcome(refused) == (400, "invalid_target")

    def test_nobody_else_can_be_added(self, world: World) -> None:
        answer = Page(world).press(pass_on=["checker", "mallory"])
        token = redeemed(world, answer)["access_token"]
        refused = world.agent("planner").exchange(token, audience="mallory", scope="calendar:read")
        assert outcome(refused) == (400, "invalid_target")

    def test_what_was_granted_is_written_down(self, world: World) -> None:
        before = world.events("consent.granted")
        Page(world).press(scope=["calendar:read"], pass_on=["checker"])
        (event,) = [e for e in world.events("consent.granted") if e not in before]
        facts = (event["facts"]["scope"], event["facts"]["pass_on"], event["agent"])
        assert facts == ("calendar:read", ["checker"], "planner")


class TestNo:
    """Denying is as easy as allowing."""

    @pytest.mark.parametrize("decision", ["deny", "no", "", "ALLOW", "allow "])
    def test_any_other_press_is_a_no(self, world: World, decision: str) -> None:
        answer = told(Page(world).press(decision))
        assert answer["error"] == "access_denied"
        assert "code" not in answer

    def test_it_needs_nothing_ticked(self, world: World) -> None:
        answer = Page(world).press("deny", scope=[], pass_on=[], until=None)
        assert told(answer)["error"] == "access_denied"


class TestForgery:
    """Only the page that the person saw decides."""

    @pytest.mark.parametrize("token", [None, [""], ["x"], ["x.y.z"]])
    def test_without_the_pages_own_token_nothing_is_granted(
        self, world: World, token: list[str] | None
    ) -> None:
        shown_again(Page(world).press(csrf_token=token))

    def test_nor_with_that_of_another_session(self, world: World) -> None:
        other = Page(world, person="eve").form["csrf_token"]
        shown_again(Page(world).press(csrf_token=other))

    @pytest.mark.parametrize("shown", [None, [""], ["0" * 64], ["é"]])
    def test_nor_without_what_was_shown(self, world: World, shown: list[str] | None) -> None:
        shown_again(Page(world).press(shown=shown))

    def test_nor_with_what_was_shown_to_somebody_else(self, world: World) -> None:
        other = Page(world, person="eve").form["shown"]
        shown_again(Page(world).press(shown=other))

    def test_nor_for_another_request_than_was_shown(self, world: World) -> None:
        small = Page(world, scope="calendar:read")
        large = Page(world)
        small.action = large.action
        shown_again(small.press())

    def test_nor_for_another_agent(self, world: World) -> None:
        page, other = Page(world), Page(world, "booker")
        page.action = other.action
        shown_again(page.press())

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("redirect_uri", "https://evil.example/"),
            ("code_challenge", "x"),
            ("client_id", "mallory"),
            ("resource", "https://pay.example"),
            ("response_type", "token"),
        ],
    )
    def test_what_is_posted_beside_it_changes_nothing(
        self, world: World, name: str, value: str
    ) -> None:
        answer = Page(world).press(**{name: [value]})
        assert answer.headers["Location"].startswith("http://127.0.0.1/callback?")
        claims = decode(redeemed(world, answer)["access_token"])[1]
        assert claims["client_id"] == "planner"

    def test_signed_out_nobody_decides(self, world: World) -> None:
        page = Page(world)
        stranger = world.browser(None)
        answer = stranger.post(page.action, data=page.form | {"decision": ["allow"]})
        assert answer.headers["Location"].startswith("/sign-in")

    def test_as_somebody_else_nobody_decides(self, world: World) -> None:
        page = Page(world)
        page.browser.get("/sign-in", params={"person": "eve"})
        shown_again(page.press())


class TestChangedWhileReading:
    """A decision about anything else than what was shown is none."""

    @pytest.mark.parametrize(
        "members",
        [
            {"purpose": "Something else"},
            {"name": "Another"},
            {"owner": "eve"},
            {"scope": frozenset({"calendar:read", "calendar:write", "flights:search", "tasks"})},
            {"delegates_to": frozenset({"mallory"})},
        ],
        ids=lambda members: next(iter(members)),
    )
    def test_the_agent(self, world: World, members: dict[str, Any]) -> None:
        name = f"edited-{next(iter(members))}"
        world.register(name)
        page = Page(world, name, scope="calendar:read")
        world.edit(name, **members)
        assert "changed while you were reading" in shown_again(page.press())

    def test_what_a_scope_means(self, world: World) -> None:
        declare_scope(world.context.db, Scope("calendar:tidy", CALENDAR, "Tidy your calendar"))
        world.register("tidier", scope=frozenset({"calendar:tidy"}))
        page = Page(world, "tidier", scope="calendar:tidy")
        emptied = Scope("calendar:tidy", CALENDAR, "Empty your calendar")
        declare_scope(world.context.db, emptied)
        assert "changed while you were reading" in shown_again(page.press())

    def test_an_agent_it_may_be_passed_on_to(self, world: World) -> None:
        world.register("helper", name="Helper")
        world.register("helped", delegates_to=frozenset({"helper"}))
        page = Page(world, "helped")
        world.edit("helper", name="Somebody else", owner="eve")
        assert "changed while you were reading" in shown_again(page.press())

    def test_once_seen_anew_it_is_granted(self, world: World) -> None:
        world.register("renamed")
        page = Page(world, "renamed")
        world.edit("renamed", purpose="Something else")
        page.form = read_form(shown_again(page.press()))
        page.form.pop("action")
        assert "code" in told(page.press())

    def test_a_stopped_agent_gets_nothing(self, world: World) -> None:
        world.register("stopped")
        page = Page(world, "stopped")
        world.stop("stopped")
        answer = page.press()
        assert answer.status_code == 400
        assert "Location" not in answer.headers


class TestNeverSkipped:
    """Each request is shown, whatever was granted before."""

    def test_the_second_time_too(self, world: World) -> None:
        assert "code" in told(Page(world).press())
        assert Page(world).answer.status_code == 200

    def test_without_a_page_there_is_no_grant(self, world: World) -> None:
        told(Page(world).press())
        url = authorize_url(world.metadata, "planner", CHALLENGE, prompt="none")
        answer = told(world.browser().get(url))
        assert answer["error"] == "consent_required"

    def test_a_page_that_was_pressed_can_be_pressed_again_for_a_task_of_its_own(
        self, world: World
    ) -> None:
        page = Page(world)
        tasks = {
            decode(redeemed(world, page.press())["access_token"])[1]["task_id"] for _ in range(2)
        }
        assert len(tasks) == 2
