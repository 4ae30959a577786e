"""The person's word on a running task: its proposed end accepted or not, and more time for it."""

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import httpx
import pytest

from deputize.endings.sweep import sweep
from support.agents_http import outcome, unix_time
from support.running import Running
from support.world import CALENDAR, World

pytestmark = pytest.mark.section("Deputize profile", "7")

FORM = re.compile(r"<form.*?</form>", re.DOTALL)
HOURS = 3600


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


@pytest.fixture
def task(world: World) -> Running:
    return Running(world, task_completion="person")


@pytest.fixture
def proposed(task: Running) -> Running:
    assert task.propose().json()["status"] == "proposed"
    return task


def page_of(task: Running, person: str = "ana") -> httpx.Response:
    return task.world.browser(person).get(f"/deputize/agents/tasks/{task.id}")


def press(task: Running, decision: str, person: str = "ana", **changes: str) -> httpx.Response:
    """Look at the page, and press what it has."""
    browser = task.world.browser(person)
    shown = browser.get(f"/deputize/agents/tasks/{task.id}").text
    return browser.post(f"/deputize/agents/tasks/{task.id}", data=fields(shown) | changes
                        | {"decision": decision})  # fmt: skip


def fields(html: str) -> dict[str, str]:
    found = {}
    for tag in re.findall(r'<input[^>]*type="hidden"[^>]*>', html):
        name, value = (re.search(rf'{a}="([^"]*)"', tag) for a in ("name", "value"))
        if name and value:
            found[name[1]] = unescape(value[1])
    return found


class TestTheProposedEnd:
    def test_accepted_it_is_over_and_all_that_hung_on_it(self, proposed: Running) -> None:
        assert press(proposed, "accept").status_code == 303
        (ended,) = proposed.events("task.ended")
        assert ended["facts"].items() >= {"status": "completed", "why": "accepted"}.items()
        assert not proposed.is_alive()
        assert outcome(proposed.get()) == (401, "invalid_token")

    def test_not_accepted_it_goes_on_with_the_tokens_that_it_has(self, proposed: Running) -> None:
        assert press(proposed, "reopen").status_code == 303
        assert proposed.is_alive()
        assert proposed.renew().status_code == 200
        assert [len(proposed.events(kind)) for kind in ("task.reopened", "task.ended")] == [1, 0]

    def test_and_can_be_proposed_again(self, proposed: Running) -> None:
        press(proposed, "reopen")
        assert proposed.propose("failed").json()["outcome"] == "failed"
        press(proposed, "accept")
        (ended,) = proposed.events("task.ended")
        assert ended["facts"]["status"] == "failed"

    def test_the_heartbeat_begins_anew(self, world: World) -> None:
        task = Running(world, task_completion="person", task_heartbeat=60)
        task.propose()
        world.pass_time(120)
        press(task, "reopen")
        world.pass_time(61)
        sweep(world.context.db)
        (ended,) = task.events("task.ended")
        assert ended["facts"]["why"] == "silent"

    def test_what_was_pressed_about_another_outcome_is_none(self, proposed: Running) -> None:
        press(proposed, "accept", shown="failed ")
        assert proposed.events("task.ended") == []

    def test_accepted_and_reopened_at_once_one_of_them_happens(self, proposed: Running) -> None:
        with ThreadPoolExecutor(6) as pool:
            said = ["accept", "reopen"] * 3
            list(pool.map(lambda decision: press(proposed, decision), said))
        ended, again = (proposed.events(kind) for kind in ("task.ended", "task.reopened"))
        assert len(ended) + len(again) == 1
        assert proposed.is_alive() == bool(again)

    def test_nothing_is_accepted_that_was_not_proposed(self, task: Running) -> None:
        press(task, "accept")
        assert task.is_alive()
        assert "is over" not in page_of(task).text


