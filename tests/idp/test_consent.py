"""The consent page: what is asked, remembered, taken back, and what is never skipped."""

import pytest

from idp.browser import Application, Browser, forms, query_of
from idp.conftest import Idp


@pytest.fixture
def ben(stranger: Browser) -> Browser:
    stranger.sign_in("ben")
    return stranger


def ask(browser: Browser, application: Application, **changes: str) -> str:
    """The consent page, or where the browser is sent instead."""
    answer = browser.get("/oauth/authorize", params=application.request_parameters(**changes))
    return answer.text if answer.status_code == 200 else answer.headers["location"]


def test_it_says_who_asks_what_in_plain_words(ben: Browser, webapp: Application) -> None:
    page = ask(ben, webapp, prompt="consent", scope="openid email reports")
    assert "Let Web App sign you in?" in page
    assert "Know who you are" in page
    assert "See your e-mail address" in page
    assert "Use “reports”" in page
    assert "Ben Ode" in page


def test_no_is_as_easy_and_gives_nothing(ben: Browser, webapp: Application) -> None:
    page = ben.get("/oauth/authorize", params=webapp.request_parameters(prompt="consent"))
    answer = query_of(ben.submit(page, decision="deny").headers["location"])
    assert (answer["error"], answer["state"]) == ("access_denied", "a state")
    assert "code" not in answer


def test_a_press_that_says_neither_is_a_no(ben: Browser, webapp: Application) -> None:
    page = ben.get("/oauth/authorize", params=webapp.request_parameters(prompt="consent"))
    assert "error=access_denied" in ben.submit(page).headers["location"]


def test_it_is_remembered_for_these_scopes_and_this_client(
    ben: Browser, webapp: Application, other: Application
) -> None:
    webapp.code(ben, scope="openid profile")
    assert "code=" in ask(ben, webapp, scope="openid profile")
    assert "code=" in ask(ben, webapp, scope="openid")
    assert "Let Web App" in ask(ben, webapp, scope="openid email")
    assert "Let other" in ask(ben, other, scope="openid")
    assert "Let Web App" in ask(ben, webapp, scope="openid", prompt="consent")


def test_nobody_else_is_bound_by_it(ana: Browser, ben: Browser, webapp: Application) -> None:
    webapp.code(ben, scope="openid groups")
    assert "Let Web App" in ask(ana, webapp, scope="openid groups")


def test_a_public_client_on_the_device_is_always_asked_about(
    ben: Browser, desktop: Application
) -> None:
    """RFC 8252, section 8.6: another program could use its identifier."""
    desktop.code(ben)
    assert "Let desktop" in ask(ben, desktop)
    assert "error=consent_required" in ask(ben, desktop, prompt="none")


def test_taking_it_back_ends_what_it_gave(ben: Browser, webapp: Application) -> None:
    tokens = webapp.tokens(ben)
    page = ben.get("/account")
    assert "Web App" in page.text
    ben.submit(page, client_id="webapp")
    assert "Web App" not in ben.get("/account").text
    assert not webapp.is_active(tokens["access_token"])
    assert "Let Web App" in ask(ben, webapp)


def test_its_form_may_end_at_the_client_and_nowhere_else(
    ben: Browser, desktop: Application, webapp: Application
) -> None:
    """Chromium holds `form-action` against the redirect that follows the form."""
    uri = "http://127.0.0.1:51004/callback"
    page = ben.get("/oauth/authorize", params=desktop.request_parameters(redirect_uri=uri))
    native = ben.get(
        "/oauth/authorize",
        params=desktop.request_parameters(redirect_uri="com.example.desktop:/callback"),
    )
    assert form_action(page.headers) == ["'self'", "http://127.0.0.1:51004"]
    assert form_action(native.headers) == ["'self'", "com.example.desktop:"]
    assert form_action(ben.get("/account").headers) == ["'self'"]


def test_so_may_the_sign_in_form_on_the_way_to_a_client(
    stranger: Browser, webapp: Application
) -> None:
    asked = stranger.get("/oauth/authorize", params=webapp.request_parameters())
    page = stranger.get(asked.headers["location"])
    assert form_action(page.headers) == ["'self'", "http://127.0.0.1"]
    evil = webapp.request_parameters(redirect_uri="https://evil.example/")
    forged = str(
        stranger.build_request("GET", "/oauth/authorize", params=evil).url.raw_path, "ascii"
    )
    page = stranger.get("/sign-in", params={"next": forged})
    assert form_action(page.headers) == ["'self'"]


def test_the_press_is_looked_at_again(idp: Idp, ben: Browser, webapp: Application) -> None:
    """What is in the form's address is a request like any other."""
    page = ben.get("/oauth/authorize", params=webapp.request_parameters(prompt="consent"))
    form = forms(page)[0]
    evil = form.action.replace("127.0.0.1%2Fcallback", "evil.example%2Fcallback")
    assert evil != form.action
    answer = ben.post(evil, data=form.fields | {"decision": "allow"})
    assert answer.status_code == 400
    assert "location" not in answer.headers


def form_action(headers: object) -> list[str]:
    policy = headers["content-security-policy"]  # type: ignore[index]
    return next(part.split()[1:] for part in policy.split("; ") if part.startswith("form-action"))
