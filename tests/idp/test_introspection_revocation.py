"""Introspection (RFC 7662) and revocation (RFC 7009)."""

import pytest

from idp.browser import Application, Browser
from idp.conftest import Idp

INACTIVE = {"active": False}


class TestIntrospection:
    """RFC 7662, section 2."""

    def test_a_service_learns_what_a_token_is_for(
        self, idp: Idp, ana: Browser, webapp: Application, api: Application
    ) -> None:
        tokens = webapp.tokens(ana)
        told = api.call("/oauth/introspect", token=tokens["access_token"]).json()
        assert told["active"] is True
        assert (told["iss"], told["client_id"], told["username"]) == (idp.url, "webapp", "ana")
        assert (told["scope"], told["token_type"]) == ("openid profile", "Bearer")
        assert told["exp"] - told["iat"] == tokens["expires_in"]

    def test_an_application_learns_about_its_own_tokens_alone(
        self, ana: Browser, webapp: Application, other: Application
    ) -> None:
        """RFC 7662, section 4: else tokens could be found by trying."""
        tokens = webapp.tokens(ana)
        for token in (tokens["access_token"], tokens["refresh_token"]):
            assert webapp.is_active(token)
            assert other.call("/oauth/introspect", token=token).json() == INACTIVE

    @pytest.mark.parametrize("hint", ["access_token", "refresh_token", "something"])
    def test_a_wrong_hint_does_not_matter(
        self, ana: Browser, webapp: Application, hint: str
    ) -> None:
        token = webapp.tokens(ana)["access_token"]
        answer = webapp.call("/oauth/introspect", token=token, token_type_hint=hint)
        assert answer.json()["active"] is True

    def test_everything_else_is_just_inactive(
        self, idp: Idp, ana: Browser, webapp: Application, api: Application
    ) -> None:
        expired = webapp.tokens(ana)["access_token"]
        code = webapp.code(ana)
        idp.clock.ahead += 3601
        for token in (expired, code, "unknown", "é", "a" * 5000):
            assert api.call("/oauth/introspect", token=token).json() == INACTIVE
        idp.clock.ahead = 0

    def test_nobody_asks_without_a_secret(self, desktop: Application, webapp: Application) -> None:
        assert desktop.call("/oauth/introspect", token="x").status_code == 401
        assert webapp.post("/oauth/introspect", data={"token": "x"}).status_code == 401

    def test_a_token_is_required(self, api: Application) -> None:
        assert api.call("/oauth/introspect").json()["error"] == "invalid_request"


class TestRevocation:
    """RFC 7009, section 2."""

    def test_an_access_token_ends_alone(self, ana: Browser, webapp: Application) -> None:
        tokens = webapp.tokens(ana)
        answer = webapp.call("/oauth/revoke", token=tokens["access_token"])
        assert answer.status_code == 200
        assert not webapp.is_active(tokens["access_token"])
        assert webapp.refresh(tokens["refresh_token"]).status_code == 200

    def test_a_refresh_token_ends_all_that_came_of_it(
        self, ana: Browser, webapp: Application
    ) -> None:
        tokens = webapp.tokens(ana)
        webapp.call("/oauth/revoke", token=tokens["refresh_token"], token_type_hint="nonsense")
        assert not webapp.is_active(tokens["access_token"])
        assert webapp.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"

    def test_another_client_revokes_nothing_and_learns_nothing(
        self, ana: Browser, webapp: Application, other: Application
    ) -> None:
        tokens = webapp.tokens(ana)
        answers = [
            other.call("/oauth/revoke", token=token)
            for token in (tokens["access_token"], tokens["refresh_token"], "unknown")
        ]
        assert {(answer.status_code, answer.text) for answer in answers} == {(200, "{}")}
        assert webapp.is_active(tokens["access_token"])

    def test_a_public_client_may_give_back_its_own(
        self, ana: Browser, desktop: Application, api: Application
    ) -> None:
        token = desktop.tokens(ana)["access_token"]
        assert desktop.call("/oauth/revoke", token=token).status_code == 200
        assert not api.is_active(token)

    def test_who_does_not_authenticate_revokes_nothing(
        self, ana: Browser, webapp: Application
    ) -> None:
        token = webapp.tokens(ana)["access_token"]
        answer = webapp.post("/oauth/revoke", data={"token": token, "client_id": "webapp"})
        assert answer.status_code == 401
        assert webapp.is_active(token)
