"""Tasks: the root agent reads its own, reports in time, and proposes its end; its budget binds."""

import pytest

from deputize.endings.end_task import end_task
from deputize.endings.sweep import sweep
from support.agents_http import http, new_key, outcome, unix_time
from support.asking import Asking
from support.running import Running, bearer
from support.world import CALENDAR, World

pytestmark = pytest.mark.section("Deputize profile", "7")


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    return world_on_each_engine


@pytest.fixture
def task(world: World) -> Running:
    return Running(world)


@pytest.fixture
def asked(world: World) -> Running:
    """A task whose end the person accepts."""
    return Running(world, task_completion="person")


@pytest.fixture
def hearing(world: World) -> Running:
    """A task whose agent reports every minute."""
    return Running(world, task_heartbeat=60)


class TestReading:
    """`GET tasks_endpoint/{task_id}`."""

    def test_what_it_is_and_how_much_is_left(self, task: Running) -> None:
        task.renew()
        told = task.get().json()
        assert (told["task_id"], told["status"]) == (task.id, "open")
        assert told["started_at"] <= unix_time() < told["deadline"]
        assert told["budget"]["exchanges"] == {"used": 1, "most": 100_000}
        assert told["budget"]["spawned"] == {"used": 0, "most": 20}
        assert told["completion"] == "at_once"

    def test_it_is_not_stored_by_caches(self, task: Running) -> None:
        assert task.get().headers["Cache-Control"] == "no-store"


class TestWhoMay:
    """The root agent, by its own token for the issuer, with the scope `tasks`."""

    def test_nobody_without_a_token(self, task: Running) -> None:
        answer = http.get(task.url)
        assert outcome(answer) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'

    @pytest.mark.parametrize("token", ["x", "a.b.c", "\xff", "x" * 20_000])
    def test_nor_with_garbage(self, task: Running, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}".encode("latin-1")}
        assert outcome(http.get(task.url, headers=headers)) == (401, "invalid_token")

    def test_not_by_a_token_for_an_api(self, world: World, task: Running) -> None:
        narrowed = world.agent(task.agent).exchange(task.hold, resource=CALENDAR).json()
        assert outcome(task.get(narrowed["access_token"])) == (401, "invalid_token")

    def test_not_by_one_without_the_scope(self, world: World, task: Running) -> None:
        less = world.agent(task.agent).exchange(task.hold, scope="calendar:read").json()
        assert outcome(task.post(less["access_token"], action="heartbeat")) == (
            403,
            "insufficient_scope",
        )

    def test_not_the_agent_that_it_handed_over_to(self, world: World, task: Running) -> None:
        taken = world.hand_over(task.hold, task.agent, "booker", "calendar:read")
        assert outcome(task.get(taken))[0] == 403

    def test_the_scope_is_never_passed_on(self, world: World, task: Running) -> None:
        given = world.agent(task.agent).exchange(
            task.hold, audience="booker", scope="calendar:read tasks"
        )
        assert outcome(given) == (400, "invalid_scope")

    def test_not_about_another_task(self, world: World, task: Running) -> None:
        other = Running(world)
        assert outcome(task.get(other.hold)) == (403, "insufficient_scope")
        assert outcome(task.post(other.hold, action="propose", outcome="failed"))[0] == 403
        assert task.is_alive()

    def test_not_by_an_agents_own_token(self, world: World, task: Running) -> None:
        own = world.agent(task.agent).post("token_endpoint", grant_type="client_credentials")
        assert outcome(task.get(own.json()["access_token"])) == (401, "invalid_token")

    def test_not_for_a_person_who_may_not_act_any_more(self, world: World, task: Running) -> None:
        world.host.inactive.add("ana")
        assert outcome(task.get()) == (401, "invalid_token")
        world.host.inactive.remove("ana")

    def test_not_after_its_end(self, task: Running) -> None:
        end_task(task.world.context.db, task.id, why="ended_by_operator")
        assert outcome(task.get()) == (401, "invalid_token")
        assert outcome(task.propose()) == (401, "invalid_token")

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
    def test_by_other_methods_not_at_all(self, task: Running, method: str) -> None:
        answer = http.request(method, task.url, headers=bearer(task.hold))
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")


class TestWhatIsSaid:
    """Anything but the two reports is refused, and changes nothing."""

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b'"propose"',
            b'{"action": "end"}',
            b'{"action": ["propose"]}',
            b'{"action": "propose"}',
            b'{"action": "propose", "outcome": "overdue"}',
            b'{"action": "propose", "outcome": "open"}',
            b'{"action": "propose", "outcome": {"completed": 1}}',
            b'{"action": "propose", "outcome": "completed", "deadline": 1}',
            b'{"action": "heartbeat", "deadline": 99999999999}',
            b'{"action": "accept"}',
        ],
    )
    def test_a_mistake_is_told_and_recorded(self, task: Running, body: bytes) -> None:
        answer = http.post(task.url, headers=bearer(task.hold), content=body)
        assert outcome(answer) == (400, "invalid_request")
        assert task.is_alive()
        (refused,) = task.events("task.refused")
        assert (refused["rule"], refused["agent"]) == ("report.malformed", task.agent)