class TestMoreTime:
    def test_it_goes_on_past_the_deadline_that_it_had(self, task: Running) -> None:
        press(task, "extend", seconds=str(24 * HOURS))
        before = task.get().json()["deadline"]
        (told,) = task.events("task.extended")
        assert told["facts"]["deadline"] == before
        task.world.pass_time(9 * HOURS)
        sweep(task.world.context.db)
        token = task.refreshed()
        assert task.get(token).json()["status"] == "open"
        narrow = task.world.agent(task.agent).exchange(token, resource=CALENDAR)
        assert task.world.is_active(narrow.json()["access_token"])

    @pytest.mark.parametrize("seconds", ["3600", "1", "-1", "", "99999999999", "86400.0", "1e9"])
    def test_only_what_is_offered_is_given(self, task: Running, seconds: str) -> None:
        before = task.get().json()["deadline"]
        press(task, "extend", seconds=seconds)
        assert task.get().json()["deadline"] == before

    def test_the_budget_stays_what_it_was(self, world: World) -> None:
        task = Running(world, task_exchanges=1)
        task.renew()
        press(task, "extend", seconds=str(24 * HOURS))
        assert outcome(task.renew()) == (400, "invalid_request")

    def test_nor_what_fell_silent_though_no_sweep_has_written_it_down(self, world: World) -> None:
        task = Running(world, task_heartbeat=60)
        world.pass_time(60)
        assert page_of(task).status_code == 404
        assert press(task, "extend", seconds=str(24 * HOURS)).status_code == 404
        assert task.events("task.extended") == []

    def test_what_has_ended_is_not_to_be_had_back(self, task: Running) -> None:
        task.world.pass_time(9 * HOURS)
        press(task, "extend", seconds=str(7 * 24 * HOURS))
        assert task.events("task.extended") == []


@pytest.fixture
def wants(task: Running) -> Running:
    """A task whose agent has asked for a day."""
    assert task.post(action="extend", expires_in=24 * HOURS).status_code == 200
    return task


class TestMoreTimeThatItsAgentAsksFor:
    def test_the_deadline_stays_until_the_person_has_answered(self, task: Running) -> None:
        before = task.get().json()
        after = task.post(action="extend", expires_in=24 * HOURS).json()
        assert after["deadline"] == before["deadline"]
        assert after["asked_until"] == pytest.approx(unix_time() + 24 * HOURS, abs=3)
        (asked,) = task.events("task.extension_asked")
        assert asked["facts"]["deadline"] == after["asked_until"]
        assert task.is_alive()

    def test_it_stands_in_the_inbox_and_on_their_agents(self, wants: Running) -> None:
        browser = wants.world.browser()
        for page in ("/deputize/approvals", "/deputize/agents"):
            told = browser.get(page).text
            assert f"/deputize/agents/tasks/{wants.id}" in told
            assert "More time?" in told
        assert "waiting" in browser.get("/deputize/agents").text

    def test_as_much_as_it_asks_can_be_given(self, wants: Running) -> None:
        asked = wants.get().json()["asked_until"]
        assert press(wants, "extend", seconds="asked").status_code == 303
        told = wants.get().json()
        assert told["deadline"] == asked
        assert "asked_until" not in told
        (given,) = wants.events("task.extended")
        assert given["facts"]["deadline"] == asked

    def test_or_another_term(self, wants: Running) -> None:
        press(wants, "extend", seconds=str(7 * 24 * HOURS))
        assert wants.get().json()["deadline"] > unix_time() + 6 * 24 * HOURS

    def test_or_none(self, wants: Running) -> None:
        before = wants.get().json()["deadline"]
        assert press(wants, "deny").status_code == 303
        told = wants.get().json()
        assert (told["deadline"], "asked_until" in told) == (before, False)
        assert len(wants.events("task.extension_denied")) == 1
        assert wants.is_alive()

    def test_after_a_no_nobody_is_asked_again_for_a_while(self, wants: Running) -> None:
        press(wants, "deny")
        again = {"action": "extend", "expires_in": 24 * HOURS}
        assert outcome(wants.post(**again)) == (403, "access_denied")
        wants.world.pass_time(290)
        token = wants.refreshed()
        assert outcome(wants.post(token, **again)) == (403, "access_denied")
        wants.world.pass_time(11)
        assert "asked_until" in wants.post(token, **again).json()

    def test_asked_again_while_it_waits_it_is_the_same_question(self, wants: Running) -> None:
        before = wants.get().json()["asked_until"]
        after = wants.post(action="extend", expires_in=48 * HOURS).json()["asked_until"]
        assert after == before
        assert len(wants.events("task.extension_asked")) == 1

    @pytest.mark.parametrize("seconds", [-1, 0, 1, HOURS, 31 * 24 * HOURS, 10**12, 10**30])
    def test_nobody_is_asked_what_they_could_not_give(self, task: Running, seconds: int) -> None:
        answer = task.post(action="extend", expires_in=seconds)
        assert outcome(answer) == (400, "invalid_request")
        assert "asked_until" not in task.get().json()

    @pytest.mark.parametrize("seconds", ["86400", True, None, 86400.5, [86400], {}])
    def test_nor_what_is_no_number_of_seconds(self, task: Running, seconds: object) -> None:
        answer = task.post(action="extend", expires_in=seconds)
        assert outcome(answer) == (400, "invalid_request")

    def test_nor_more_than_the_agent_itself_may_last(self, world: World) -> None:
        task = Running(world, expires_at=unix_time() + 12 * HOURS)
        too_long = task.post(action="extend", expires_in=13 * HOURS)
        assert outcome(too_long) == (400, "invalid_request")
        assert "asked_until" in task.post(action="extend", expires_in=11 * HOURS).json()

    def test_as_asked_is_nothing_that_was_not_asked(self, task: Running) -> None:
        before = task.get().json()["deadline"]
        press(task, "extend", seconds="asked")
        press(task, "deny")
        assert task.get().json()["deadline"] == before
        assert task.events("task.extension_denied") == []

    def test_pressed_about_what_was_not_shown_it_is_none(self, wants: Running) -> None:
        press(wants, "extend", seconds="asked", shown=" ")
        assert wants.events("task.extended") == []

    def test_answered_twice_at_once_one_answer_counts(self, wants: Running) -> None:
        with ThreadPoolExecutor(6) as pool:
            said = [("extend", "asked"), ("deny", "")] * 3
            list(pool.map(lambda one: press(wants, one[0], seconds=one[1]), said))
        given, denied = (wants.events(f"task.{kind}") for kind in ("extended", "extension_denied"))
        assert len(given) + len(denied) == 1

    def test_a_proposed_end_takes_the_question_back(self, world: World) -> None:
        task = Running(world, task_completion="person")
        task.post(action="extend", expires_in=24 * HOURS)
        assert "asked_until" not in task.propose().json()
        assert outcome(task.post(action="extend", expires_in=24 * HOURS)) == (
            401,
            "invalid_token",
        )

    def test_after_the_deadline_there_is_nothing_to_give(self, wants: Running) -> None:
        wants.world.pass_time(9 * HOURS)
        press(wants, "extend", seconds="asked")
        assert wants.events("task.extended") == []

    def test_a_helper_cannot_ask_it_in_the_agents_name(self, task: Running) -> None:
        taken = task.world.hand_over(task.hold, task.agent, "booker", "calendar:read")
        answer = task.post(taken, action="extend", expires_in=24 * HOURS)
        assert outcome(answer) == (403, "insufficient_scope")


