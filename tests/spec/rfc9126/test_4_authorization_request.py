"""The browser brings the reference: opened in time, by one person, and answered once."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from deputize.endings.sweep import sweep
from spec.rfc9126.conftest import ENDPOINT, Pushing
from support.agents_http import decode
from support.world import CALLBACK, World, authorize_url, read_form

pytestmark = pytest.mark.section("RFC 9126", "4")

LIFETIME = 60
UNKNOWN = f"urn:ietf:params:oauth:request_uri:{'x' * 43}"


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


def told_to_the_person(answer: httpx.Response) -> str:
    """Return the page; nothing was redirected, for no redirect URI can be believed."""
    assert answer.status_code == 400, answer.text
    assert "Location" not in answer.headers
    assert "<form" not in answer.text
    return answer.text


def sent_back(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code in (302, 303), answer.text
    assert answer.headers["Location"].split("?")[0] == CALLBACK
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


def test_what_was_pushed_is_granted(world: World, pushing: Pushing) -> None:
    told = sent_back(pushing.press(pushing.open(pushing.pushed())))
    assert (told["state"], told["iss"]) == ("the-state", world.metadata["issuer"])
    granted = pushing.redeem(told["code"]).json()
    assert granted["scope"] == "calendar:read calendar:write"
    assert decode(granted["access_token"])[1]["act"]["sub"] == "planner"


def test_it_may_be_posted(pushing: Pushing) -> None:
    url, _, query = pushing.link(pushing.pushed()).partition("?")
    assert pushing.browser().post(url, data=parse_qs(query)).status_code == 200


class TestNothingIsMixed:
    """RFC 9101 §5: what stands beside the reference is ignored."""

    @pytest.mark.parametrize(
        "beside",
        [
            {"scope": "calendar:read flights:search tasks"},
            {"redirect_uri": "https://evil.example/callback"},
            {"state": "mallory's"},
            {"response_type": "token"},
            {"prompt": "none"},
            {"response_mode": "fragment"},
            {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"},
            {"resource": "https://flights.example"},
            {"request": "eyJhbGciOiJub25lIn0.e30."},
            {"scope": ["one", "two"], "unknown": "x\x00"},
            {"max_age": "0"},
        ],
        ids=str,
    )
    def test_what_somebody_adds_to_the_link(self, pushing: Pushing, beside: dict[str, Any]) -> None:
        told = sent_back(pushing.press(pushing.open(pushing.pushed(), **beside)))
        assert told["state"] == "the-state"
        granted = pushing.redeem(told["code"]).json()
        assert granted["scope"] == "calendar:read calendar:write"

    def test_nor_is_what_was_pushed_the_servers_own_mark(self, pushing: Pushing) -> None:
        uri = pushing.pushed(prompt="login", deputize_sent_at="x")
        assert pushing.open(uri).headers["Location"].startswith("/sign-in")

    def test_without_the_reference_the_request_stands_for_itself(
        self, world: World, pushing: Pushing
    ) -> None:
        pushing.pushed()
        url = authorize_url(world.metadata, "planner", None)
        assert sent_back(pushing.browser().get(url))["error"] == "invalid_request"


class TestToldToThePerson:
    """A reference that is not good is a page, whatever stands beside it."""

    @pytest.mark.parametrize(
        "uri",
        [
            UNKNOWN,
            "urn:ietf:params:oauth:request_uri:",
            "urn:ietf:params:oauth:request_uri",
            "https://evil.example/request.jwt",
            "x" * 3000,
            f"{UNKNOWN}\x00",
            "é\ud7ff",
            [UNKNOWN, UNKNOWN],
        ],
        ids=lambda of: str(of)[:50],
    )
    def test_it_is_unknown(self, pushing: Pushing, uri: Any) -> None:
        told_to_the_person(pushing.open(uri))
        told_to_the_person(pushing.open(uri, redirect_uri=CALLBACK, state="s"))
        told_to_the_person(pushing.open(uri, person=None))

    def test_it_is_named_twice(self, pushing: Pushing) -> None:
        uri = pushing.pushed()
        told_to_the_person(pushing.open([uri, uri]))
        told_to_the_person(pushing.open([uri, UNKNOWN]))

    @pytest.mark.parametrize(
        "client_id", ["booker", "nobody", None, "", ["planner", "booker"], "planner\x00"]
    )
    def test_it_is_another_clients(self, pushing: Pushing, client_id: Any) -> None:
        """§2.2: bound to the client that pushed it; and it is still good for that one."""
        uri = pushing.pushed()
        unknown = told_to_the_person(pushing.open(UNKNOWN))
        told = told_to_the_person(pushing.open(uri, client_id=client_id))
        if client_id == "booker":
            assert told == unknown
        assert pushing.open(uri).status_code == 200

    def test_it_is_too_old_to_be_opened(self, world: World, pushing: Pushing) -> None:
        uri = pushing.pushed()
        world.pass_time(LIFETIME)
        told_to_the_person(pushing.open(uri))
        told_to_the_person(pushing.open(uri, person=None))

    def test_the_agent_was_stopped_meanwhile(self, world: World) -> None:
        world.register("stopped")
        pushing = Pushing(world, world.agent("stopped"))
        uri = pushing.pushed()
        world.stop("stopped")
        told_to_the_person(pushing.open(uri))

    def test_its_redirect_uri_is_registered_no_more(self, world: World) -> None:
        world.register("moved")
        pushing = Pushing(world, world.agent("moved"))
        uri = pushing.pushed()
        world.edit("moved", redirect_uris=("https://moved.example/callback",))
        told_to_the_person(pushing.open(uri))


def test_what_it_may_ask_is_judged_again(world: World) -> None:
    world.register("narrowed")
    pushing = Pushing(world, world.agent("narrowed"))
    uri = pushing.pushed()
    world.edit("narrowed", scope=frozenset({"calendar:read"}))
    told = sent_back(pushing.open(uri))
    assert (told["error"], told["state"]) == ("invalid_scope", "the-state")


class TestOnce:
    """ "Authorization servers SHOULD treat request_uri values as one-time use but MAY allow
    for duplicate requests due to a user reloading/refreshing their user agent"."""

    def test_the_page_may_be_reloaded(self, pushing: Pushing) -> None:
        uri = pushing.pushed()
        for _ in range(3):
            page = pushing.open(uri)
        assert "code" in sent_back(pushing.press(page))

    def test_a_yes_uses_it_up(self, pushing: Pushing) -> None:
        uri = pushing.pushed()
        page = pushing.open(uri)
        assert "code" in sent_back(pushing.press(page))
        told_to_the_person(pushing.press(page))
        told_to_the_person(pushing.open(uri))
        told_to_the_person(pushing.open(uri, person=None))

    def test_so_does_a_no(self, pushing: Pushing) -> None:
        uri = pushing.pushed()
        page = pushing.open(uri)
        assert sent_back(pushing.press(page, "deny"))["error"] == "access_denied"
        told_to_the_person(pushing.press(page))
        told_to_the_person(pushing.open(uri))

    def test_a_form_of_somebody_elses_page_uses_nothing_up(self, pushing: Pushing) -> None:
        uri = pushing.pushed()
        page = pushing.open(uri)
        action = read_form(page.text)["action"][0]
        pushing.browser().post(action, data={"decision": "deny"})
        assert "code" in sent_back(pushing.press(pushing.open(uri)))


