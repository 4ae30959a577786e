"""Signing in and out: passwords, CSRF, where to go next, sessions, guessing."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from deputize_idp import declare_person
from idp.browser import PASSWORD, Application, Browser, forms
from idp.conftest import Idp


class TestPassword:
    def test_the_right_one_opens_the_account(self, stranger: Browser) -> None:
        answer = stranger.sign_in()
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        assert "Ana Ruiz" in stranger.get("/account").text

    def test_case_and_spaces_of_the_user_name_do_not_matter(self, stranger: Browser) -> None:
        assert stranger.sign_in(" ANA ").status_code == 303

    @pytest.mark.parametrize(
        ("username", "password"),
        [("ana", "wrong"), ("ana", ""), ("nobody", PASSWORD), ("", ""), ("ana", "x" * 5000)],
    )
    def test_every_failure_reads_the_same(
        self, stranger: Browser, username: str, password: str
    ) -> None:
        answer = stranger.sign_in(username, password)
        assert answer.status_code == 400
        assert "The user name or the password is not right." in answer.text
        assert stranger.get("/account").status_code == 303

    def test_the_user_name_need_not_be_typed_again(self, stranger: Browser) -> None:
        assert 'value="an&#34;a"' in stranger.sign_in('an"a', "wrong").text

    def test_a_new_password_ends_every_session(self, idp: Idp, stranger: Browser) -> None:
        with idp.app.app_context():
            declare_person("changing", password=PASSWORD)
        stranger.sign_in("changing")
        with idp.app.app_context():
            declare_person("changing", password="another password")
        assert stranger.get("/account").status_code == 303
        assert stranger.sign_in("changing").status_code == 400
        assert stranger.sign_in("changing", "another password").status_code == 303


class TestGuessing:
    def test_a_burst_gets_no_more_tries_than_the_limit(self, idp: Idp) -> None:
        """The count is the database's: twenty at once are not twenty tries."""
        with idp.app.app_context():
            declare_person("victim", password=PASSWORD)

        def guess(_: int) -> int:
            with Browser(idp.url) as browser:
                return browser.sign_in("victim", "wrong").status_code

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(guess, range(20)))
        assert (answers.count(400), answers.count(429)) == (5, 15)

    def test_it_is_held_against_the_right_password_too_and_then_forgotten(
        self, idp: Idp, stranger: Browser
    ) -> None:
        with idp.app.app_context():
            declare_person("tried", password=PASSWORD)
        for _ in range(5):
            stranger.sign_in("tried", "wrong")
        refused = stranger.sign_in("tried")
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 900
        idp.clock.ahead += 901
        assert stranger.sign_in("tried").status_code == 303
        idp.clock.ahead = 0

    def test_others_are_not_locked_out(self, stranger: Browser) -> None:
        for _ in range(6):
            stranger.sign_in("somebody", "wrong")
        assert stranger.sign_in("ben").status_code == 303

    def test_a_right_password_starts_the_count_again(self, stranger: Browser) -> None:
        for _ in range(2):
            for _ in range(3):
                assert stranger.sign_in("ben", "wrong").status_code == 400
            assert stranger.sign_in("ben").status_code == 303


class TestForms:
    @pytest.mark.parametrize(
        "path", ["/sign-in", "/sign-out", "/end-session/confirm", "/consent", "/account/withdraw"]
    )
    def test_no_form_works_without_its_token(self, ana: Browser, path: str) -> None:
        answer = ana.post(path, data={"username": "ana", "password": PASSWORD})
        assert answer.status_code == 400
        assert "Nothing was granted." in answer.text

    def test_a_token_of_another_session_is_worth_nothing(
        self, ana: Browser, stranger: Browser
    ) -> None:
        token = forms(stranger.get("/sign-in"))[0].fields["csrf_token"]
        assert ana.post("/sign-out", data={"csrf_token": token}).status_code == 400
        assert ana.get("/account").status_code == 200

    def test_a_token_from_before_sign_in_is_worth_nothing_after(self, stranger: Browser) -> None:
        """Whoever planted the cookie knows its token."""
        known = forms(stranger.get("/sign-in"))[0].fields["csrf_token"]
        stranger.sign_in()
        assert stranger.post("/sign-out", data={"csrf_token": known}).status_code == 400
        assert stranger.get("/account").status_code == 200

    def test_programs_post_without_one(self, webapp: Application) -> None:
        assert webapp.call("/oauth/introspect", token="x").status_code == 200