class TestProposing:
    """`{"action": "propose", "outcome": ...}`, by a rule under which nobody need accept it."""

    @pytest.mark.parametrize("result", ["completed", "failed", "cancelled"])
    def test_it_ends_the_whole_tree_at_once(self, task: Running, result: str) -> None:
        world = task.world
        taken = world.hand_over(task.hold, task.agent, "booker", "calendar:read")
        answer = task.propose(result)
        assert (answer.status_code, answer.json()["status"]) == (200, result)
        assert not task.is_alive()
        assert not world.agent("booker").introspect(taken).json()["active"]
        refreshed = world.agent(task.agent).post(
            "token_endpoint", grant_type="refresh_token", refresh_token=task.refresh_token
        )
        assert outcome(refreshed) == (400, "invalid_grant")

    def test_what_it_spawned_is_retired(self, task: Running) -> None:
        child = task.world.spawn(task.agent, task.hold, "calendar:read")
        task.propose()
        assert outcome(task.world.agent(child).exchange(task.hold)) == (401, "invalid_client")

    def test_it_is_told_once_with_who_and_why(self, task: Running) -> None:
        task.propose("failed")
        (ended,) = task.events("task.ended")
        facts = {"status": "failed", "why": "by_itself", "by": task.agent}
        assert ended["facts"].items() >= facts.items()


class TestAccepting:
    """By a rule under which the person accepts the end."""

    def test_nothing_below_is_alive_until_they_do(self, asked: Running) -> None:
        answer = asked.propose()
        assert (answer.json()["status"], answer.json()["outcome"]) == ("proposed", "completed")
        assert not asked.is_alive()
        assert outcome(asked.renew()) == (400, "invalid_request")

    def test_the_agent_may_still_ask_how_it_stands(self, asked: Running) -> None:
        asked.propose()
        assert asked.get().json()["status"] == "proposed"

    def test_said_again_it_is_the_same(self, asked: Running) -> None:
        assert asked.propose().json() == asked.propose().json()
        assert len(asked.events("task.proposed")) == 1

    def test_another_outcome_is_not_taken_then(self, asked: Running) -> None:
        asked.propose()
        assert outcome(asked.propose("failed")) == (401, "invalid_token")
        assert asked.get().json()["outcome"] == "completed"

    def test_nor_a_heartbeat(self, asked: Running) -> None:
        asked.propose()
        assert outcome(asked.post(action="heartbeat")) == (401, "invalid_token")

    def test_its_deadline_ends_it_all_the_same(self, asked: Running) -> None:
        asked.propose()
        asked.world.pass_time(9 * 3600)
        sweep(asked.world.context.db)
        (ended,) = asked.events("task.ended")
        assert ended["facts"]["status"] == "overdue"


class TestHeartbeat:
    """A missed one ends the task, without anyone asking."""

    def test_in_time_it_goes_on(self, hearing: Running) -> None:
        for _ in range(4):
            hearing.world.pass_time(50)
            assert hearing.post(action="heartbeat").status_code == 200
        assert hearing.is_alive()

    def test_it_never_moves_the_deadline(self, hearing: Running) -> None:
        before = hearing.get().json()
        hearing.world.pass_time(30)
        after = hearing.post(action="heartbeat").json()
        assert after["deadline"] == before["deadline"]
        assert after["heard_by"] == pytest.approx(before["heard_by"] + 30, abs=3)

    def test_once_missed_it_is_over_at_that_moment(self, hearing: Running) -> None:
        hearing.world.pass_time(60)
        assert not hearing.is_alive()
        assert outcome(hearing.renew()) == (400, "invalid_request")
        assert outcome(hearing.post(action="heartbeat")) == (401, "invalid_token")

    def test_and_is_written_down_once(self, hearing: Running) -> None:
        hearing.world.pass_time(60)
        for _ in range(2):
            sweep(hearing.world.context.db)
        (ended,) = hearing.events("task.ended")
        assert (ended["facts"]["status"], ended["facts"]["why"]) == ("overdue", "silent")

    def test_while_its_end_is_proposed_it_need_not_report(self, world: World) -> None:
        task = Running(world, task_heartbeat=60, task_completion="person")
        task.propose()
        world.pass_time(61)
        sweep(world.context.db)
        assert task.get().json()["status"] == "proposed"

    def test_where_none_is_asked_it_changes_nothing(self, task: Running) -> None:
        assert "heard_by" not in task.post(action="heartbeat").json()


class TestBudget:
    """How much may be done in the task: its agent's registration, within the settings."""

    def test_exchanges(self, world: World) -> None:
        task = Running(world, task_exchanges=2)
        answers = [outcome(task.renew())[0] for _ in range(3)]
        assert answers == [200, 200, 400]
        assert task.get().json()["budget"]["exchanges"] == {"used": 2, "most": 2}

    def test_exchanges_of_the_whole_tree(self, world: World) -> None:
        task = Running(world, task_exchanges=3)
        taken = world.hand_over(task.hold, task.agent, "booker", "calendar:read")
        assert world.agent("booker").exchange(taken, resource=CALENDAR).status_code == 200
        refused = world.refused(world.agent("booker").exchange, taken)
        assert refused[2] == "quota.exchanges"

    def test_what_is_refused_costs_nothing(self, world: World) -> None:
        task = Running(world, task_exchanges=1)
        world.agent(task.agent).exchange(task.hold, scope="unknown")
        assert task.renew().status_code == 200

    def test_sub_agents(self, world: World) -> None:
        task = Running(world, task_spawned=1)
        world.spawn(task.agent, task.hold, "calendar:read")
        key = new_key()
        agent = world.agent(task.agent)
        token = agent.ask_to_spawn(task.hold, "calendar:read", key).json()["access_token"]
        assert outcome(agent.register_child(token, key)) == (401, "invalid_token")

    def test_approved_steps_and_nobody_is_asked_for_more(self, world: World) -> None:
        task = Running(world, task_elevated=1)
        asking = Asking(world, world.agent(task.agent), task.hold)
        first = asking.asked()
        asking.say_yes()
        assert asking.poll(first).status_code == 200
        before = asking.cards()
        assert outcome(asking.ask(binding_message="Another")) == (400, "invalid_request")
        assert asking.cards() == before
