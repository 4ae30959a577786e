"""Passkeys: enrolled by nobody but the person, good for approvals after a while, and removed."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from deputize.cli import deputize as commands
from deputize.delegation.persons import find_person_id
from deputize.endings.sweep import sweep
from deputize.host import Authentication, Person
from deputize.passkeys.models import Passkey, passkeys_of
from support.agents_http import unix_time
from support.authenticator import (
    PASSKEYS,
    Authenticator,
    enrol,
    enrolled,
    fresh_browser,
    read_signing_form,
)
from support.world import World

pytestmark = pytest.mark.section("profile", "5")

DAY = 86_400
#: A credential whose members are what no browser sends: a lone surrogate, and JSON's null.
STRANGE = json.dumps(
    {
        "id": "\ud800",
        "rawId": "\ud800",
        "type": "public-key",
        "response": {"clientDataJSON": "bnVsbA", "attestationObject": "AA"},
    }
)


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


@pytest.fixture
def person(world: World) -> str:
    """Return the key of somebody who has never been here."""
    name = f"holder-{len(world.host.people)}"
    world.host.people[name] = Person(name, name.title())
    return name


def of(world: World, person: str) -> list[Passkey]:
    with world.context.db.read() as tx:
        return passkeys_of(tx, find_person_id(tx, person))


def told(world: World, kind: str, passkey_id: str) -> list[dict[str, Any]]:
    facts = [event["facts"] for event in world.events(kind)]
    return [fact for fact in facts if fact["passkey_id"] == passkey_id]


def remove(world: World, person: str, one: Passkey, with_: Authenticator | None) -> Any:
    """Let the person remove one, on the real page, by `with_`."""
    browser = fresh_browser(world, person)
    url = f"{PASSKEYS}/{one.id}/remove"
    page = browser.get(url)
    assert page.status_code == 200, page.text
    if with_ is None:
        token = page.text.split('name="csrf_token" value="')[1].partition('"')[0]
        return browser.post(url, data={"csrf_token": token})
    form = read_signing_form(page.text)
    return browser.post(form.action, data=form.data(with_.get(form.options, world.url)))


class TestEnrolling:
    def test_it_counts_after_a_day_the_first_too(self, world: World, person: str) -> None:
        _, answer = enrol(world, person)
        assert answer.status_code == 303
        (mine,) = of(world, person)
        assert (mine.name, mine.counts_from - mine.created_at) == ("My phone", DAY)
        browser = fresh_browser(world, person)
        assert "does not count <time" in browser.get(PASSKEYS).text
        world.pass_time(DAY)
        assert "counts for approvals" in browser.get(PASSKEYS).text
        (event,) = told(world, "passkey.enrolled", mine.id)
        assert event["counts_from"] == mine.counts_from

    def test_what_the_browser_is_asked_for(self, world: World, person: str) -> None:
        page = fresh_browser(world, person).get(f"{PASSKEYS}/new")
        options = read_signing_form(page.text).options
        assert options["rp"] == {"id": "127.0.0.1", "name": "Deputize"}
        assert options["authenticatorSelection"]["userVerification"] == "required"
        assert options["authenticatorSelection"]["residentKey"] == "preferred"
        assert options["attestation"] == "none"
        assert page.headers["Content-Security-Policy"].endswith("; script-src 'self'")

    def test_an_old_session_is_sent_to_sign_in(self, world: World, person: str) -> None:
        browser = world.browser(None)
        stale = {"person": person, "at": unix_time() - 301}
        browser.get("/sign-in", params=stale)
        for method, url in (("GET", f"{PASSKEYS}/new"), ("GET", f"{PASSKEYS}/{'x' * 16}/remove")):
            answer = browser.request(method, url)
            assert answer.status_code == 303
            assert answer.headers["Location"].startswith("/sign-in?next=%2Fdeputize%2Fpasskeys%2F")

    def test_an_old_session_enrols_nothing_with_what_a_fresh_one_was_asked(
        self, world: World, person: str
    ) -> None:
        browser = fresh_browser(world, person)
        form = read_signing_form(browser.get(f"{PASSKEYS}/new").text)
        browser.get("/sign-in", params={"person": person, "at": unix_time() - 301})
        made = Authenticator().create(form.options, world.url)
        answer = browser.post(form.action, data=form.data(made))
        assert answer.headers["Location"].startswith("/sign-in?")
        assert of(world, person) == []

    def test_who_comes_back_no_fresher_is_told_so(self, world: World, person: str) -> None:
        browser = world.browser(None)
        browser.get("/sign-in", params={"person": person, "at": unix_time() - 301})
        sent = browser.get(f"{PASSKEYS}/new").headers["Location"]
        answer = browser.get(parse_qs(urlsplit(sent).query)["next"][0])
        assert (answer.status_code, "did not ask you again" in answer.text) == (403, True)

    def test_a_host_that_tells_no_time_of_sign_in_has_no_passkeys(
        self, world: World, person: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(world.host, "authentication", lambda: Authentication())
        answer = world.browser(person).get(f"{PASSKEYS}/new")
        assert (answer.status_code, "does not tell when" in answer.text) == (403, True)

    def test_the_second_takes_the_first(self, world: World, person: str) -> None:
        first = enrolled(world, person)
        _, answer = enrol(world, person, shown=first)
        assert answer.status_code == 303
        assert len(of(world, person)) == 2

    @pytest.mark.parametrize("which", ["somebody else's", "one that does not count", "none"])
    def test_the_second_takes_nothing_less(self, world: World, person: str, which: str) -> None:
        enrolled(world, person)
        other = Authenticator()
        if which == "somebody else's":
            world.host.people["other"] = Person("other", "Other")
            other = enrolled(world, "other")
        browser = fresh_browser(world, person)
        form = read_signing_form(browser.get(f"{PASSKEYS}/new").text)
        said = "" if which == "none" else other.get(form.options, world.url)
        answer = browser.post(form.action, data=form.data(said))
        assert (answer.status_code, "data-passkey" in answer.text) == (400, False)
        assert len(of(world, person)) == 1

    def test_a_new_one_does_not_vouch_for_another(self, world: World, person: str) -> None:
        first = enrolled(world, person)
        young, _ = enrol(world, person, shown=first)
        browser = fresh_browser(world, person)
        form = read_signing_form(browser.get(f"{PASSKEYS}/new").text)
        answer = browser.post(form.action, data=form.data(young.get(form.options, world.url)))
        assert answer.status_code == 400

    @pytest.mark.parametrize(
        "claims",
        [
            {"is_verified": False},
            {"origin": "https://evil.example"},
            {"rp_id": "evil.example"},
            {"is_framed": True},
            {"credential_id": b"x" * 1024},
        ],
        ids=lambda claims: next(iter(claims)),
    )
    def test_what_is_not_verified_is_not_enrolled(
        self, world: World, person: str, claims: dict[str, Any]
    ) -> None:
        _, answer = enrol(world, person, **claims)
        assert answer.status_code == 400
        assert of(world, person) == []

    def test_one_challenge_enrols_once_and_for_whom_it_was_made(
        self, world: World, person: str
    ) -> None:
        browser = fresh_browser(world, person)
        form = read_signing_form(browser.get(f"{PASSKEYS}/new").text)
        theirs = world.browser(None)
        theirs.get("/sign-in", params={"person": "eve", "at": unix_time()})
        token = read_signing_form(theirs.get(f"{PASSKEYS}/new").text).data("")["csrf_token"][0]
        stolen = form.data(Authenticator().create(form.options, world.url), csrf_token=token)
        assert theirs.post(form.action, data=stolen).status_code == 400
        for expected in (303, 400):
            made = Authenticator().create(form.options, world.url)
            assert browser.post(form.action, data=form.data(made)).status_code == expected
        assert len(of(world, person)) == 1

    def test_a_challenge_lasts_five_minutes(self, world: World, person: str) -> None:
        browser = fresh_browser(world, person)
        form = read_signing_form(browser.get(f"{PASSKEYS}/new").text)
        made = Authenticator().create(form.options, world.url)
        world.pass_time(301)
        browser.get("/sign-in", params={"person": person, "at": unix_time()})
        assert browser.post(form.action, data=form.data(made)).status_code == 400
        assert sweep(world.context.db).forgotten > 0

    def test_a_form_of_another_session_enrols_nothing(self, world: World, person: str) -> None:
        browser = fresh_browser(world, person)
        form = read_signing_form(browser.get(f"{PASSKEYS}/new").text)
        made = Authenticator().create(form.options, world.url)
        browser.post(form.action, data=form.data(made, csrf_token="forged"))
        assert of(world, person) == []

    @pytest.mark.parametrize(
        "credential",
        [
            "",
            "null",
            "[]",
            "{}",
            '{"response": 1}',
            '{"response": {}}',
            "\0",
            "x" * 30_000,
            STRANGE,
        ],
    )
    def test_what_is_no_credential_is_refused(
        self, world: World, person: str, credential: str
    ) -> None:
        browser = fresh_browser(world, person)
        form = read_signing_form(browser.get(f"{PASSKEYS}/new").text)
        for nonce in (dict(form.fields)["nonce"], "", "\0", "x" * 43):
            answer = browser.post(form.action, data=form.data(credential, nonce=nonce))
            assert answer.status_code == 400


class TestRemoving:
    def test_one_that_counts_is_removed_by_one_that_counts(self, world: World, person: str) -> None:
        mine = enrolled(world, person)
        (one,) = of(world, person)
        assert remove(world, person, one, Authenticator()).status_code == 400
        assert len(of(world, person)) == 1
        assert remove(world, person, one, mine).status_code == 303
        assert of(world, person) == []
        (event,) = told(world, "passkey.removed", one.id)
        assert event["by"] == one.person_id

    def test_a_post_without_one_removes_nothing_that_counts(
        self, world: World, person: str
    ) -> None:
        enrolled(world, person)
        (one,) = of(world, person)
        assert remove(world, person, one, None).status_code == 400
        assert len(of(world, person)) == 1

    def test_one_that_does_not_count_yet_is_removed_at_once(
        self, world: World, person: str
    ) -> None:
        enrol(world, person)
        (one,) = of(world, person)
        assert remove(world, person, one, None).status_code == 303
        assert of(world, person) == []

    def test_somebody_elses_is_not_there(self, world: World, person: str) -> None:
        enrol(world, person)
        (one,) = of(world, person)
        browser = fresh_browser(world, "eve")
        for answer in (
            browser.get(f"{PASSKEYS}/{one.id}/remove"),
            browser.get(f"{PASSKEYS}/{'x' * 16}/remove"),
            browser.get(f"{PASSKEYS}/%00/remove"),
        ):
            assert answer.status_code == 400
        browser.post(f"{PASSKEYS}/{one.id}/name", data={"name": "Mine now"})
        assert of(world, person)[0].name == "My phone"

    def test_a_removed_one_vouches_for_nothing_and_is_not_added_again(
        self, world: World, person: str
    ) -> None:
        mine = enrolled(world, person)
        (one,) = of(world, person)
        remove(world, person, one, mine)
        browser = fresh_browser(world, person)
        form = read_signing_form(browser.get(f"{PASSKEYS}/new").text)
        again = browser.post(form.action, data=form.data(mine.create(form.options, world.url)))
        assert again.status_code == 400
        assert of(world, person) == []

    def test_who_leaves_leaves_without_them(self, world: World, person: str) -> None:
        enrolled(world, person)
        (one,) = of(world, person)
        world.leave(person)
        assert of(world, person) == []
        assert told(world, "passkey.removed", one.id)[0]["by"] == "left"

    def test_an_administrator_removes_what_is_lost(self, world: World, person: str) -> None:
        enrolled(world, person)
        (one,) = of(world, person)
        run = world.app.test_cli_runner().invoke
        listed = run(commands, ["passkeys", "list", "--person", person]).output
        assert one.id in listed
        assert "counts" in listed
        assert run(commands, ["passkeys", "remove", one.id]).output == "removed\n"
        assert run(commands, ["passkeys", "remove", one.id]).output == "it was removed already\n"
        assert of(world, person) == []
        assert told(world, "passkey.removed", one.id)[0]["by"] == "command line"


class TestUsing:
    def test_a_counter_that_goes_back_is_refused_and_told(self, world: World, person: str) -> None:
        mine = enrolled(world, person)
        mine.counted = 7
        assert enrol(world, person, shown=mine)[1].status_code == 303
        mine.counted = 3
        browser = fresh_browser(world, person)
        form = read_signing_form(browser.get(f"{PASSKEYS}/new").text)
        answer = browser.post(form.action, data=form.data(mine.get(form.options, world.url)))
        assert answer.status_code == 400
        events = [e for e in world.events("passkey.refused") if e["rule"] == "passkey.counter"]
        assert events[-1]["facts"]["detail"].endswith("4 after 8")

    def test_it_is_renamed(self, world: World, person: str) -> None:
        enrol(world, person)
        (one,) = of(world, person)
        browser = fresh_browser(world, person)
        page = browser.get(PASSKEYS).text
        token = page.split('name="csrf_token" value="')[1].partition('"')[0]
        name = "\u202e<b>Key</b>\0 " + "x" * 100
        browser.post(f"{PASSKEYS}/{one.id}/name", data={"name": name, "csrf_token": token})
        renamed = of(world, person)[0].name
        assert renamed.startswith("<b>Key</b>")
        assert len(renamed) <= 60
        assert "&lt;b&gt;Key" in browser.get(PASSKEYS).text
