"""Client authentication (RFC 6749, sections 2.3 and 5.2) and client credentials (4.4)."""

import httpx
import pytest

from deputize_idp import declare_client
from idp.browser import SECRET, Application
from idp.conftest import Idp

GRANT = {"grant_type": "client_credentials"}


def ask(application: Application, **kwargs: object) -> httpx.Response:
    return application.post("/oauth/token", **kwargs)  # type: ignore[arg-type]


class TestMethods:
    """RFC 6749, section 2.3.1."""

    def test_basic(self, job: Application) -> None:
        assert ask(job, data=GRANT, auth=("job", SECRET)).status_code == 200

    def test_post(self, job: Application) -> None:
        answer = ask(job, data=GRANT | {"client_id": "job", "client_secret": SECRET})
        assert answer.status_code == 200

    def test_basic_is_form_encoded(self, idp: Idp, job: Application) -> None:
        secret = "a secret: with %41 + ü and more"
        with idp.app.app_context():
            declare_client("odd:id", client_secret=secret)
        encoded = "a%20secret%3A%20with%20%2541%20%2B%20%C3%BC%20and%20more"
        assert ask(job, data=GRANT, auth=("odd%3Aid", encoded)).status_code == 200

    def test_a_client_keeps_to_its_registered_method(self, idp: Idp, job: Application) -> None:
        with idp.app.app_context():
            declare_client(
                "poster", client_secret=SECRET, token_endpoint_auth_method="client_secret_post"
            )
        by_post = {"client_id": "poster", "client_secret": SECRET}
        assert ask(job, data=GRANT | by_post).status_code == 200
        assert ask(job, data=GRANT, auth=("poster", SECRET)).status_code == 401

    def test_two_methods_at_once_are_refused(self, job: Application) -> None:
        answer = ask(job, data=GRANT | {"client_secret": SECRET}, auth=("job", SECRET))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    def test_two_clients_at_once_are_refused(self, job: Application) -> None:
        answer = ask(job, data=GRANT | {"client_id": "webapp"}, auth=("job", SECRET))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


class TestRefusal:
    """RFC 6749, section 5.2: 401 `invalid_client`, and nothing that tells who exists."""

    @pytest.mark.parametrize(
        "attempt",
        [
            {"auth": ("nobody", SECRET)},
            {"auth": ("job", "wrong" * 6)},
            {"auth": ("job", "")},
            {"auth": ("", "")},
            {"form": {"client_id": "nobody", "client_secret": SECRET}},
            {"form": {"client_id": "job", "client_secret": "wrong" * 6}},
            {"form": {"client_id": "job"}},
            {"form": {"client_id": "nobody"}},
            {"form": {"client_id": "desktop", "client_secret": SECRET}},
            {"form": {}},
            {"headers": {"Authorization": "Basic /w=="}},
            {"headers": {"Authorization": "Basic %%%"}},
            {"headers": {"Authorization": "Basic"}},
            {"headers": {"Authorization": "Bearer something"}},
        ],
    )
    def test_every_failure_gets_the_same_answer(
        self, job: Application, attempt: dict[str, object]
    ) -> None:
        form = attempt.pop("form", {})
        answer = ask(job, data=GRANT | dict(form), **attempt)  # type: ignore[call-overload]
        known = ask(job, data=GRANT, auth=("nobody", "x"))
        assert answer.status_code == 401
        assert answer.json() == known.json()
        assert answer.json()["error"] == "invalid_client"
        assert answer.headers["www-authenticate"].startswith("Basic realm=")
        assert answer.headers["cache-control"] == "no-store"


class TestClientCredentials:
    """RFC 6749, section 4.4."""

    def test_a_client_gets_a_token_for_itself(self, job: Application) -> None:
        token = job.call("/oauth/token", **GRANT, scope="reports").json()
        told = job.call("/oauth/introspect", token=token["access_token"]).json()
        assert token.keys() == {"access_token", "token_type", "expires_in", "scope"}
        assert (told["sub"], told["client_id"], told["scope"]) == ("job", "job", "reports")

    def test_it_has_no_scope_about_a_person(self, job: Application) -> None:
        assert job.call("/oauth/token", **GRANT).json()["scope"] == "reports reports:write"
        answer = job.call("/oauth/token", **GRANT, scope="openid")
        assert answer.json()["error"] == "invalid_scope"

    def test_it_gets_no_more_than_it_has(self, job: Application) -> None:
        answer = job.call("/oauth/token", **GRANT, scope="reports admin")
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")

    def test_an_application_that_signs_people_in_has_not_got_it(self, webapp: Application) -> None:
        answer = webapp.call("/oauth/token", **GRANT)
        assert answer.json()["error"] == "unauthorized_client"

    def test_a_public_client_has_not_got_it(self, desktop: Application) -> None:
        assert desktop.call("/oauth/token", **GRANT).status_code == 401
