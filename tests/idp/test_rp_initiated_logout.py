"""OpenID Connect RP-Initiated Logout 1.0, by section."""

import json
from base64 import urlsafe_b64encode
from pathlib import Path

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from deputize_idp import Settings, create_app, declare_client
from deputize_idp.clients import find_client
from deputize_idp.keys import retire_signing_key
from idp.browser import CALLBACK, PASSWORD, SECRET, SIGNED_OUT, Application, Browser, forms
from idp.conftest import Idp

QUESTION = "Sign out?"
BACK = f"{SIGNED_OUT}&state=a+state"


@pytest.fixture
def ben(stranger: Browser) -> Browser:
    """Ben's browser, signed in for this test alone."""
    stranger.sign_in("ben")
    return stranger


def asked(browser: Browser, **parameters: str | None) -> httpx.Response:
    """A logout request that names where to go on to; None takes a parameter away."""
    sound = {"post_logout_redirect_uri": SIGNED_OUT, "state": "a state"} | parameters
    kept = {name: value for name, value in sound.items() if value is not None}
    return browser.get("/end-session", params=kept)


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


class TestRequest:
    """Section 2."""

    def test_an_id_token_of_this_sign_in_signs_out_at_once(
        self, ben: Browser, webapp: Application
    ) -> None:
        answer = asked(ben, id_token_hint=webapp.tokens(ben)["id_token"])
        assert (answer.status_code, answer.headers["location"]) == (303, BACK)
        assert not is_signed_in(ben)

    def test_so_does_one_that_has_expired(
        self, idp: Idp, ben: Browser, webapp: Application
    ) -> None:
        hint = webapp.tokens(ben)["id_token"]
        idp.clock.ahead += 3601
        answer = asked(ben, id_token_hint=hint)
        idp.clock.ahead = 0
        assert answer.headers["location"] == BACK
        assert not is_signed_in(ben)

    def test_without_one_the_person_is_asked(self, ben: Browser) -> None:
        page = asked(ben, client_id="webapp")
        assert QUESTION in page.text
        assert "Web App" in page.text
        assert is_signed_in(ben)
        answer = ben.submit(page)
        assert (answer.status_code, answer.headers["location"]) == (303, BACK)
        assert not is_signed_in(ben)

    def test_without_anything_the_person_is_asked_and_stays_here(self, ben: Browser) -> None:
        page = ben.get("/end-session")
        assert QUESTION in page.text
        assert "You are signed out" in ben.submit(page).text
        assert not is_signed_in(ben)

    def test_somebody_elses_id_token_does_not_sign_out_unasked(
        self, ana: Browser, ben: Browser, webapp: Application
    ) -> None:
        page = asked(ben, id_token_hint=webapp.tokens(ana)["id_token"])
        assert QUESTION in page.text
        assert is_signed_in(ben)

    def test_one_of_an_earlier_sign_in_does_not_sign_out_unasked(
        self, idp: Idp, ben: Browser, webapp: Application
    ) -> None:
        earlier = webapp.tokens(ben)["id_token"]
        idp.clock.ahead += 5
        ben.sign_in("ben")
        page = asked(ben, id_token_hint=earlier)
        idp.clock.ahead = 0
        assert QUESTION in page.text
        assert is_signed_in(ben)

    def test_a_client_id_must_be_the_id_tokens(self, ben: Browser, webapp: Application) -> None:
        answer = asked(ben, id_token_hint=webapp.tokens(ben)["id_token"], client_id="other")
        assert_refused(answer)
        assert is_signed_in(ben)

    def test_a_post_is_the_same(self, ben: Browser, webapp: Application) -> None:
        hint = {"id_token_hint": webapp.tokens(ben)["id_token"], "ui_locales": "fr de"}
        as_get = ben.post("/end-session", data=hint)
        assert as_get.status_code == 303
        assert is_signed_in(ben)
        assert "You are signed out" in ben.get(as_get.headers["location"]).text
        assert not is_signed_in(ben)

    def test_a_post_from_elsewhere_has_no_cookie_to_act_on(self, ben: Browser) -> None:
        assert "SameSite=Lax" in ben.sign_in("ben").headers["set-cookie"]

    def test_what_other_parameters_say_changes_nothing(self, ben: Browser) -> None:
        page = asked(ben, client_id="webapp", ui_locales="xx", logout_hint="ana", other="x")
        assert QUESTION in page.text

    def test_every_copy_of_the_cookie_is_signed_out(
        self, idp: Idp, ben: Browser, webapp: Application
    ) -> None:
        with Browser(idp.url) as copy:
            copy.cookies.update(ben.cookies)
            assert is_signed_in(copy)
            asked(ben, id_token_hint=webapp.tokens(ben)["id_token"])
            assert not is_signed_in(copy)

    def test_a_repeated_parameter_is_refused(self, ben: Browser) -> None:
        assert_refused(ben.get("/end-session?client_id=webapp&client_id=other"))