class TestOnePerson:
    """Whoever is signed in when the page is first shown is the only one who goes on with it."""

    def test_nobody_else_goes_on_with_it(self, pushing: Pushing) -> None:
        uri = pushing.pushed()
        page = pushing.open(uri)
        told_to_the_person(pushing.open(uri, person="eve"))
        assert "code" in sent_back(pushing.press(page))

    def test_nor_posts_the_form_of_the_other(self, pushing: Pushing) -> None:
        page = pushing.open(pushing.pushed())
        told_to_the_person(pushing.press(page, person="eve"))

    def test_signing_in_comes_first(self, world: World, pushing: Pushing) -> None:
        uri = pushing.pushed()
        answer = pushing.open(uri, person=None)
        assert answer.headers["Location"].startswith("/sign-in")
        back = parse_qs(urlsplit(answer.headers["Location"]).query)["next"][0]
        assert set(parse_qs(urlsplit(back).query)) == {
            "client_id",
            "request_uri",
            "deputize_sent_at",
        }
        assert pushing.browser("ben").get(back).status_code == 200
        told_to_the_person(pushing.open(uri, person="eve"))


class TestAfterItsExpiry:
    """What was opened in time can be read and answered, for a while."""

    def test_it_is_answered(self, world: World, pushing: Pushing) -> None:
        page = pushing.open(pushing.pushed())
        world.pass_time(LIFETIME + 600)
        assert "code" in sent_back(pushing.press(page))

    def test_and_reloaded_by_whom_it_belongs_to_alone(self, world: World, pushing: Pushing) -> None:
        uri = pushing.pushed()
        pushing.open(uri)
        world.pass_time(LIFETIME + 600)
        told_to_the_person(pushing.open(uri, person="eve"))
        told_to_the_person(pushing.open(uri, person=None))
        assert pushing.open(uri).status_code == 200

    def test_who_was_signing_in_comes_back_to_it(self, world: World, pushing: Pushing) -> None:
        uri = pushing.pushed()
        sign_in = pushing.open(uri, person=None).headers["Location"]
        back = parse_qs(urlsplit(sign_in).query)["next"][0]
        world.pass_time(LIFETIME + 300)
        told_to_the_person(pushing.open(uri))
        page = pushing.browser().get(back)
        assert "code" in sent_back(pushing.press(page))

    def test_the_mark_of_one_request_opens_no_other(self, world: World, pushing: Pushing) -> None:
        old, uri = pushing.pushed(), pushing.pushed()
        sign_in = pushing.open(uri, person=None).headers["Location"]
        back = parse_qs(urlsplit(sign_in).query)["next"][0]
        mark = parse_qs(urlsplit(back).query)["deputize_sent_at"][0]
        world.pass_time(LIFETIME)
        told_to_the_person(pushing.open(old, deputize_sent_at=mark))

    def test_in_the_end_it_is_gone(self, world: World, pushing: Pushing) -> None:
        page = pushing.open(pushing.pushed())
        world.pass_time(LIFETIME + 900)
        told_to_the_person(pushing.press(page))

    def test_a_sweep_forgets_it(self, world: World, pushing: Pushing) -> None:
        pushing.pushed()
        world.pass_time(LIFETIME + 900)
        sweep(world.context.db)
        with world.context.db.read() as tx:
            assert not tx.connection.exec_driver_sql("SELECT * FROM deputize_pushed_request").all()


class TestHowThePersonSignsIn:
    """`prompt` and `max_age` are of what was pushed."""

    def test_prompt_none_is_answered_without_a_page(self, pushing: Pushing) -> None:
        uri = pushing.pushed(prompt="none")
        assert sent_back(pushing.open(uri, person=None))["error"] == "login_required"
        assert sent_back(pushing.open(uri))["error"] == "consent_required"

    def test_another_person_may_be_chosen(self, world: World, pushing: Pushing) -> None:
        """The page is shown to whom was chosen, and was to nobody before."""
        uri, browser = pushing.pushed(prompt="select_account"), world.browser("ana")
        sign_in = browser.get(pushing.link(uri)).headers["Location"]
        back = parse_qs(urlsplit(sign_in).query)["next"][0]
        browser.get("/sign-in", params={"person": "eve", "at": 4_000_000_000})
        assert browser.get(back).status_code == 200
        told_to_the_person(pushing.open(uri))


def test_the_endpoint_is_for_programs(world: World) -> None:
    """No page, no cookie, no CSRF token."""
    answer = httpx.post(world.metadata[ENDPOINT], data={"client_id": "planner"}, trust_env=False)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
