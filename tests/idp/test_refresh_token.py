"""Refresh tokens: RFC 6749 section 6, rotated as RFC 9700 section 4.14.2 asks."""

from deputize_idp import declare_client, declare_person
from idp.browser import CALLBACK, PASSWORD, SECRET, Application, Browser
from idp.conftest import Idp


def test_each_use_gives_a_new_one(ana: Browser, webapp: Application) -> None:
    first = webapp.tokens(ana)
    second = webapp.refresh(first["refresh_token"])
    assert second.status_code == 200
    assert second.json()["refresh_token"] != first["refresh_token"]
    assert webapp.is_active(second.json()["access_token"])


def test_reuse_ends_the_whole_family(ana: Browser, webapp: Application) -> None:
    first = webapp.tokens(ana)
    second = webapp.refresh(first["refresh_token"]).json()
    assert webapp.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert webapp.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert not webapp.is_active(first["access_token"])
    assert not webapp.is_active(second["access_token"])


def test_other_families_of_the_same_person_go_on(ana: Browser, webapp: Application) -> None:
    stolen, unharmed = webapp.tokens(ana), webapp.tokens(ana)
    webapp.refresh(stolen["refresh_token"])
    webapp.refresh(stolen["refresh_token"])
    assert webapp.refresh(unharmed["refresh_token"]).status_code == 200


def test_another_client_can_neither_use_nor_end_it(
    ana: Browser, webapp: Application, other: Application
) -> None:
    tokens = webapp.tokens(ana)
    assert other.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert webapp.refresh(tokens["refresh_token"]).status_code == 200


def test_scope_may_shrink_and_never_grow(ana: Browser, webapp: Application) -> None:
    tokens = webapp.tokens(ana, scope="openid profile")
    wider = webapp.refresh(tokens["refresh_token"], scope="openid email")
    assert wider.json()["error"] == "invalid_scope"
    narrower = webapp.refresh(tokens["refresh_token"], scope="profile").json()
    assert narrower["scope"] == "profile"
    assert webapp.refresh(narrower["refresh_token"]).json()["scope"] == "openid profile"


def test_it_expires(idp: Idp, ana: Browser, webapp: Application) -> None:
    tokens = webapp.tokens(ana)
    idp.clock.ahead += 30 * 86400 + 1
    assert webapp.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    idp.clock.ahead = 0


def test_a_scope_that_the_client_lost_is_not_given_again(idp: Idp, ana: Browser) -> None:
    with idp.app.app_context():
        declare_client(
            "shrinking",
            redirect_uris=[CALLBACK],
            client_secret=SECRET,
            scopes=["openid", "reports"],
        )
    with Application(idp.url, "shrinking") as client:
        tokens = client.tokens(ana, scope="openid reports")
        with idp.app.app_context():
            declare_client("shrinking", redirect_uris=[CALLBACK], scopes=["openid"])
        assert client.refresh(tokens["refresh_token"]).json()["scope"] == "openid"


def test_a_client_without_scopes_gets_none_that_it_is_given_later(idp: Idp, ana: Browser) -> None:
    with idp.app.app_context():
        declare_client("growing", redirect_uris=[CALLBACK], client_secret=SECRET)
    with Application(idp.url, "growing") as client:
        tokens = client.tokens(ana, scope=None)
        with idp.app.app_context():
            declare_client("growing", redirect_uris=[CALLBACK], scopes=["reports"])
        assert client.refresh(tokens["refresh_token"]).json()["scope"] == ""


def test_a_person_who_left_takes_everything_with_them(idp: Idp, webapp: Application) -> None:
    with idp.app.app_context():
        declare_person("leaver", password=PASSWORD)
    with Browser(idp.url) as browser:
        browser.sign_in("leaver")
        tokens, code = webapp.tokens(browser), webapp.code(browser)
        with idp.app.app_context():
            declare_person("leaver", active=False)
        assert browser.get("/account").status_code == 303
        assert browser.sign_in("leaver").status_code == 400
        assert not webapp.is_active(tokens["access_token"])
        assert webapp.redeem(code).json()["error"] == "invalid_grant"
        with idp.app.app_context():
            declare_person("leaver", active=True)
        assert browser.get("/account").status_code == 303
        assert not webapp.is_active(tokens["access_token"])
        assert webapp.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_retired_client_keeps_nothing(idp: Idp, ana: Browser) -> None:
    declared = {"redirect_uris": [CALLBACK], "scopes": ["openid"]}
    with idp.app.app_context():
        declare_client("retiring", client_secret=SECRET, **declared)
    with Application(idp.url, "retiring") as client:
        tokens = client.tokens(ana, scope="openid")
        with idp.app.app_context():
            declare_client("retiring", active=False, **declared)
        assert client.refresh(tokens["refresh_token"]).status_code == 401
        with idp.app.app_context():
            declare_client("retiring", **declared)
        assert client.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
