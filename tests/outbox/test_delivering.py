"""What is stored with a decision is sent, once it is due, until it has arrived or is too late."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from multiprocessing import get_context
from multiprocessing.connection import Connection

import pytest
from sqlalchemy import func, select

from deputize.cli import deputize
from deputize.endings.sweep import KEPT, sweep
from deputize.outbox.claim import CLAIMED, PER_DESTINATION, claim, settle
from deputize.outbox.deliver import Deliverer, InEachProcess
from deputize.outbox.delivery import NotDelivered
from deputize.outbox.enqueue import bring_forward, enqueue
from deputize.outbox.models import Line, outbox
from support.world import World

WAIT = 20  # seconds, of what takes milliseconds


@dataclass
class Arrived:
    """What takes deliveries, and may fail."""

    subjects: list[str] = field(default_factory=list)
    failing: bool = False

    def __call__(self, line: Line) -> str:
        self.subjects.append(line.subject)
        if self.failing:
            raise NotDelivered("HTTP 503")
        return "told"


@pytest.fixture
def arrived() -> Arrived:
    return Arrived()


class TestWhatIsSent:
    def test_what_is_due_is_sent_once_and_leaves_an_event(
        self, world: World, arrived: Arrived
    ) -> None:
        put(world, "one")
        assert deliver(world, arrived) == 1
        assert deliver(world, arrived) == 0
        assert arrived.subjects == ["one"]
        (told,) = world.events("outbox.delivered")
        expected = {"what": "word", "subject": "one", "destination": "planner", "outcome": "told"}
        assert expected.items() <= told["facts"].items()

    def test_nothing_is_sent_of_what_was_rolled_back(self, world: World, arrived: Arrived) -> None:
        with suppress(ZeroDivisionError), world.context.db.write() as tx:
            enqueue(tx, "word", "one", "planner", due_at=tx.now, expires_at=tx.now + 60)
            raise ZeroDivisionError
        assert deliver(world, arrived) == 0

    def test_what_is_due_later_waits_or_is_brought_forward(
        self, world: World, arrived: Arrived
    ) -> None:
        put(world, "one", after=50)
        put(world, "two", after=50)
        assert deliver(world, arrived) == 0
        with world.context.db.write() as tx:
            assert bring_forward(tx, "word", ["one"]) == 1
        assert deliver(world, arrived) == 1
        world.pass_time(50)
        deliver(world, arrived)
        assert arrived.subjects == ["one", "two"]

    def test_a_kind_that_nobody_here_knows_is_left_to_who_does(
        self, world: World, arrived: Arrived
    ) -> None:
        put(world, "one", kind="other")
        assert deliver(world, arrived) == 0
        assert _waiting(world) == 1

    def test_what_was_done_with_is_forgotten_after_a_while(
        self, world: World, arrived: Arrived
    ) -> None:
        put(world, "one")
        deliver(world, arrived)
        put(world, "two", after=7 * KEPT)
        world.pass_time(KEPT + 1)
        sweep(world.context.db)
        with world.context.db.read() as tx:
            assert tx.execute(select(outbox.c.subject)).scalars().all() == ["two"]


class TestWhatDoesNotArrive:
    def test_it_is_tried_again_less_and_less_often_until_it_is_too_late(
        self, world: World, arrived: Arrived
    ) -> None:
        arrived.failing = True
        put(world, "one", lasts=60)
        tried = []
        for second in range(70):
            if deliver(world, arrived):
                tried.append(second)
            world.pass_time(1)
        pauses = [after - before for before, after in pairwise(tried)]
        assert pauses == sorted(pauses)
        assert 4 <= len(tried) <= 6
        (given_up,) = world.events("outbox.given_up")
        assert given_up["facts"]["attempts"] == len(tried)
        assert given_up["facts"]["outcome"] == "HTTP 503"

    def test_it_arrives_when_the_other_side_is_back(self, world: World, arrived: Arrived) -> None:
        arrived.failing = True
        put(world, "one")
        deliver(world, arrived)
        arrived.failing = False
        world.pass_time(5)
        assert deliver(world, arrived) == 1
        assert world.events("outbox.given_up") == []

    def test_what_was_due_while_nothing_ran_is_not_sent_when_it_is_too_late(
        self, world: World, arrived: Arrived
    ) -> None:
        put(world, "one", lasts=60)
        world.pass_time(60)
        deliver(world, arrived)
        assert arrived.subjects == []
        assert [e["facts"]["outcome"] for e in world.events("outbox.given_up")] == ["too late"]

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_a_defect_of_one_delivery_stops_nothing_else(
        self, world: World, arrived: Arrived
    ) -> None:
        def defect(line: Line) -> str:
            if line.subject == "one":
                raise ZeroDivisionError
            return arrived(line)

        put(world, "one")
        put(world, "two", to="booker")
        deliver(world, defect)
        assert arrived.subjects == ["two"]
        world.pass_time(CLAIMED)
        deliver(world, arrived)
        assert arrived.subjects == ["two", "one"]


class TestClaims:
    def test_any_number_of_workers_send_each_line_once(
        self, world: World, arrived: Arrived
    ) -> None:
        for number in range(40):
            put(world, f"{number}", to=f"agent-{number % 9}")
        workers = [threading.Thread(target=deliver, args=(world, arrived)) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(WAIT)
        deliver(world, arrived)
        assert sorted(arrived.subjects, key=int) == [f"{number}" for number in range(40)]
        assert len(world.events("outbox.delivered")) == 40

    def test_the_claim_of_a_worker_that_died_lapses(self, world: World, arrived: Arrived) -> None:
        put(world, "one")
        (of_the_dead,) = claim(world.context.db, 5, ["word"], [])
        assert deliver(world, arrived) == 0
        world.pass_time(CLAIMED)
        assert deliver(world, arrived) == 1
        settle(world.context.db, of_the_dead, NotDelivered("it was not dead, but slow"))
        assert _waiting(world) == 0
        assert len(world.events("outbox.delivered")) == 1

    def test_who_does_not_answer_holds_up_nobody_else(self, world: World, arrived: Arrived) -> None:
        answered = threading.Event()

        def slow(line: Line) -> str:
            if line.destination == "slow":
                assert answered.wait(WAIT)
            else:
                others.release()
            return arrived(line)

        others = threading.Semaphore(0)
        for number in range(12):
            put(world, f"slow-{number}", to="slow")
        for number in range(6):
            put(world, f"quick-{number}", to=f"quick-{number}")
        sending = threading.Thread(target=deliver, args=(world, slow))
        sending.start()
        arrive = [others.acquire(timeout=WAIT) for _ in range(6)]
        claimed = [subject for subject in arrived.subjects if subject.startswith("slow")]
        answered.set()
        sending.join(WAIT)
        assert all(arrive)
        assert claimed == []
        assert len(arrived.subjects) == 18

    def test_one_destination_is_sent_few_at_a_time(self, world: World) -> None:
        for number in range(12):
            put(world, f"{number}", to="slow")
        put(world, "last", to="quick")
        claimed = claim(world.context.db, 8, ["word"], [])
        assert [line.destination for line in claimed].count("slow") == PER_DESTINATION
        assert "last" in [line.subject for line in claimed]


class TestWhoSends:
    def test_a_process_sends_from_its_first_request_on_and_so_does_its_child(self) -> None:
        """A thread is not copied by a fork: the child begins one of its own."""
        made: list[int] = []

        def make() -> Deliverer:
            made.append(1)
            return _Idle()

        sending = InEachProcess(make, threading.Event())
        sending.begin()
        sending.begin()
        assert made == [1]
        here, there = get_context("fork").Pipe(duplex=False)
        child = get_context("fork").Process(target=_begin, args=(sending, made, there))
        child.start()
        assert here.poll(WAIT)
        assert here.recv() == 2
        child.join(WAIT)

    def test_the_command_sends_what_is_due(self, world: World) -> None:
        told = world.app.test_cli_runner().invoke(deputize, ["deliver"])
        assert (told.exit_code, told.output) == (0, "0 attempts made\n")


def _begin(sending: InEachProcess, made: list[int], there: Connection) -> None:
    sending.begin()
    there.send(len(made))


class _Idle(Deliverer):
    """Has nothing to send."""

    def __init__(self) -> None:
        pass

    def run(self, stop: threading.Event) -> None:
        pass


def put(
    world: World,
    subject: str,
    *,
    kind: str = "word",
    to: str = "planner",
    after: int = 0,
    lasts: int = 600,
) -> None:
    with world.context.db.write() as tx:
        due_at = tx.now + after
        enqueue(tx, kind, subject, to, due_at=due_at, expires_at=due_at + lasts)


def deliver(world: World, delivery: Callable[[Line], str]) -> int:
    return Deliverer(world.context.db, {"word": delivery}, at_once=4).deliver_due()


def _waiting(world: World) -> int:
    waits = select(func.count()).where(outbox.c.done_at.is_(None))
    with world.context.db.read() as tx:
        return int(tx.execute(waits).scalar_one())
