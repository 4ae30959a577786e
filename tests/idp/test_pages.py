"""The pages in a real browser: by keyboard, at 360 pixels, in both colour schemes, without
script, and through the redirect to the client that Chromium holds against `form-action`.
"""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from werkzeug.wrappers import Request, Response

from idp.browser import PASSWORD, Application, query_of
from idp.conftest import Idp
from support.serving import serving

PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def callback() -> Iterator[str]:
    """The client's own server, at another origin."""

    @Request.application
    def landed(_: Request) -> Response:
        return Response("<!doctype html><title>Landed</title>", mimetype="text/html")

    with serving(lambda _: landed) as url:
        yield f"{url}/callback"


@pytest.fixture(params=["light", "dark"])
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    with chromium.new_context(
        viewport=PHONE, color_scheme=request.param, bypass_csp=False
    ) as context:
        yield context.new_page()


def assert_accessible(page: Page) -> None:
    """axe finds nothing, nothing is wider than the screen, presses are 44 pixels high."""
    results = page.context.browser and Axe().run(page)
    assert results
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    heights = page.eval_on_selector_all(
        "button, a, input:not([type=hidden])", "all => all.map(e => e.offsetHeight)"
    )
    assert min(heights, default=44) >= 44


def test_a_person_signs_in_and_allows_with_the_keyboard_alone(
    idp: Idp, page: Page, callback: str, webapp: Application
) -> None:
    query = urlencode(webapp.request_parameters(redirect_uri=callback, prompt="consent"))
    page.goto(f"{idp.url}/oauth/authorize?{query}")
    assert_accessible(page)
    page.keyboard.type("ana")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Let Web App sign you in?").wait_for()
    assert_accessible(page)
    page.get_by_role("button", name="Allow").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{callback}**")
    assert query_of(page.url)["state"] == "a state"
    code = query_of(page.url)["code"]
    assert webapp.redeem(code, redirect_uri=callback).status_code == 200


def test_a_remembered_consent_goes_straight_from_sign_in_to_the_client(
    idp: Idp, page: Page, callback: str, webapp: Application
) -> None:
    """The whole chain of redirects after the sign-in form leads to another origin."""
    query = urlencode(webapp.request_parameters(redirect_uri=callback, scope="openid"))
    page.goto(f"{idp.url}/oauth/authorize?{query}")
    sign_in(page)
    if page.get_by_role("button", name="Allow").count():
        page.get_by_role("button", name="Allow").click()
        page.context.clear_cookies()
        page.goto(f"{idp.url}/oauth/authorize?{query}")
        sign_in(page)
    page.wait_for_url(f"{callback}**")


@pytest.mark.parametrize(
    "path",
    ["/account", "/sign-out", "/end-session?client_id=webapp", "/nowhere", "/oauth/authorize"],
)
def test_every_other_page_is_accessible(idp: Idp, page: Page, path: str) -> None:
    page.goto(f"{idp.url}/sign-in")
    sign_in(page)
    page.get_by_role("heading", name="Ana Ruiz").wait_for()
    page.goto(f"{idp.url}{path}")
    assert_accessible(page)


def test_a_wrong_password_is_said_aloud(idp: Idp, page: Page) -> None:
    page.goto(f"{idp.url}/sign-in")
    sign_in(page, "wrong")
    page.get_by_role("alert").wait_for()
    assert_accessible(page)


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("User name").fill("ana")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state()
