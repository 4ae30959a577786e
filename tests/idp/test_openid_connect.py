"""OpenID Connect Core: the ID token, userinfo, `prompt` and `max_age`."""

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet

from idp.browser import PASSWORD, Application, Browser, query_of
from idp.conftest import Idp


def keys(idp: Idp) -> KeySet:
    return KeySet.import_key_set(httpx.get(f"{idp.url}/oauth/jwks").json())


class TestIdToken:
    """Section 2."""

    def test_it_says_who_when_and_how(self, idp: Idp, ana: Browser, webapp: Application) -> None:
        token = jwt.decode(webapp.tokens(ana)["id_token"], keys(idp), algorithms=["RS256"])
        claims = token.claims
        assert token.header["typ"] == "JWT"
        assert (claims["iss"], claims["aud"]) == (idp.url, "webapp")
        assert (claims["nonce"], claims["amr"]) == ("a nonce", ["pwd"])
        assert claims["acr"] == "urn:deputize:acr:pwd"
        assert claims["auth_time"] <= claims["iat"] < claims["exp"]
        assert claims["sub"].startswith("p-")
        assert claims["at_hash"]

    def test_a_refreshed_one_keeps_the_time_of_sign_in(
        self, idp: Idp, ana: Browser, webapp: Application
    ) -> None:
        """Section 12.2."""
        first = webapp.tokens(ana)
        idp.clock.ahead += 600
        second = webapp.refresh(first["refresh_token"]).json()
        before = jwt.decode(first["id_token"], keys(idp), algorithms=["RS256"]).claims
        after = jwt.decode(second["id_token"], keys(idp), algorithms=["RS256"]).claims
        assert after["auth_time"] == before["auth_time"]
        assert after["iat"] >= before["iat"] + 600
        assert after["sub"] == before["sub"]
        assert "nonce" not in after

    def test_without_openid_there_is_none(self, ana: Browser, webapp: Application) -> None:
        assert "id_token" not in webapp.tokens(ana, scope="profile")


class TestUserinfo:
    """Section 5.3."""

    def test_each_scope_gives_its_claims(self, ana: Browser, webapp: Application) -> None:
        every = self.ask(webapp, webapp.tokens(ana, scope="openid profile email groups"))
        some = self.ask(webapp, webapp.tokens(ana, scope="openid email"))
        assert every.json().keys() == {"sub", "name", "preferred_username", "email", "groups"}
        assert (every.json()["name"], every.json()["groups"]) == ("Ana Ruiz", ["finance"])
        assert some.json().keys() == {"sub", "email"}

    def test_a_token_without_openid_is_not_enough(self, ana: Browser, webapp: Application) -> None:
        answer = self.ask(webapp, webapp.tokens(ana, scope="profile"))
        assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")

    def test_a_token_that_ended_is_refused(
        self, idp: Idp, ana: Browser, webapp: Application
    ) -> None:
        tokens = webapp.tokens(ana)
        idp.clock.ahead += 3601
        answer = self.ask(webapp, tokens)
        idp.clock.ahead = 0
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]

    def test_without_a_token_it_says_how(self, webapp: Application) -> None:
        """RFC 6750, section 3.1: no error code where no token was tried."""
        for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}):
            answer = webapp.get("/oauth/userinfo", headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == 'Bearer realm="identity provider"'

    def test_a_token_in_the_url_is_not_looked_at(self, ana: Browser, webapp: Application) -> None:
        token = webapp.tokens(ana)["access_token"]
        answer = webapp.get("/oauth/userinfo", params={"access_token": token})
        assert answer.status_code == 401

    @staticmethod
    def ask(application: Application, tokens: dict[str, str]) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        return application.post("/oauth/userinfo", headers=bearer)


class TestPrompt:
    """Section 3.1.2.1."""

    def test_none_never_shows_a_page(self, stranger: Browser, webapp: Application) -> None:
        quiet = webapp.request_parameters(prompt="none", scope="openid groups")
        assert self.error(stranger, quiet) == "login_required"
        stranger.sign_in("ben")
        assert self.error(stranger, quiet) == "consent_required"
        webapp.code(stranger, scope="openid groups")
        answer = stranger.get("/oauth/authorize", params=quiet)
        assert "code" in query_of(answer.headers["location"])

    def test_login_asks_for_the_password_once(self, idp: Idp, webapp: Application) -> None:
        with Browser(idp.url) as browser:
            browser.sign_in()
            again = webapp.request_parameters(prompt="login", state="for login")
            self.assert_asked_once(browser, again)

    def test_max_age_asks_again_when_it_is_long_ago(self, idp: Idp, webapp: Application) -> None:
        with Browser(idp.url) as browser:
            browser.sign_in()
            recent = webapp.request_parameters(max_age="300")
            assert "sign-in" not in browser.get("/oauth/authorize", params=recent).text
            idp.clock.ahead += 400
            self.assert_asked_once(browser, recent)

    def test_max_age_zero_asks_and_then_goes_on(self, idp: Idp, webapp: Application) -> None:
        with Browser(idp.url) as browser:
            browser.sign_in()
            idp.clock.ahead += 10
            self.assert_asked_once(browser, webapp.request_parameters(max_age="0"), slowly=idp)

    @staticmethod
    def error(browser: Browser, parameters: dict[str, str]) -> str:
        return query_of(browser.get("/oauth/authorize", params=parameters).headers["location"])[
            "error"
        ]

    @staticmethod
    def assert_asked_once(
        browser: Browser, parameters: dict[str, str], slowly: Idp | None = None
    ) -> None:
        asked = browser.get("/oauth/authorize", params=parameters)
        assert asked.headers["location"].startswith("/sign-in?")
        page = browser.get(asked.headers["location"])
        back = browser.submit(page, username="ana", password=PASSWORD)
        if slowly:
            slowly.clock.ahead += 30
        consent = browser.get(back.headers["location"])
        answer = browser.allow(consent) if consent.status_code == 200 else consent
        assert "code" in query_of(answer.headers["location"])
        # The sign-in was for that request; the same request once more asks once more.
        if "max_age" not in parameters or slowly:
            once_more = browser.get("/oauth/authorize", params=parameters)
            assert once_more.headers["location"].startswith("/sign-in?")