class TestNext:
    """Where sign-in leads is on this server."""

    @pytest.mark.parametrize(
        "url",
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "\\\\evil.example",
            "///evil.example",
            "/a\\b",
            "javascript:alert(1)",
            "/\tevil.example",
            "/\n/evil.example",
            " /account",
            "/oauth/authorize?client_id=%00",
            "evil",
            "",
        ],
    )
    def test_it_never_leads_elsewhere(self, stranger: Browser, url: str) -> None:
        assert stranger.sign_in(next_url=url).headers["location"] == "/account"

    def test_it_keeps_the_whole_request(self, stranger: Browser, webapp: Application) -> None:
        wanted = "/oauth/authorize?client_id=webapp&state=a%26b+c%C3%A9&x=%2F%2Fevil"
        assert stranger.sign_in(next_url=wanted).headers["location"] == wanted

    def test_an_authorization_request_comes_back_after_sign_in(
        self, stranger: Browser, webapp: Application
    ) -> None:
        asked = stranger.get("/oauth/authorize", params=webapp.request_parameters())
        page = stranger.get(asked.headers["location"])
        back = stranger.submit(page, username="ana", password=PASSWORD)
        assert stranger.get(back.headers["location"]).status_code in (200, 302)


class TestSession:
    def test_the_cookie_is_new_after_sign_in(self, idp: Idp, stranger: Browser) -> None:
        """Session fixation: a cookie that was planted before stays nobody's."""
        stranger.get("/sign-in")
        before = stranger.cookies["deputize-session"]
        stranger.sign_in()
        assert stranger.cookies["deputize-session"] != before
        with Browser(idp.url) as planted:
            planted.cookies.set("deputize-session", before)
            assert planted.get("/account").status_code == 303

    def test_signing_in_again_ends_the_session_before(self, idp: Idp, stranger: Browser) -> None:
        stranger.sign_in()
        before = stranger.cookies["deputize-session"]
        stranger.sign_in("ben")
        with Browser(idp.url) as copy:
            copy.cookies.set("deputize-session", before)
            assert copy.get("/account").status_code == 303

    def test_scripts_and_other_sites_do_not_get_the_cookie(self, stranger: Browser) -> None:
        cookie = stranger.sign_in().headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie

    def test_signing_out_ends_every_copy_of_the_cookie(self, idp: Idp, stranger: Browser) -> None:
        stranger.sign_in()
        with Browser(idp.url) as copy:
            copy.cookies = stranger.cookies
            assert copy.get("/account").status_code == 200
            stranger.submit(stranger.get("/sign-out"))
            assert copy.get("/account").status_code == 303

    def test_a_get_signs_nobody_out(self, ana: Browser) -> None:
        ana.get("/sign-out")
        assert ana.get("/account").status_code == 200

    def test_it_ends_by_itself(self, idp: Idp, stranger: Browser) -> None:
        stranger.sign_in()
        idp.clock.ahead += 12 * 3600 + 1
        assert stranger.get("/account").status_code == 303
        idp.clock.ahead = 0

    def test_a_cookie_that_was_tampered_with_is_nobody(self, idp: Idp, stranger: Browser) -> None:
        stranger.sign_in()
        head, _, tail = stranger.cookies["deputize-session"].partition(".")
        for forged in (f"{head}x.{tail}", "x", "a.b.c", ""):
            with Browser(idp.url) as browser:
                browser.cookies.set("deputize-session", forged)
                assert browser.get("/account").status_code == 303
