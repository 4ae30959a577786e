"""An agent may ask that the person signs in anew: `prompt` and `max_age` (OpenID Connect Core
§3.1.2.1). Who has done so is asked; who has not is not sent round in a circle."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from support.agents_http import pkce, unix_time
from support.world import CALLBACK, World, authorize_url, read_form

pytestmark = pytest.mark.section("profile", "2")

CHALLENGE = pkce()[1]


def sign_in(browser: httpx.Client, at: int) -> None:
    browser.get("/sign-in", params={"person": "ana", "at": str(at)}).raise_for_status()


def sent_to_sign_in(answer: httpx.Response) -> str:
    """Return where the person comes back to."""
    assert answer.status_code == 303, answer.text
    url = urlsplit(answer.headers["Location"])
    assert url.path == "/sign-in", answer.headers["Location"]
    return parse_qs(url.query)["next"][0]


def told_to_the_agent(answer: httpx.Response) -> str:
    location = answer.headers["Location"]
    assert location.startswith(CALLBACK)
    return parse_qs(urlsplit(location).query)["error"][0]


@pytest.mark.parametrize(
    "asked", [{"prompt": "login"}, {"prompt": "select_account"}, {"max_age": "0"}]
)
def test_whoever_is_signed_in_signs_in_anew_and_is_then_asked(
    world: World, asked: dict[str, str]
) -> None:
    browser = world.browser(None)
    sign_in(browser, unix_time() - 1000)
    back = sent_to_sign_in(
        browser.get(authorize_url(world.metadata, "planner", CHALLENGE, **asked))
    )
    sign_in(browser, unix_time())
    page = browser.get(back)
    assert page.status_code == 200
    form = read_form(page.text)
    decided = browser.post(form.pop("action")[0], data=form | {"decision": ["allow"]})
    assert "code" in parse_qs(urlsplit(decided.headers["Location"]).query)


@pytest.mark.parametrize("asked", [{"prompt": "login"}, {"max_age": "60"}])
def test_whoever_comes_back_no_fresher_is_not_sent_again(
    world: World, asked: dict[str, str]
) -> None:
    browser = world.browser(None)
    sign_in(browser, unix_time() - 1000)
    back = sent_to_sign_in(
        browser.get(authorize_url(world.metadata, "planner", CHALLENGE, **asked))
    )
    assert told_to_the_agent(browser.get(back)) == "unmet_authentication_requirements"


def test_a_sign_in_that_is_recent_enough_will_do(world: World) -> None:
    browser = world.browser(None)
    sign_in(browser, unix_time() - 50)
    url = authorize_url(world.metadata, "planner", CHALLENGE, max_age="60")
    assert browser.get(url).status_code == 200


def test_silently_it_cannot_be_done(world: World) -> None:
    browser = world.browser(None)
    sign_in(browser, unix_time() - 1000)
    url = authorize_url(world.metadata, "planner", CHALLENGE, max_age="60", prompt="none")
    assert told_to_the_agent(browser.get(url)) == "login_required"


def test_the_mark_of_another_request_is_worth_nothing(world: World) -> None:
    browser = world.browser(None)
    sign_in(browser, unix_time())
    url = authorize_url(world.metadata, "planner", CHALLENGE, prompt="login")
    mark = sent_to_sign_in(browser.get(url)).rpartition("&")[2]
    other = authorize_url(world.metadata, "planner", CHALLENGE, prompt="login", state="other")
    for forged in (mark, "deputize_sent_at=x", f"{mark}x", "deputize_sent_at="):
        sent_to_sign_in(browser.get(f"{other}&{forged}"))


def test_a_mark_is_good_for_a_while(world: World) -> None:
    browser = world.browser(None)
    sign_in(browser, unix_time())
    url = authorize_url(world.metadata, "planner", CHALLENGE, prompt="login")
    back = sent_to_sign_in(browser.get(url))
    sign_in(browser, unix_time() + 1)
    assert browser.get(back).status_code == 200
    world.pass_time(1000)
    sent_to_sign_in(browser.get(back))


@pytest.mark.parametrize(
    "asked",
    [{"prompt": "none login"}, {"prompt": "sometimes"}, {"max_age": "-1"}, {"max_age": "soon"}],
)
def test_what_makes_no_sense_is_told_to_the_agent(world: World, asked: dict[str, str]) -> None:
    url = authorize_url(world.metadata, "planner", CHALLENGE, **asked)
    assert told_to_the_agent(world.browser().get(url)) == "invalid_request"
