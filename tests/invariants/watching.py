"""What a history keeps of what it was given, and what it looks at after each step.

Whatever is handed out is kept here; then the rows, the trail, and what two workers answer are
compared with it, sentence by sentence of docs/invariants.md.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import httpx
from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import select

from deputize.agents.models import Agent, find_agent
from deputize.audit.models import event
from deputize.delegation.act_chain import actors
from deputize.delegation.quotas import EXCHANGES
from invariants.rows import Rows, read_rows
from invariants.what_holds import what_must_hold
from support import agents_http
from support.agents_http import decode
from support.world import CALENDAR, FLIGHTS, PAY, SECRET, World

APIS = {CALENDAR: "calendar-api", FLIGHTS: "flights-api", PAY: "pay-api"}
#: Tokens of what has ended in a step that are tried.
TRIED = 2


@dataclass(frozen=True)
class Held:
    """A token that the server handed out, to whom, and who may present it."""

    token: str = field(repr=False)
    holder: str

    @cached_property
    def claims(self) -> dict[str, Any]:
        return decode(self.token)[1]

    @property
    def task_id(self) -> str:
        return str(self.claims["task_id"])

    @property
    def presenter(self) -> str:
        return str(self.claims.get("may_act", self.claims["act"])["sub"])


def is_good(held: Held, rows: Rows) -> bool:
    """Tell whether the token is good by these rows, or made since they were read."""
    node = rows.nodes.get(held.claims["delegation_id"])
    return node is None or (rows.is_alive(node) and rows.now < held.claims["exp"])


class Watching(RuleBasedStateMachine):
    """Subclasses set `world`, and the metadata of its `workers`."""

    world: World
    workers: list[dict[str, Any]]

    def watch(self, name: str) -> None:
        """Begin a history: all that it makes is called after it."""
        self.name = name
        self.handed_out: list[Held] = []
        self.refresh_tokens: list[tuple[str, str]] = []
        #: Of checker, the newest last.
        self.secrets = [SECRET]
        self.exchanged: Counter[str] = Counter()
        self.told: dict[str, tuple[str, dict[str, Any]]] = {}
        self.before = Rows(self.now())

    def called(self, name: str) -> str:
        return f"{self.name}-{name}"

    def agent(self, client_id: str) -> agents_http.Agent:
        """Return the agent as its developer runs it; checker has a secret, the others keys."""
        if client_id == self.called("checker"):
            return replace(self.world.with_secret(client_id), secret=self.secrets[-1])
        return self.world.agent(client_id)

    def given(self, response: httpx.Response, holder: str) -> Held | None:
        """Keep a token that was handed out; a refusal is an OAuth error and nothing else."""
        assert response.status_code in (200, 400, 401), response.text
        if response.status_code != 200:
            assert "error" in response.json()
            return None
        answer = response.json()
        held = Held(answer["access_token"], holder)
        if not held.token.startswith("dspw_"):
            self.handed_out.append(held)
        if "refresh_token" in answer:
            self.refresh_tokens.append((answer["refresh_token"], holder))
        return held

    def exchange_of(self, held: Held, by: str, **params: Any) -> Held | None:
        """Let `by` exchange the token; what is answered is counted against the task's budget."""
        return self.counted(self.agent(by).exchange(held.token, **params), held.task_id, by)

    def counted(self, answer: httpx.Response, task_id: str, holder: str) -> Held | None:
        given = self.given(answer, holder)
        self.exchanged[task_id] += given is not None
        return given

    @invariant()
    def what_must_hold(self) -> None:
        self.check(read_rows(self.world.context.db, f"{self.name}-"))

    def check(self, rows: Rows) -> None:
        what_must_hold(self.before, rows, self.world.context.settings)
        self.what_is_dead_is_inactive(rows)
        self.nothing_is_made_below_what_has_ended(rows)
        self.each_token_has_one_event()
        self.each_end_of_a_task_has_one_event(rows)
        for task_id, number in self.exchanged.items():
            assert rows.used.get(f"{EXCHANGES.name}:{task_id}", 0) == number, "no more, no less"
        self.before = rows

    def check_narrower(self, held: Held, got: Held) -> None:
        """V3, V4, V6, V7: of the token that was returned for a token."""
        before, after = held.claims, got.claims
        assert set(after["scope"].split()) <= set(before["scope"].split())
        assert after["sub"] == before["sub"]
        assert after["task_id"] == before["task_id"]
        chain, older = list(actors(after["act"])), list(actors(before["act"]))
        assert chain in (older, [got.holder, *older])
        assert chain[0] == after["client_id"] == got.holder
        assert len(set(chain)) == len(chain)

    def what_is_dead_is_inactive(self, rows: Rows) -> None:
        """V9: of the newest tokens, by introspection, on one worker or the other."""
        for held in self.handed_out[-3:]:
            if held.claims["aud"] in APIS:
                answer = self.told_by(held, self.workers[len(self.handed_out) % 2])
                assert answer["active"] in (is_good(held, rows), False)
                assert answer["active"] or answer == {"active": False}

    def nothing_is_made_below_what_has_ended(self, rows: Rows) -> None:
        """V1, V9: of what was alive a step ago, tokens that were handed out for it."""
        was = self.before.nodes.values()
        gone = {n.id for n in was if self.before.is_alive(n)} - {
            n.id for n in rows.nodes.values() if rows.is_alive(n)
        }
        dead = [held for held in self.handed_out if held.claims["delegation_id"] in gone]
        for held in dead[-TRIED:]:
            for worker in self.workers:
                assert not self.told_by(held, worker).get("active")
            made = self.agent(held.presenter).exchange(held.token)
            assert made.status_code in (400, 401), made.text

    def told_by(self, held: Held, worker: dict[str, Any]) -> dict[str, Any]:
        """Return what a worker tells whoever the token is for."""
        aud = held.claims["aud"]
        asks = self.world.api(APIS[aud]) if aud in APIS else self.agent(held.presenter)
        told: dict[str, Any] = replace(asks, metadata=worker).introspect(held.token).json()
        return told

    def each_token_has_one_event(self) -> None:
        """V13, V7: no token without its event, no event without its token."""
        jtis = (facts["jti"] for facts in self.happened("delegation.issued"))
        assert sorted(jtis) == sorted(held.claims["jti"] for held in self.handed_out)

    def each_end_of_a_task_has_one_event(self, rows: Rows) -> None:
        ended = Counter(facts["task_id"] for facts in self.happened("task.ended"))
        assert ended == {of.id: 1 for of in rows.tasks.values() if of.ended_at is not None}

    def happened(self, kind: str) -> Iterable[dict[str, Any]]:
        """Return what the trail says of that kind about this history; new lines are read."""
        since = select(event.c.id, event.c.kind, event.c.body).where(
            event.c.at >= self.before.now, event.c.agent.startswith(f"{self.name}-")
        )
        with self.world.context.db.read() as tx:
            for row in tx.execute(since):
                if row.id not in self.told:
                    self.told[row.id] = (row.kind, json.loads(row.body))
        return [facts for of, facts in self.told.values() if of == kind]

    def now(self) -> int:
        return self.world.context.db.clock.now()

    def registered(self, client_id: str) -> Agent:
        with self.world.context.db.read() as tx:
            found = find_agent(tx, client_id)
        assert found is not None
        return found
