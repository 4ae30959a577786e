"""The authorization code grant: RFC 6749 section 4.1, PKCE (RFC 7636), RFC 9207, RFC 9700."""

import pytest
from authlib.integrations.requests_client import OAuth2Session

from idp.browser import CALLBACK, SECRET, Application, Browser, query_of
from idp.conftest import Idp


class TestAuthorizationRequest:
    """RFC 6749, section 4.1.1."""

    def test_an_ordinary_client_library_gets_a_token(self, idp: Idp, ana: Browser) -> None:
        client = OAuth2Session(
            "webapp", SECRET, redirect_uri=CALLBACK, scope="openid", code_challenge_method="S256"
        )
        url, _ = client.create_authorization_url(
            f"{idp.url}/oauth/authorize", code_verifier="v" * 43
        )
        landed = ana.allow(ana.get(url)).headers["location"]
        insecure = landed.replace("http://", "https://", 1)
        token = client.fetch_token(
            f"{idp.url}/oauth/token", authorization_response=insecure, code_verifier="v" * 43
        )
        assert token["token_type"] == "Bearer"
        assert token["scope"] == "openid"

    def test_state_and_issuer_come_back_with_the_code(
        self, idp: Idp, ana: Browser, webapp: Application
    ) -> None:
        page = ana.get("/oauth/authorize", params=webapp.request_parameters(prompt="consent"))
        answer = query_of(ana.allow(page).headers["location"])
        assert answer.keys() == {"code", "state", "iss"}
        assert (answer["state"], answer["iss"]) == ("a state", idp.url)

    def test_it_may_come_as_a_form(self, ana: Browser, webapp: Application) -> None:
        """OpenID Connect Core, section 3.1.2.1."""
        answer = ana.post("/oauth/authorize", data=webapp.request_parameters(prompt="consent"))
        page = ana.get(answer.headers["location"])
        assert "code" in query_of(ana.allow(page).headers["location"])

    @pytest.mark.parametrize(
        "changes",
        [
            {"client_id": "nobody"},
            {"client_id": None},
            {"redirect_uri": "https://evil.example/callback"},
            {"redirect_uri": CALLBACK + "/more"},
            {"redirect_uri": CALLBACK + "?a=b"},
            {"redirect_uri": "http://127.0.0.1:80@evil.example/callback"},
            {"redirect_uri": "http://127.0.0.1.evil.example/callback"},
            {"redirect_uri": "http://localhost/callback"},
            {"redirect_uri": "javascript:alert(1)"},
            {"redirect_uri": 'http://127.0.0.1/callback"'},
        ],
    )
    def test_nobody_is_sent_to_a_place_that_is_not_registered(
        self, ana: Browser, webapp: Application, changes: dict[str, str | None]
    ) -> None:
        """RFC 6749, section 4.1.2.1: "MUST NOT automatically redirect"."""
        answer = ana.get("/oauth/authorize", params=webapp.request_parameters(**changes))
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "Nothing was granted." in answer.text

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": "code id_token"}, "unsupported_response_type"),
            ({"response_type": None}, "invalid_request"),
            ({"scope": "openid everything"}, "invalid_scope"),
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"response_mode": "fragment"}, "invalid_request"),
            ({"request": "a.b.c"}, "request_not_supported"),
            ({"request_uri": "https://evil.example/"}, "request_uri_not_supported"),
            ({"prompt": "none login"}, "invalid_request"),
            ({"prompt": "often"}, "invalid_request"),
            ({"registration": "{}"}, "registration_not_supported"),
            ({"id_token_hint": "no.id.token"}, "invalid_request"),
            ({"max_age": "-1"}, "invalid_request"),
            ({"max_age": "9" * 5000}, "invalid_request"),
        ],
    )
    def test_other_errors_go_back_to_the_client(
        self, idp: Idp, ana: Browser, webapp: Application, changes: dict[str, str], error: str
    ) -> None:
        location = ana.get("/oauth/authorize", params=webapp.request_parameters(**changes)).headers[
            "location"
        ]
        answer = query_of(location)
        assert location.startswith(CALLBACK + "?")
        assert (answer["error"], answer["state"], answer["iss"]) == (error, "a state", idp.url)

    def test_a_client_without_redirect_uri_signs_nobody_in(
        self, ana: Browser, job: Application
    ) -> None:
        answer = ana.get("/oauth/authorize", params=job.request_parameters())
        assert answer.status_code == 400

    def test_a_parameter_twice_is_refused(self, ana: Browser, webapp: Application) -> None:
        twice = [*webapp.request_parameters().items(), ("scope", "openid")]
        assert ana.get("/oauth/authorize", params=twice).status_code == 400

    def test_without_scope_it_is_for_all_that_the_client_may_have(
        self, ana: Browser, webapp: Application
    ) -> None:
        tokens = webapp.tokens(ana, scope=None)
        assert tokens["scope"] == "openid profile email groups reports"

    def test_programs_get_errors_as_json(self, webapp: Application) -> None:
        answer = webapp.get(
            "/oauth/authorize", params=webapp.request_parameters(client_id="nobody")
        )
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_client"