class TestDiscovery:
    """Section 2.1."""

    def test_the_endpoint_is_named(self, idp: Idp) -> None:
        document = httpx.get(f"{idp.url}/.well-known/openid-configuration").json()
        assert document["end_session_endpoint"] == f"{idp.url}/end-session"


class TestRedirection:
    """Section 3: to a registered URI, or nowhere."""

    @pytest.mark.parametrize(
        "uri",
        [
            "https://evil.example/",
            CALLBACK,
            SIGNED_OUT + "&more=1",
            SIGNED_OUT + "/",
            SIGNED_OUT.replace("https", "http"),
            SIGNED_OUT.replace("app.example", "app.example:444"),
            SIGNED_OUT.replace("app.example", "app.example@evil.example"),
            SIGNED_OUT.upper(),
            "//app.example/signed-out?from=idp",
            "javascript:alert(1)",
        ],
    )
    def test_no_other_uri_is_gone_to(self, ben: Browser, webapp: Application, uri: str) -> None:
        hint = webapp.tokens(ben)["id_token"]
        for said in ({"id_token_hint": hint}, {"client_id": "webapp"}):
            answer = asked(ben, post_logout_redirect_uri=uri, **said)
            assert_refused(answer)
            assert is_signed_in(ben)

    def test_nor_does_the_yes_to_a_changed_request_lead_there(self, ben: Browser) -> None:
        page = asked(ben, client_id="webapp")
        form = forms(page)[0]
        changed = form.action.replace("app.example", "evil.example")
        assert changed != form.action
        assert_refused(ben.post(changed, data=form.fields))
        assert is_signed_in(ben)

    def test_the_port_matters_on_loopback_too(self, idp: Idp, ben: Browser) -> None:
        with idp.app.app_context():
            declare_client(
                "local",
                client_secret=SECRET,
                post_logout_redirect_uris=["http://127.0.0.1:8080/out"],
            )
        there = {"client_id": "local", "post_logout_redirect_uri": "http://127.0.0.1:8080/out"}
        assert QUESTION in asked(ben, **there).text
        there["post_logout_redirect_uri"] = "http://127.0.0.1:8081/out"
        assert_refused(asked(ben, **there))

    def test_a_uri_needs_a_client(self, ben: Browser) -> None:
        assert_refused(asked(ben))

    def test_another_clients_uri_is_none_of_ones_own(self, ben: Browser) -> None:
        assert_refused(asked(ben, client_id="other"))

    def test_without_state_none_is_sent(self, ben: Browser, webapp: Application) -> None:
        answer = asked(ben, id_token_hint=webapp.tokens(ben)["id_token"], state=None)
        assert answer.headers["location"] == SIGNED_OUT

    def test_nobody_signed_in_goes_on_by_an_id_token(
        self, ana: Browser, stranger: Browser, webapp: Application
    ) -> None:
        answer = asked(stranger, id_token_hint=webapp.tokens(ana)["id_token"])
        assert answer.headers["location"] == BACK

    def test_nobody_signed_in_goes_on_by_a_press_without_one(self, stranger: Browser) -> None:
        """Anybody can write a link with a `client_id`; it redirects nobody by itself."""
        page = asked(stranger, client_id="webapp")
        assert page.status_code == 200
        assert "Go on to Web App" in page.text

    def test_the_form_may_end_at_the_clients_origin_and_no_other(self, ben: Browser) -> None:
        policy = asked(ben, client_id="webapp").headers["content-security-policy"]
        assert policy.endswith("form-action 'self' https://app.example")
        assert ben.get("/end-session").headers["content-security-policy"].endswith("'self'")

    def test_the_registered_uri_is_declared_with_the_client(self, idp: Idp) -> None:
        """Section 3.1: `post_logout_redirect_uris`."""
        with idp.app.app_context():
            client = find_client("webapp")
            assert client
            assert client.post_logout_redirect_uris == [SIGNED_OUT]


