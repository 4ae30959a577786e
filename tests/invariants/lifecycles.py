"""Random histories in which tasks are reported on and come to their end, and agents change hands.

The root agent reports over HTTP; its person answers; owners leave, secrets are replaced, a
blueprint is stopped; and at any moment somebody sweeps, or seals the trail.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

from hypothesis import strategies as st
from sqlalchemy import select

from deputize.agents.lifecycle import Status
from deputize.agents.rotate import rotate_secret
from deputize.audit.merkle import leaf_hash
from deputize.audit.models import event, seal
from deputize.endings.answer_end import accept_end, deny_more_time, extend_task, reopen_task
from deputize.endings.person_left import person_left
from deputize.endings.stop_agent import stop_agent
from deputize.endings.sweep import sweep
from deputize.tasks.lifecycle import RUNNING, TaskStatus
from deputize.tasks.models import Task
from invariants.machine import FLEET, Histories
from invariants.rows import read_rows
from invariants.watching import Held, is_good
from support.agents_http import Agent
from support.agents_http import http as client
from support.running import bearer
from support.world import World

#: What the root agent says of its task.
SAID: tuple[dict[str, Any], ...] = (
    {"action": "heartbeat"},
    {"action": "heartbeat"},
    *({"action": "propose", "outcome": of} for of in ("completed", "failed", "cancelled")),
    *({"action": "extend", "expires_in": seconds} for seconds in (900, 43_200, 86_400)),
)


#: What its person answers, mostly what they were asked.
ON_AN_END = ("accept", "accept", "reopen", "reopen", "extend")
ON_TIME = ("extend", "extend", "deny", "deny", "accept", "reopen")


@dataclass
class Trail:
    """What was sealed so far: the hash of each event, by its position."""

    leaves: list[bytes] = field(default_factory=list)

    def look(self, world: World) -> None:
        """V20: what was sealed is how the trail begins, and each new event is as it was sealed."""
        with world.context.db.snapshot() as tx:
            of_seals = select(seal.c.leaves).where(seal.c.number > 0).order_by(seal.c.number)
            sealed = b"".join(tx.execute(of_seals).scalars())
            new = event.c.position > len(self.leaves)
            bodies = select(event.c.position, event.c.body).where(new).order_by(event.c.position)
            found = tx.execute(bodies).all()
        assert [row.position for row in found] == [
            len(self.leaves) + at for at in range(1, len(found) + 1)
        ]
        self.leaves += [leaf_hash(row.body) for row in found]
        assert b"".join(self.leaves) == sealed


class HistoriesOfTasks(Histories):
    """Subclasses set `world`, `workers`, and the `trail` of all that happens in it."""

    trail: Trail
    #: What leaves no event: a heartbeat, say.
    done: ClassVar[Counter[str]] = Counter()

    ACTS = (
        *Histories.ACTS,
        "report",
        "report",
        "report",
        "answer_task",
        "answer_task",
        "sweep",
        "seal",
        "replace_secret",
        "stop_fleet",
        "owner_leaves",
    )

    # -- the root agent reports ---------------------------------------------------

    def report(self, data: st.DataObject) -> None:
        """That it is there, or what came of it: mostly by a hold of the root's own."""
        self.have_something(data)
        own = [held for held in self.handed_out if self.may_report(held)]
        held = data.draw(st.sampled_from(own[-2:] * 4 + self.handed_out[-2:]))
        said = data.draw(st.sampled_from(SAID))
        self.reported(held, said)
        if said["action"] != "heartbeat" and data.draw(st.booleans()):
            self.answer_task(data)

    def may_report(self, held: Held) -> bool:
        is_hold = held.claims["aud"] == self.world.metadata["issuer"]
        return is_hold and "tasks" in held.claims["scope"].split() and is_good(held, self.before)

    def reported(self, held: Held, said: dict[str, Any]) -> None:
        before = read_rows(self.world.context.db, f"{self.name}-")
        url = f"{self.world.metadata['tasks_endpoint']}/{held.task_id}"
        answer = client.post(url, headers=bearer(held.token), json=said)
        assert answer.status_code in (200, 400, 401, 403), answer.text
        if answer.status_code == 200:
            self.check_heard(before.tasks[held.task_id], said, answer.json())
            assert before.nodes[held.claims["delegation_id"]].depth == 1, "nobody but the root"
            assert "tasks" in held.claims["scope"].split()

    def check_heard(self, was: Task, said: dict[str, Any], told: dict[str, Any]) -> None:
        self.done[said["action"]] += said["action"] != "heartbeat" or was.heartbeat is not None
        assert told["deadline"] == was.deadline, "no report moves it"
        if said["action"] != "propose":
            assert told["status"] == "open"
            assert told.get("asked_until", 0) >= (was.asked_until or 0)
        elif was.completion == "person":
            assert (told["status"], told["outcome"]) == ("proposed", said["outcome"])
        else:
            assert told["status"] == said["outcome"]

    # -- its person answers -------------------------------------------------------

    def answer_task(self, data: st.DataObject) -> None:
        """What was proposed is accepted or not; what runs gets more time or none, what is over
        none."""
        known = read_rows(self.world.context.db, f"{self.name}-").tasks
        tasks = [known[task_id] for task_id in dict.fromkeys(h.task_id for h in self.handed_out)]
        running = [of for of in tasks if of.runs_at(self.now())]
        waiting = [of for of in running if of.status == TaskStatus.PROPOSED or of.asked_until]
        over = [of for of in tasks if of.status in RUNNING and not of.runs_at(self.now())]
        of = data.draw(st.sampled_from((waiting or tasks)[-2:] + over[-2:]))
        is_proposed = of.status == TaskStatus.PROPOSED
        how = data.draw(st.sampled_from(ON_AN_END if is_proposed else ON_TIME))
        db, could_be = self.world.context.db, of.runs_at(self.now())
        if how == "accept":
            done = accept_end(db, of) is not None
        elif how == "reopen":
            done = reopen_task(db, of)
        elif how == "extend":
            longer = self.now() + data.draw(st.sampled_from((900, 86_400)))
            done = extend_task(db, of, of.asked_until or longer)
        else:
            done = deny_more_time(db, of)
        assert could_be or not done, "nothing that is over is answered"

    # -- what else happens ----------------------------------------------------------

    def sweep(self, _: st.DataObject) -> None:
        """What time has ended is written down then, and its helpers are retired."""
        sweep(self.world.context.db)
        rows = read_rows(self.world.context.db, f"{self.name}-")
        for of in rows.tasks.values():
            assert of.status not in RUNNING or of.runs_at(rows.now - 1)

    def seal(self, _: st.DataObject) -> None:
        self.world.app.extensions["deputize"].sealer.seal()
        self.trail.look(self.world)

    def stop_fleet(self, data: st.DataObject) -> None:
        """Mostly it can be resumed."""
        target = data.draw(st.sampled_from([Status.SUSPENDED] * 3 + [Status.RETIRED]))
        stop_agent(self.world.context.db, self.called(FLEET), target, why="suspended")

    def owner_leaves(self, data: st.DataObject) -> None:
        """Now and then, whoever answers for planner, and mostly for the others."""
        if data.draw(st.booleans()):
            owner = self.registered(self.called("planner")).owner
            person_left(self.world.context.db, owner or "", why="left")

    def replace_secret(self, data: st.DataObject) -> None:
        """The old one is good for as long as was said, and the one before that never."""
        checker, overlap = self.called("checker"), data.draw(st.sampled_from((0, 300)))
        secret = rotate_secret(self.world.context.db, checker, overlap)
        assert secret is not None
        self.secrets.append(secret)
        is_live = self.registered(checker).is_live(self.now())
        good = [self.is_let_in(checker, one) for one in self.secrets[-3:]]
        assert good[-2:] == [is_live and overlap > 0, is_live]
        assert not any(good[:-2])

    def is_let_in(self, client_id: str, secret: str) -> bool:
        asks = Agent(client_id, self.world.metadata, secret=secret)
        answer = asks.introspect("nothing")
        assert answer.status_code in (200, 401)
        return answer.status_code == 200
