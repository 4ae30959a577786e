"""CIBA Core §7.1, §13, `user_code`: an agent asks cold by a code that its person told it.

Whatever is wrong, with the code or with whom the hint names, the answer is one.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deputize.host import Person
from storage.hearing import Ear
from support.agents_http import jwks, new_key, outcome, register, unix_time
from support.asking import Asking
from support.request_object import request_object, send
from support.world import CALENDAR, World, read_form

pytestmark = pytest.mark.section("CIBA Core 1.0", "7.1, 13")

CODE = "a code of 7 words"
PAGE = "/deputize/user-code"
WRONG = (400, "invalid_user_code")


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> Iterator[World]:
    world_on_each_engine.edit("planner", user_code_parameter=True)
    return world_on_each_engine


@pytest.fixture(scope="module")
def ear(world: World) -> Ear:
    return Ear(world.context.db)


def signed_in(world: World, person: str) -> httpx.Client:
    """Return the browser of somebody who signed in a moment ago."""
    browser = world.browser(person)
    browser.get("/sign-in", params={"person": person, "at": unix_time()})
    return browser


def set_code(world: World, person: str, code: str = CODE, **fields: Any) -> httpx.Response:
    """Let the person set their code on the page."""
    browser = signed_in(world, person)
    page = browser.get(PAGE)
    assert page.status_code == 200, page.text
    form = read_form(page.text)
    sent = {name: values[0] for name, values in form.items() if values} | {"code": code}
    return browser.post(sent.pop("action"), data=sent | {"press": "set"} | fields)


def cold(asking: Asking, code: str | None = CODE, **params: Any) -> httpx.Response:
    named = {"login_hint_token": None, "login_hint": asking.person, "user_code": code}
    return asking.ask(**named | params)


@pytest.fixture
def known(asking: Asking) -> Asking:
    """Planner, whose person has a code."""
    assert set_code(asking.world, asking.person).status_code == 303
    return asking


class TestRequest:
    def test_by_the_code_the_person_is_asked(self, known: Asking) -> None:
        assert outcome(cold(known)) == (200, "none")
        assert len(known.cards()) == 1

    def test_in_a_signed_request_too(self, known: Asking) -> None:
        claims = {"login_hint_token": None, "login_hint": known.person}
        wrong = request_object(known, **claims, user_code="another code")
        assert outcome(send(known, wrong)) == WRONG
        right = request_object(known, **claims, user_code=CODE)
        assert outcome(send(known, right)) == (200, "none")

    def test_without_it_whoever_is_named(self, known: Asking) -> None:
        for hint in (known.person, "nobody-at-all"):
            answer = cold(known, None, login_hint=hint)
            assert outcome(answer) == (400, "missing_user_code")

    def test_by_a_token_none_is_needed(self, known: Asking) -> None:
        """Its hold is the person's word already."""
        assert outcome(known.ask()) == (200, "none")

    def test_an_agent_that_did_not_register_it_sends_it_for_nothing(self, known: Asking) -> None:
        world = known.world
        scope = "calendar:read calendar:write"
        world.hold("mallory", known.person, scope=scope, untick=("calendar:write",))
        known.agent = world.agent("mallory")
        answer = cold(known, "whatever", scope="openid calendar:write", resource=CALENDAR)
        assert outcome(answer) == (200, "none")

    def test_it_is_advertised(self, world: World) -> None:
        assert world.metadata["backchannel_user_code_parameter_supported"] is True