class TestValidation:
    """Section 4: what failed is not used, and the answer is a page."""

    @pytest.mark.parametrize("token", ["x", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30."])
    def test_what_is_no_id_token(self, ben: Browser, token: str) -> None:
        assert_refused(asked(ben, id_token_hint=token))
        assert is_signed_in(ben)

    def test_one_that_was_changed(self, ben: Browser, webapp: Application) -> None:
        header, _, signature = webapp.tokens(ben)["id_token"].split(".")
        _, other, _ = webapp.tokens(ben, nonce="another")["id_token"].split(".")
        assert_refused(asked(ben, id_token_hint=f"{header}.{other}.{signature}"))

    def test_one_signed_by_somebody_else_under_our_kid(
        self, idp: Idp, ben: Browser, webapp: Application
    ) -> None:
        (kid, *_) = [key["kid"] for key in httpx.get(f"{idp.url}/oauth/jwks").json()["keys"]]
        claims = {"iss": idp.url, "sub": "p-1", "aud": "webapp", "auth_time": 1}
        header = {"alg": "RS256", "kid": kid, "typ": "JWT"}
        forged = jwt.encode(header, claims, RSAKey.generate_key(2048))
        assert_refused(asked(ben, id_token_hint=forged))

    def test_an_access_token_is_none(self, ben: Browser, webapp: Application) -> None:
        assert_refused(asked(ben, id_token_hint=webapp.tokens(ben)["access_token"]))

    def test_one_of_a_retired_key(self, idp: Idp, ben: Browser, webapp: Application) -> None:
        hint = webapp.tokens(ben)["id_token"]
        kid = httpx.get(f"{idp.url}/oauth/jwks").json()["keys"][-1]["kid"]
        with idp.app.app_context():
            retire_signing_key(kid)
        assert_refused(asked(ben, id_token_hint=hint))
        assert is_signed_in(ben)

    @pytest.mark.parametrize("kid", ["a\0b", "\ud800", "x" * 5000, 7, None, ["x"], {}])
    def test_one_of_a_kid_that_can_not_be(
        self, database_url: str, tmp_path: Path, kid: object
    ) -> None:
        settings = Settings(issuer="https://id.example", data=tmp_path, database_url=database_url)
        header = urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": kid}).encode()).decode()
        token = f"{header.rstrip('=')}.e30.eA"
        visitor = create_app(settings).test_client()
        assert visitor.get("/end-session", query_string={"id_token_hint": token}).status_code == 400

    def test_an_unknown_client(self, ben: Browser) -> None:
        assert_refused(ben.get("/end-session", params={"client_id": "nobody"}))

    def test_a_client_that_is_no_longer(self, idp: Idp, ben: Browser, webapp: Application) -> None:
        with idp.app.app_context():
            redirects = {"redirect_uris": [CALLBACK], "post_logout_redirect_uris": [SIGNED_OUT]}
            declare_client("leaving", client_secret=SECRET, scopes=["openid"], **redirects)
            with Application(idp.url, "leaving") as leaving:
                hint = leaving.tokens(ben, scope="openid")["id_token"]
            declare_client("leaving", active=False, **redirects)
        assert_refused(asked(ben, id_token_hint=hint))

    def test_a_question_left_open_is_no_yes_for_who_signs_in_next(self, ben: Browser) -> None:
        page = asked(ben, client_id="webapp")
        ben.sign_in("ana", PASSWORD)
        assert ben.submit(page).status_code == 400
        assert is_signed_in(ben)


def assert_refused(answer: httpx.Response) -> None:
    """A page for the person; nobody is sent anywhere."""
    assert answer.status_code == 400, answer.headers.get("location")
    assert "This did not work" in answer.text
    assert "location" not in answer.headers
