"""The host's people: signing in and out is the host's, and whoever it locks out loses their
agents at the next token.

Its own forms stay protected as they were, and our pages keep their own headers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from hosts.served import Site
from idp.browser import Browser, forms
from support.agents_http import http, outcome, pkce
from support.world import CALENDAR, FLIGHTS, authorize_url

pytestmark = pytest.mark.sqlite_only


@contextmanager
def signed_in(site: Site, person: str) -> Iterator[Browser]:
    """Yield a browser of its own, signed in on the host's page."""
    with Browser(site.url) as browser:
        page = browser.get(site.hosting.sign_in_page)
        assert site.hosting.sign_in(browser, person, page).status_code in (302, 303)
        yield browser


def ask(site: Site, browser: httpx.Client) -> httpx.Response:
    return browser.get(authorize_url(site.metadata, "planner", pkce()[1]))


class TestSigningIn:
    """The person is sent to the host's page, and comes back to what was asked."""

    def test_whoever_signs_in_comes_back_to_the_request(self, site: Site) -> None:
        with Browser(site.url) as browser:
            away = ask(site, browser)
            assert away.status_code == 303
            page = browser.get(away.headers["location"])
            assert page.status_code == 200
            back = site.hosting.sign_in(browser, "ana", page).headers["location"]
            assert urlsplit(urljoin(site.url, back)).path == "/oauth/authorize"
            assert urljoin(site.url, back).startswith(f"{site.url}/")
            assert browser.get(urljoin(site.url, back)).status_code == 200

    @pytest.mark.needs("passwords")
    @pytest.mark.parametrize("typed", ["the password", "nothing"])
    def test_whoever_must_sign_in_anew_is_asked_for_the_password(
        self, site: Site, typed: str
    ) -> None:
        """OpenID Connect Core §3.1.2.1, `prompt=login`: the session that there is will not do."""
        asked = authorize_url(site.metadata, "planner", pkce()[1], prompt="login")
        with signed_in(site, "ana") as browser:
            away = browser.get(asked)
            assert away.status_code == 303
            page = browser.get(away.headers["location"])
            assert 'type="password"' in page.text
            if typed == "nothing":
                assert browser.get(asked).status_code == 303
                return
            back = site.hosting.sign_in(browser, "ana", page)
            assert browser.get(urljoin(site.url, back.headers["location"])).status_code == 200

    @pytest.mark.needs("passwords")
    def test_a_name_that_nobody_has_signs_nobody_in(self, site: Site) -> None:
        with Browser(site.url) as browser:
            page = browser.get(site.hosting.sign_in_page)
            site.hosting.sign_in(browser, "nobody", page)
            assert ask(site, browser).status_code == 303


class TestSigningOut:
    """Afterwards the consent page asks to sign in, and the page of agents too."""

    def test_consent_asks_to_sign_in(self, site: Site) -> None:
        with signed_in(site, "ana") as browser:
            assert ask(site, browser).status_code == 200
            assert browser.get("/deputize/agents").status_code == 200
            assert site.hosting.sign_out(browser).status_code in (200, 302, 303)
            assert ask(site, browser).status_code == 303
            assert browser.get("/deputize/agents").status_code in (302, 303)

    def test_a_page_that_was_open_grants_nothing(self, site: Site) -> None:
        with signed_in(site, "ana") as browser:
            page = ask(site, browser)
            site.hosting.sign_out(browser)
            answer = browser.submit(page, decision="allow")
            assert "code=" not in answer.headers.get("location", "")


@pytest.mark.needs("lockout")
class TestLockedOut:
    """The host's word is asked at each mint."""

    def test_their_agents_get_nothing_more(self, site: Site) -> None:
        planner, booker = site.agent("planner"), site.agent("booker")
        held = site.consent(person="eve").json()
        token, refresh = held["access_token"], held["refresh_token"]
        given = planner.exchange(token, audience="booker", scope="flights:search").json()
        with signed_in(site, "eve") as before:
            assert ask(site, before).status_code == 200

            with site.app.app_context():
                site.hosting.lock_out("eve")

            # Nor can she deputize anyone with the session that she had.
            assert ask(site, before).status_code == 303
        narrowed = planner.exchange(token, resource=CALENDAR)
        taken = booker.exchange(given["access_token"], resource=FLIGHTS)
        again = planner.post("token_endpoint", grant_type="refresh_token", refresh_token=refresh)
        assert outcome(narrowed) == outcome(taken) == (400, "invalid_request")
        assert outcome(again) == (400, "invalid_grant")

    def test_others_notice_nothing(self, site: Site) -> None:
        answer = site.agent("planner").exchange(site.hold(), resource=CALENDAR)
        assert answer.status_code == 200, answer.text


@pytest.mark.needs("csrf")
def test_the_hosts_forms_still_need_their_token(site: Site) -> None:
    """Our programs' endpoints being exempt, its pages are not."""
    with Browser(site.url) as browser:
        (form, *_) = forms(browser.get(site.hosting.sign_in_page))
        assert "csrf_token" in form.fields
        typed = {"username": "ana", "login": "ana", "password": "correct horse battery"}
        refused = browser.post(site.hosting.sign_in_page, data=typed)
        assert refused.status_code in (400, 403), refused.headers
        assert ask(site, browser).status_code == 303


def test_our_pages_keep_their_own_headers(site: Site) -> None:
    """Whatever the host says of its own pages (Flask-Talisman says it of every answer)."""
    browser = site.browser("ana")
    for page in (ask(site, browser), browser.get("/deputize/agents")):
        assert page.headers["x-frame-options"] == "DENY"
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'"), policy
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy


def test_our_stylesheet_is_served(site: Site) -> None:
    page = ask(site, site.browser("ana"))
    (href,) = {part.split('"')[0] for part in page.text.split('rel="stylesheet" href="')[1:2]}
    assert http.get(urljoin(site.url, href)).headers["content-type"].startswith("text/css")
