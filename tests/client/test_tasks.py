"""The agent that a person deputized reads its task, reports on it, and says what came of it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from client.asking import SCOPE, answer, hold_of
from client.test_errors import saying
from client.test_hold import until
from deputize.client import (
    AgentClient,
    AsyncAgentClient,
    AsyncHold,
    Hold,
    OAuthError,
    ProtocolError,
    Task,
    Token,
)
from deputize.client.flow import run
from deputize.client.lease import lease_in
from deputize.endings.answer_end import extend_task, reopen_task
from deputize.tasks import models
from deputize.tasks.report import find_task
from support.agents_http import unix_time
from support.world import CALENDAR, CALLBACK, FLIGHTS, World

Agents = Callable[[str], AgentClient]
Deputized = Callable[..., Token]

EXPIRED = 310
MINUTE = timedelta(minutes=1)


@pytest.fixture
def deputized(world: World, agent: Agents) -> Deputized:
    """Register an agent by a rule, and let Ana deputize it."""

    def make(client_id: str, **rule: object) -> Token:
        world.register(client_id, **rule)
        return hold_of(world, agent(client_id))

    return make


def now() -> datetime:
    return datetime.fromtimestamp(unix_time(), UTC)


def heard_by(world: World, hold: Hold) -> int | None:
    with world.context.db.read() as tx:
        found = find_task(tx, hold._leases.held.claims["task_id"])
    assert found is not None
    return found.heard_by


def is_heard(world: World, hold: Hold, within: timedelta = MINUTE) -> bool:
    """Tell whether the agent was heard of a moment ago."""
    until_then = heard_by(world, hold) or 0
    return until_then >= unix_time() + within.total_seconds() - 5


def until_idle(hold: Hold) -> None:
    """Wait until the hold has done what was due when its `with` began."""
    until(lambda: (hold._upkeep.pause() or 0) > 1)


class TestReading:
    def test_tells_what_it_is_for_and_how_much_is_left(self, hold: Token) -> None:
        hold.narrow(CALENDAR)
        told = hold.task()
        assert (told.task_id, told.status) == (hold.claims["task_id"], "open")
        assert told.started_at <= now() < told.deadline
        assert (told.heard_by, told.outcome, told.ended_at) == (None, None, None)
        exchanges = told.budget["exchanges"]
        assert (exchanges.used, exchanges.left) == (1, exchanges.most - 1)

    def test_is_the_root_agents_alone(self, agent: Agents, hold: Token) -> None:
        taken = agent("booker").take(hold.hand_over("booker", "flights:search").value)
        for ask in (taken.task, taken.heartbeat, Hold(taken).task):
            with pytest.raises(OAuthError) as refused:
                ask()
            assert (refused.value.error, refused.value.status) == ("insufficient_scope", 403)

    def test_takes_a_token_for_the_server_itself(self, hold: Token) -> None:
        with pytest.raises(OAuthError) as refused:
            hold.narrow(CALENDAR).task()
        assert (refused.value.error, refused.value.status) == ("invalid_token", 401)

    def test_takes_a_token_that_a_person_stands_behind(self, hold: Token) -> None:
        own = hold.agent._connection.post("token_endpoint", grant_type="client_credentials")
        token = Token.of(lease_in(run(hold.agent._http, own), unix_time()), hold.agent)
        with pytest.raises(ValueError, match="person"):
            token.task()


class TestProposing:
    @pytest.mark.parametrize("outcome", ["completed", "failed", "cancelled"])
    def test_ends_it_at_once_where_nobody_need_accept(self, hold: Token, outcome: str) -> None:
        kept = Hold(hold)
        told = kept.propose(outcome)  # type: ignore[arg-type]
        assert (told.status, told.ended_at is not None) == (outcome, True)
        with pytest.raises(OAuthError) as refused:
            kept.narrow(CALENDAR)
        assert refused.value.error == "invalid_request"

    def test_waits_for_the_person_where_they_accept_it(
        self, world: World, deputized: Deputized
    ) -> None:
        hold = deputized("proposing", task_completion="person")
        token = hold.narrow(CALENDAR)
        assert hold.propose("completed").status == "proposed"
        assert not world.is_active(token.value)
        told = hold.task()
        assert (told.status, told.outcome, told.completion) == ("proposed", "completed", "person")

    def test_more_time_is_asked_for_and_given_by_the_person(
        self, world: World, deputized: Deputized
    ) -> None:
        hold = deputized("slow")
        before = hold.task().deadline
        told = hold.ask_for_time(24 * 3600)
        assert told.deadline == before
        assert told.asked_until is not None
        give(world, told)
        told = hold.task()
        assert (told.deadline > before, told.asked_until) == (True, None)

    def test_what_is_no_outcome_is_told(self, hold: Token) -> None:
        with pytest.raises(OAuthError) as refused:
            hold.propose("done")  # type: ignore[arg-type]
        assert (refused.value.error, refused.value.status) == ("invalid_request", 400)


class TestHeartbeat:
    def test_moves_when_the_agent_must_be_heard_of_next(
        self, world: World, deputized: Deputized
    ) -> None:
        hold = deputized("beating", task_heartbeat=60)
        world.pass_time(40)
        told = hold.heartbeat()
        assert told.heard_by is not None
        assert told.heard_by - now() == pytest.approx(MINUTE, abs=timedelta(seconds=3))

    def test_is_not_asked_of_others(self, hold: Token) -> None:
        assert hold.heartbeat().heard_by is None

    def test_is_sent_by_a_with_at_once_and_then_in_time(
        self, world: World, deputized: Deputized
    ) -> None:
        hold = deputized("kept-in-a-with", task_heartbeat=60)
        world.pass_time(40)
        with Hold(hold) as kept:
            until_idle(kept)
            assert is_heard(world, kept)
            world.pass_time(20)
            kept.task()
            assert not is_heard(world, kept), "a third of the time has passed"
            world.pass_time(15)
            kept.task()
            until(lambda: is_heard(world, kept))

    def test_keeps_a_task_alive_while_nobody_asks(self, world: World, deputized: Deputized) -> None:
        hold = deputized("beating-fast", task_heartbeat=3)
        with Hold(hold) as kept:
            until_idle(kept)
            first = heard_by(world, kept)
            assert first is not None
            until(lambda: unix_time() > first)
            assert kept.task().status == "open"

    def test_is_sent_where_the_servers_clock_is_another(
        self, world: World, deputized: Deputized
    ) -> None:
        deputized("behind", task_heartbeat=60)
        key = world.keys["behind"]
        again = AgentClient.discover(world.url, "behind", key=key, clock=lambda: unix_time() - 4)
        with again, Hold(hold_of(world, again)) as kept:
            until_idle(kept)
            pause = kept._upkeep.pause()
        assert pause == pytest.approx(30, abs=2)

    def test_is_sent_once_by_a_with_of_a_task_that_asks_for_none(self, hold: Token) -> None:
        sent: list[str] = []
        hold.agent._http.event_hooks = {"request": [lambda asked: sent.append(asked.method)]}
        with Hold(hold) as kept:
            until(lambda: sent == ["POST"] and kept._upkeep._report_at is None)
        assert sent == ["POST"]

    def test_is_never_sent_without_the_scope(self, deputized: Deputized) -> None:
        hold = deputized("silent", task_heartbeat=60)
        flow = hold.agent._connection.exchange(hold.value, scope="calendar:read")
        less = Token.of(lease_in(run(hold.agent._http, flow), unix_time()), hold.agent)
        sent: list[str] = []
        hold.agent._http.event_hooks = {"request": [lambda asked: sent.append(asked.method)]}
        with Hold(less) as kept:
            assert kept._upkeep.pause() == pytest.approx(240, abs=5)
        assert sent == []


class TestAProposalInAWith:
    def test_lets_it_rest_until_the_person_lets_the_task_go_on(
        self, world: World, deputized: Deputized
    ) -> None:
        hold = deputized("reopened", task_completion="person", task_heartbeat=60)
        with Hold(hold) as kept:
            until_idle(kept)
            refused = len(world.events("token.refused")) + len(world.events("task.refused"))
            kept.propose("completed")
            until(lambda: kept._upkeep.rests)
            assert kept.task().status == "proposed"
            world.pass_time(EXPIRED)
            reopen(world, kept)
            world.pass_time(20)
            assert kept.task().status == "open", "by its refresh token"
            until(lambda: is_heard(world, kept))
        told = len(world.events("token.refused")) + len(world.events("task.refused"))
        assert told == refused, "nobody has knocked meanwhile"

    def test_ends_it(self, world: World, hold: Token) -> None:
        with Hold(hold) as kept:
            assert kept.propose("completed").status == "completed"
            until(lambda: kept._upkeep.rests)
        assert kept._keeper is not None
        assert not kept._keeper.is_alive()


def reopen(world: World, kept: Hold) -> None:
    assert reopen_task(world.context.db, row_of(world, kept._leases.held.claims["task_id"]))


def give(world: World, told: Task) -> None:
    """Let its person give the task what its agent asks for."""
    of = row_of(world, told.task_id)
    assert extend_task(world.context.db, of, of.asked_until or 0)


def row_of(world: World, task_id: str) -> models.Task:
    with world.context.db.read() as tx:
        found = find_task(tx, task_id)
    assert found is not None
    return found


class TestWithAsyncio:
    def test_it_reads_reports_and_proposes(self, world: World) -> None:
        asyncio.run(_reported(world))


async def _reported(world: World) -> None:
    world.register("awaited", task_heartbeat=60, task_completion="person")
    key = world.keys["awaited"]
    found = await AsyncAgentClient.discover(world.url, "awaited", key=key, clock=unix_time)
    async with found as agent:
        wanted = {"scope": SCOPE, "resource": [CALENDAR, FLIGHTS]}
        url, asked = await agent.authorization_url(CALLBACK, **wanted)
        hold = await agent.redeem(asked.code_in(answer(world, url)), asked)
        world.pass_time(40)
        async with AsyncHold(hold) as kept, asyncio.timeout(10):
            await _until(kept, lambda told: told.heard_by - now() > MINUTE * 0.9)
            world.pass_time(35)
            await _until(kept, lambda told: told.heard_by - now() > MINUTE * 0.9)
            assert (await kept.heartbeat()).status == "open"
            assert (await kept.propose("failed")).outcome == "failed"
            assert (await kept.task()).status == "proposed"
            assert kept._upkeep.rests
            with pytest.raises(OAuthError):
                await kept.narrow(CALENDAR)


async def _until(kept: AsyncHold, is_so: Callable[[Task], bool]) -> None:
    while not is_so(await kept.task()):  # noqa: ASYNC110 - the event is the server's
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("body", [b"{}", b'{"task_id": "x", "budget": []}', b"[]", b"no"])
def test_an_answer_that_tells_of_no_task_is_not_believed(hold: Token, body: bytes) -> None:
    with saying("200 OK", body) as url:
        members = hold.agent._connection.metadata.members | {"tasks_endpoint": url}
        other = replace(hold.agent._connection.metadata, members=members)
        agent = AgentClient(replace(hold.agent._connection, metadata=other), hold.agent._http)
        with pytest.raises(ProtocolError):
            Token.of(hold, agent).task()


def test_a_server_without_the_endpoint_is_told(hold: Token) -> None:
    metadata = replace(hold.agent._connection.metadata, members={})
    agent = AgentClient(replace(hold.agent._connection, metadata=metadata), hold.agent._http)
    with pytest.raises(ProtocolError, match="no tasks_endpoint"):
        Token.of(hold, agent).task()