class TestRedirectUri:
    """RFC 8252, sections 7.1 and 7.3."""

    def test_the_port_on_loopback_may_differ(self, ana: Browser, desktop: Application) -> None:
        uri = "http://127.0.0.1:51004/callback"
        code = desktop.code(ana, redirect_uri=uri)
        assert desktop.redeem(code, redirect_uri=uri).status_code == 200

    def test_a_private_use_scheme_works(self, ana: Browser, desktop: Application) -> None:
        uri = "com.example.desktop:/callback"
        code = desktop.code(ana, redirect_uri=uri)
        assert desktop.redeem(code, redirect_uri=uri).status_code == 200

    def test_it_may_be_left_out_if_there_is_one(self, ana: Browser, webapp: Application) -> None:
        code = webapp.code(ana, redirect_uri=None, scope="profile")
        assert webapp.redeem(code, redirect_uri=None).status_code == 200

    def test_openid_connect_requires_it(self, ana: Browser, webapp: Application) -> None:
        """OpenID Connect Core, section 3.1.2.1."""
        asked = webapp.request_parameters(redirect_uri=None)
        answer = ana.get("/oauth/authorize", params=asked)
        assert query_of(answer.headers["location"])["error"] == "invalid_request"

    def test_it_may_not_be_left_out_if_there_are_two(
        self, ana: Browser, desktop: Application
    ) -> None:
        parameters = desktop.request_parameters(redirect_uri=None)
        assert ana.get("/oauth/authorize", params=parameters).status_code == 400


class TestTokenRequest:
    """RFC 6749, sections 4.1.3 and 4.1.4."""

    def test_the_answer_is_complete_and_not_stored(self, ana: Browser, webapp: Application) -> None:
        answer = webapp.redeem(webapp.code(ana))
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json().keys() == {
            "access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"code": "wrong"}, "invalid_grant"),
            ({"code": None}, "invalid_request"),
            ({"redirect_uri": CALLBACK + "2"}, "invalid_grant"),
            ({"redirect_uri": None}, "invalid_grant"),
            ({"code_verifier": "v" * 43}, "invalid_grant"),
            ({"code_verifier": "short"}, "invalid_request"),
            ({"code_verifier": None}, "invalid_request"),
        ],
    )
    def test_what_does_not_fit_the_code_is_refused(
        self, ana: Browser, webapp: Application, changes: dict[str, str | None], error: str
    ) -> None:
        answer = webapp.redeem(webapp.code(ana), **changes)
        assert (answer.status_code, answer.json()["error"]) == (400, error)
        assert answer.headers["cache-control"] == "no-store"

    def test_another_client_can_neither_use_nor_burn_a_code(
        self, ana: Browser, webapp: Application, other: Application
    ) -> None:
        code = webapp.code(ana)
        stolen = other.redeem(code, code_verifier=webapp.verifier)
        assert stolen.json()["error"] == "invalid_grant"
        assert webapp.redeem(code).status_code == 200

    def test_a_second_redemption_ends_what_the_first_gave(
        self, ana: Browser, webapp: Application
    ) -> None:
        """RFC 6749, section 4.1.2."""
        code = webapp.code(ana)
        first = webapp.redeem(code).json()
        assert webapp.is_active(first["access_token"])
        assert webapp.redeem(code).json()["error"] == "invalid_grant"
        assert not webapp.is_active(first["access_token"])
        assert webapp.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"

    def test_a_replay_without_the_verifier_ends_nothing(
        self, ana: Browser, webapp: Application
    ) -> None:
        """Else whoever reads a code in a log could sign people out of the application."""
        code = webapp.code(ana)
        first = webapp.redeem(code).json()
        assert webapp.redeem(code, code_verifier="v" * 43).json()["error"] == "invalid_grant"
        assert webapp.is_active(first["access_token"])

    def test_a_code_expires(self, idp: Idp, ana: Browser, webapp: Application) -> None:
        code = webapp.code(ana)
        idp.clock.ahead += 61
        assert webapp.redeem(code).json()["error"] == "invalid_grant"

    def test_a_public_client_needs_the_verifier_and_nothing_else(
        self, ana: Browser, desktop: Application
    ) -> None:
        assert desktop.redeem(desktop.code(ana)).status_code == 200
        assert desktop.redeem(desktop.code(ana), code_verifier=None).status_code == 400

    def test_a_client_without_the_grant_is_told_so(
        self, ana: Browser, webapp: Application, job: Application
    ) -> None:
        assert job.redeem(webapp.code(ana)).json()["error"] == "unauthorized_client"

    def test_an_unknown_grant_is_told_so(self, webapp: Application) -> None:
        for grant in ("password", 'a"b\\', "urn:ietf:params:oauth:grant-type:token-exchange"):
            answer = webapp.call("/oauth/token", grant_type=grant)
            assert answer.status_code == 400
            assert answer.json()["error"] in {"unsupported_grant_type", "invalid_request"}