class TestWrong:
    def test_one_answer_by_one_amount_of_work(self, known: Asking, ear: Ear) -> None:
        """A wrong code, no code set, nobody of that name, nothing that reaches the target."""
        world = known.world
        people = {name: f"{name} of {known.person}" for name in ("codeless", "undeputized", "far")}
        world.host.people |= {key: Person(key, key) for key in people.values()}
        world.hold("planner", people["codeless"])
        for person in (people["undeputized"], people["far"]):
            set_code(world, person)
        world.hold("planner", people["far"], resource=[CALENDAR])
        tries = {
            "wrong": {"code": "a wrong one"},
            "nobody": {"login_hint": "nobody-at-all"},
            **{why: {"login_hint": person} for why, person in people.items()},
        }
        told, work = {}, {}
        for why, params in tries.items():
            with ear.hearing() as statements:
                told[why] = cold(known, **params)
            work[why] = len(statements)
        assert {outcome(answer) for answer in told.values()} == {WRONG}
        assert len({answer.text for answer in told.values()}) == 1
        assert len(set(work.values())) == 1, work
        assert known.cards() == []

    def test_a_slow_hash_is_tried_for_nobody_too(
        self, known: Asking, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[str] = []
        from deputize.approvals import user_code

        verify = user_code._verify

        def counted(hashed: str, code: str) -> bool:
            tried.append(hashed)
            return verify(hashed, code)

        monkeypatch.setattr(user_code, "_verify", counted)
        cold(known, "a wrong one")
        cold(known, login_hint="nobody-at-all")
        assert len(tried) == 2
        assert all(hashed.startswith("$argon2id$") for hashed in tried)
        assert tried[0].split("$")[3] == tried[1].split("$")[3]  # the same cost

    def test_guessing_stops(self, known: Asking) -> None:
        for number in range(5):
            assert outcome(cold(known, f"guess {number}")) == WRONG
        assert outcome(cold(known)) == WRONG
        # Nobody but this agent is held off, and from nothing but asking cold.
        assert outcome(known.ask()) == (200, "none")
        world = known.world
        world.edit("mallory", user_code_parameter=True)
        world.hold("mallory", known.person, scope="calendar:read", resource=[CALENDAR])
        other = Asking(world, world.agent("mallory"), "", known.person)
        asked = cold(other, scope="openid calendar:write", resource=CALENDAR)
        world.edit("mallory", user_code_parameter=False)
        assert outcome(asked) == (200, "none")
        world.pass_time(901)
        world.hold("planner", known.person)
        assert outcome(cold(known, binding_message="later")) == (200, "none")

    def test_the_right_one_starts_anew(self, known: Asking) -> None:
        for number in range(4):
            cold(known, f"guess {number}")
        assert outcome(cold(known)) == (200, "none")
        for number in range(4):
            cold(known, f"guess {number}")
        assert outcome(cold(known)) == (200, "none")

    def test_strangers_hold_off_nobody_who_is_there(self, known: Asking) -> None:
        for number in range(7):
            assert outcome(cold(known, login_hint=f"stranger {number}")) == WRONG
        assert outcome(cold(known)) == (200, "none")

    def test_a_code_is_in_no_table_and_no_event(self, known: Asking) -> None:
        cold(known)
        cold(known, "a wrong guess of mine")
        with known.world.context.db.read() as tx:
            tables = ("deputize_user_code", "deputize_user_code_try", "deputize_event")
            rows = [tx.connection.exec_driver_sql(f"SELECT * FROM {t}").all() for t in tables]
        assert CODE not in repr(rows)
        assert "a wrong guess of mine" not in repr(rows)


class TestPage:
    def test_a_code_is_set_changed_and_removed(self, known: Asking) -> None:
        world, person = known.world, known.person
        before = {e["id"] for e in world.events()}
        assert "You have a code" in signed_in(world, person).get(PAGE).text
        assert set_code(world, person, "another one").status_code == 303
        assert outcome(cold(known)) == WRONG
        assert outcome(cold(known, "another one")) == (200, "none")
        assert set_code(world, person, "", press="remove").status_code == 303
        assert "You have none" in signed_in(world, person).get(PAGE).text
        assert outcome(cold(known, "another one")) == WRONG
        # Within one second they have no order.
        told = [e["kind"] for e in world.events() if e["id"] not in before]
        assert (told.count("user_code.set"), told.count("user_code.removed")) == (1, 1)

    @pytest.mark.parametrize("code", ["", "short", "x" * 65, " spaces ", "with\x00nul", "a\nline"])
    def test_what_is_no_code(self, asking: Asking, code: str) -> None:
        answer = set_code(asking.world, asking.person, code)
        assert answer.status_code == 400
        assert "A code has 6 to 64 characters." in answer.text
        assert code == "" or f'value="{code}"' not in answer.text

    def test_it_takes_a_fresh_sign_in(self, asking: Asking) -> None:
        world = asking.world
        browser = signed_in(world, asking.person)
        form = read_form(browser.get(PAGE).text)
        sent = {name: values[0] for name, values in form.items() if values}
        world.pass_time(301)
        assert browser.get(PAGE).status_code == 403
        late = browser.post(sent.pop("action"), data=sent | {"code": CODE, "press": "set"})
        assert late.status_code == 403
        assert outcome(cold(asking)) == (400, "invalid_user_code")

    def test_it_takes_a_form_of_this_session(self, asking: Asking) -> None:
        browser = signed_in(asking.world, asking.person)
        assert browser.post(PAGE, data={"code": CODE, "press": "set"}).status_code == 303
        assert "You have none" in browser.get(PAGE).text

    def test_nobody_without_a_session(self, world: World) -> None:
        for answer in (world.browser(None).get(PAGE), world.browser(None).post(PAGE)):
            assert answer.status_code == 303
            assert "/sign-in" in answer.headers["Location"]

    def test_it_is_found_from_the_agents_page(self, asking: Asking) -> None:
        page = asking.world.browser(asking.person).get("/deputize/agents").text
        assert f'href="{PAGE}"' in page

    def test_who_leaves_takes_it_along(self, known: Asking) -> None:
        world, person = known.world, known.person
        world.leave(person)
        assert "You have none" in signed_in(world, person).get(PAGE).text


class TestRegistered:
    """§4: `backchannel_user_code_parameter`"""

    def test_it_is_registered_and_told(self, world: World) -> None:
        name = "backchannel_user_code_parameter"
        usual = {
            "client_name": "Caller",
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": jwks(new_key()),
            "scope": "calendar:read",
            "redirect_uris": ["http://127.0.0.1/callback"],
        }
        assert register(world.metadata, **usual, **{name: True}).json()[name] is True
        assert name not in register(world.metadata, **usual).json()
        for value in ("true", 1, []):
            refused = register(world.metadata, **usual, **{name: value})
            assert outcome(refused) == (400, "invalid_client_metadata")