class TestWhoMay:
    """The person whose task it is, by a form of theirs."""

    def test_nobody_else_learns_of_it(self, proposed: Running) -> None:
        assert page_of(proposed, "ben").status_code == 404
        assert press(proposed, "accept", "ben").status_code == 404
        assert proposed.events("task.ended") == []

    @pytest.mark.parametrize("task_id", ["0123456789abcdef", "x", "%00", "a" * 300])
    def test_nor_of_what_is_not_there(self, world: World, task_id: str) -> None:
        browser = world.browser()
        assert browser.get(f"/deputize/agents/tasks/{task_id}").status_code == 404

    def test_a_form_of_somebody_elses_site_changes_nothing(self, proposed: Running) -> None:
        browser = proposed.world.browser()
        sent = {"decision": "accept", "shown": "completed "}
        answer = browser.post(f"/deputize/agents/tasks/{proposed.id}", data=sent)
        assert answer.status_code in (303, 400)
        assert proposed.events("task.ended") == []

    def test_the_agents_own_token_is_no_session(self, proposed: Running) -> None:
        headers = {"Authorization": f"Bearer {proposed.hold}"}
        sent = {"decision": "accept", "shown": "completed "}
        url = f"{proposed.world.url}/deputize/agents/tasks/{proposed.id}"
        httpx.post(url, data=sent, headers=headers, trust_env=False)
        assert proposed.events("task.ended") == []


def test_on_my_agents_it_waits_and_can_still_be_stopped(proposed: Running) -> None:
    browser = proposed.world.browser()
    page = browser.get("/deputize/agents").text
    assert f"/deputize/agents/tasks/{proposed.id}" in page
    assert "Is it over?" in page
    assert "Stop" in page
