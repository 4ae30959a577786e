"""`audit follow`: each event once, as it is committed, whatever its time."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deputize.audit.follow import Follower
from deputize.audit.query import Search
from deputize.audit.record import Event, record
from support.world import World


def happens(world: World, agent: str, age: int = 0) -> None:
    """Record an event; one whose transaction began `age` seconds before others ended."""
    with world.context.db.write() as tx:
        tx.now -= age
        record(tx, Event("agent.active", agent=agent))


def seal(world: World) -> None:
    world.app.extensions["deputize"].sealer.seal()


def agents(world: World, follower: Follower) -> list[str]:
    return [json.loads(told.body)["agent"] for told in follower.look()]


class TestFollowing:
    def test_tells_what_comes_from_now_on_and_each_once(self, world: World) -> None:
        happens(world, "before")
        follower = Follower(world.context.db, Search())
        assert agents(world, follower) == []
        happens(world, "first")
        happens(world, "second")
        assert sorted(agents(world, follower)) == ["first", "second"]
        assert agents(world, follower) == []

    @pytest.mark.parametrize("age", [25, 3600], ids=["a little", "by an hour"])
    def test_tells_what_was_committed_late(self, world: World, age: int) -> None:
        follower = Follower(world.context.db, Search())
        happens(world, "quick")
        assert agents(world, follower) == ["quick"]
        seal(world)
        assert agents(world, follower) == []
        happens(world, "late", age=age)
        assert agents(world, follower) == ["late"]
        assert agents(world, follower) == []

    def test_tells_only_what_is_looked_for(self, world: World) -> None:
        follower = Follower(world.context.db, Search(agent="mine"))
        happens(world, "theirs")
        happens(world, "mine")
        assert agents(world, follower) == ["mine"]

    def test_begins_in_the_past_where_it_is_told_to(self, world: World) -> None:
        happens(world, "long-ago")
        world.pass_time(3600)
        follower = Follower(world.context.db, Search(agent="long-ago", since=0))
        assert agents(world, follower) == ["long-ago"]
        assert agents(world, follower) == []

    def test_keeps_nothing_of_what_was_sealed(self, world: World) -> None:
        follower = Follower(world.context.db, Search())
        for number in range(3):
            happens(world, f"agent-{number}")
            assert agents(world, follower) == [f"agent-{number}"]
            seal(world)
        assert agents(world, follower) == []
        assert not follower._seen

    def test_is_not_told_again_of_what_was_sealed_meanwhile(self, world: World) -> None:
        follower = Follower(world.context.db, Search(agent="sealed"))
        happens(world, "sealed")
        assert agents(world, follower) == ["sealed"]
        seal(world)
        assert agents(world, follower) == []

    def test_is_told_of_what_was_sealed_before_it_was_seen(self, world: World) -> None:
        follower = Follower(world.context.db, Search(agent="quickly-sealed"))
        happens(world, "quickly-sealed")
        seal(world)
        assert agents(world, follower) == ["quickly-sealed"]
        assert agents(world, follower) == []

    def test_tells_all_of_many_writers_once(self, world: World) -> None:
        follower = Follower(world.context.db, Search(agent="busy"))
        writers = [
            threading.Thread(target=lambda: [happens(world, "busy") for _ in range(20)])
            for _ in range(4)
        ]
        for writer in writers:
            writer.start()
        told: list[str] = []
        while any(writer.is_alive() for writer in writers):
            told += [one.id for one in follower.look()]
        told += [one.id for one in follower.look()]
        assert len(told) == len(set(told)) == 80


class TestTheCommand:
    @contextmanager
    def following(self, world: World, *args: str) -> Iterator[subprocess.Popen[str]]:
        database = world.context.db.url.render_as_string(hide_password=False)
        where = [database, world.url, str(world.clock_file)]
        with subprocess.Popen(
            [sys.executable, "-m", "support.command", *where, "audit", "follow", *args],
            cwd=Path(__file__).parents[1],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            yield process
            process.kill()

    def line(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        assert process.stdout is not None
        told: dict[str, Any] = json.loads(process.stdout.readline())
        return told

    @pytest.mark.sqlite_only
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_ends_quietly_when_told_to(self, world: World, number: int) -> None:
        happens(world, "there")
        with self.following(world, "--since", "1h", "--agent", "there") as process:
            assert self.line(process)["agent"] == "there"
            process.send_signal(number)
            assert process.wait(10) == 0
            assert process.stderr is not None
            assert process.stderr.read() == ""

    @pytest.mark.sqlite_only
    def test_ends_quietly_when_nobody_reads_any_more(self, world: World) -> None:
        happens(world, "read")
        with self.following(world, "--since", "1h", "--agent", "read") as process:
            assert self.line(process)["agent"] == "read"
            assert process.stdout is not None
            process.stdout.close()
            happens(world, "read")
            assert process.wait(10) == 0
            assert process.stderr is not None
            assert process.stderr.read() == ""
