"""OpenID Connect Core, section 3.1.2.1: each parameter of the authentication request that
`test_openid_connect` does not have.
"""

from collections.abc import Iterator

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from idp.browser import PASSWORD, Application, Browser, forms, query_of
from idp.conftest import Idp


@pytest.fixture(autouse=True)
def real_time(idp: Idp) -> Iterator[None]:
    yield
    idp.clock.ahead = 0


def asked(browser: Browser, webapp: Application, **parameters: str) -> str:
    """Where the endpoint sends the browser."""
    answer = browser.get("/oauth/authorize", params=webapp.request_parameters(**parameters))
    return str(answer.headers["location"])


def error_of(location: str) -> str:
    return query_of(location)["error"]


class TestIdTokenHint:
    def test_of_who_is_signed_in_it_changes_nothing(
        self, ana: Browser, webapp: Application
    ) -> None:
        hint = webapp.tokens(ana)["id_token"]
        assert "code" in query_of(asked(ana, webapp, prompt="none", id_token_hint=hint))

    def test_an_expired_one_still_says_who(
        self, idp: Idp, ana: Browser, webapp: Application
    ) -> None:
        hint = webapp.tokens(ana)["id_token"]
        idp.clock.ahead += 3601
        assert "code" in query_of(asked(ana, webapp, prompt="none", id_token_hint=hint))

    def test_of_somebody_else_nobody_is_answered_for(
        self, ana: Browser, stranger: Browser, webapp: Application
    ) -> None:
        hint = webapp.tokens(ana)["id_token"]
        stranger.sign_in("ben")
        webapp.code(stranger)
        location = asked(stranger, webapp, prompt="none", id_token_hint=hint)
        assert error_of(location) == "login_required"

    def test_whoever_is_meant_can_sign_in_instead(
        self, ana: Browser, stranger: Browser, webapp: Application
    ) -> None:
        hint = webapp.tokens(ana)["id_token"]
        stranger.sign_in("ben")
        page = stranger.get(asked(stranger, webapp, id_token_hint=hint))
        back = stranger.submit(page, username="ana", password=PASSWORD).headers["location"]
        assert "code" in query_of(stranger.get(back).headers["location"])

    def test_who_comes_back_as_another_is_not_asked_for_ever(
        self, ana: Browser, stranger: Browser, webapp: Application
    ) -> None:
        hint = webapp.tokens(ana)["id_token"]
        page = stranger.get(asked(stranger, webapp, id_token_hint=hint))
        back = stranger.submit(page, username="ben", password=PASSWORD).headers["location"]
        assert error_of(stranger.get(back).headers["location"]) == "login_required"


class TestMaxAge:
    def test_prompt_none_can_not_sign_in_again(
        self, idp: Idp, stranger: Browser, webapp: Application
    ) -> None:
        stranger.sign_in()
        webapp.code(stranger)
        idp.clock.ahead += 400
        assert error_of(asked(stranger, webapp, prompt="none", max_age="300")) == "login_required"

    def test_a_request_that_was_left_lying_asks_again(
        self, idp: Idp, stranger: Browser, webapp: Application
    ) -> None:
        """The sign-in was for this very request, and is no longer fresh."""
        fresh = {"max_age": "60", "prompt": "consent"}
        page = stranger.get(asked(stranger, webapp, **fresh))
        back = stranger.submit(page, username="ana", password=PASSWORD).headers["location"]
        idp.clock.ahead += 120
        consent = stranger.get(back)
        assert consent.status_code == 200
        idp.clock.ahead += 600
        assert stranger.get(back).headers["location"].startswith("/sign-in?")
        assert stranger.allow(consent).headers["location"].startswith("/sign-in?")

    def test_the_id_token_says_when(self, idp: Idp, stranger: Browser, webapp: Application) -> None:
        stranger.sign_in()
        idp.clock.ahead += 100
        token = webapp.tokens(stranger, max_age="300")["id_token"]
        keys = KeySet.import_key_set(webapp.get("/oauth/jwks").json())
        claims = jwt.decode(token, keys, algorithms=["RS256"]).claims
        assert 95 <= claims["iat"] - claims["auth_time"] <= 110


class TestPrompt:
    @pytest.mark.parametrize("prompt", ["login", "select_account", "login consent"])
    def test_who_is_signed_in_is_asked_who_they_are(
        self, ana: Browser, webapp: Application, prompt: str
    ) -> None:
        assert asked(ana, webapp, prompt=prompt).startswith("/sign-in?")

    def test_another_account_can_be_chosen(self, stranger: Browser, webapp: Application) -> None:
        stranger.sign_in("ana")
        page = stranger.get(asked(stranger, webapp, prompt="select_account"))
        stranger.submit(page, username="ben", password=PASSWORD)
        assert "Ben Ode" in stranger.get("/account").text

    def test_a_sign_in_that_was_left_lying_counts_for_nothing(
        self, idp: Idp, stranger: Browser, webapp: Application
    ) -> None:
        page = stranger.get(asked(stranger, webapp, prompt="login consent"))
        back = stranger.submit(page, username="ana", password=PASSWORD).headers["location"]
        assert stranger.get(back).status_code == 200
        idp.clock.ahead += 601
        assert stranger.get(back).headers["location"].startswith("/sign-in?")

    def test_consent_is_asked_again(self, ana: Browser, webapp: Application) -> None:
        webapp.code(ana)
        parameters = webapp.request_parameters(prompt="consent")
        page = ana.get("/oauth/authorize", params=parameters)
        assert "Let Web App sign you in?" in page.text

    def test_values_are_case_sensitive(self, ana: Browser, webapp: Application) -> None:
        assert error_of(asked(ana, webapp, prompt="None")) == "invalid_request"


class TestOtherParameters:
    def test_a_login_hint_is_typed_already(self, stranger: Browser, webapp: Application) -> None:
        page = stranger.get(asked(stranger, webapp, login_hint='ana"><b>'))
        assert forms(page)[0].fields["username"] == 'ana"><b>'
        assert "<b>" not in page.text

    def test_what_may_be_ignored_is_no_error(self, ana: Browser, webapp: Application) -> None:
        """`display`, `ui_locales`, `acr_values`, `claims` (sections 3.1.2.1, 5.5, 15.1)."""
        webapp.code(ana)
        ignored = {"display": "touch", "ui_locales": "xx fr-CA", "acr_values": "urn:a urn:b"}
        location = asked(ana, webapp, claims="{}", claims_locales="de", **ignored)
        assert "code" in query_of(location)

    def test_by_post_as_well(self, ana: Browser, webapp: Application) -> None:
        webapp.code(ana)
        posted = ana.post("/oauth/authorize", data=webapp.request_parameters())
        assert posted.status_code == 303
        assert "code" in query_of(ana.get(posted.headers["location"]).headers["location"])
