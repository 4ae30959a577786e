"""Random histories of everything that makes, narrows, passes on and ends authority.

One machine plays people, agents, an administrator and the clock over real HTTP, keeps
what it was given, and after each step looks whether the sentences of docs/invariants.md
hold in the rows and in what introspection answers.
"""

import json
from dataclasses import dataclass
from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from deputize.agents.lifecycle import Status
from deputize.agents.models import SPAWNED, Agent, agent, agent_from_row
from deputize.audit.models import event
from deputize.delegation.act_chain import actors
from deputize.delegation.models import delegation, delegation_from_row, person
from deputize.delegation.node import Delegation
from deputize.endings.end_delegation import end_delegation
from deputize.endings.end_task import end_task
from deputize.endings.person_left import person_left
from deputize.endings.stop_agent import start_agent, stop_agent
from deputize.host import Person
from deputize.tasks.lifecycle import TaskStatus
from deputize.tasks.models import task
from support.agents_http import decode, jwks, new_key, thumbprint
from support.agents_http import http as client
from support.world import CALENDAR, FAR, FLIGHTS, PAY, World

SCOPES = ("calendar:read", "calendar:write", "flights:search", "flights:hold")
OWN = ("agents:spawn", "tasks")
SENSITIVE = "pay:transfer"
TARGETS = (CALENDAR, FLIGHTS, "issuer", None)
NAMES = ("planner", "booker", "checker")
APIS = {CALENDAR: "calendar-api", FLIGHTS: "flights-api", PAY: "pay-api"}
_histories = count()


@dataclass(frozen=True)
class Held:
    """A token that the server handed out, to whom, and who may present it."""

    token: str
    holder: str

    @property
    def presenter(self) -> str:
        claims = decode(self.token)[1]
        return str(claims.get("may_act", claims["act"])["sub"])


@dataclass(frozen=True)
class Rows:
    """What is in the database after a step."""

    now: int
    nodes: dict[str, Delegation]
    agents: dict[str, Agent]
    tasks: dict[str, str]
    persons: dict[str, str]


def is_alive(node: Delegation, now: int) -> bool:
    return node.ended_at is None and now < node.expires_at


class Histories(RuleBasedStateMachine):
    """Subclasses set `world`."""

    world: World

    @initialize()
    def begin(self) -> None:
        self.name = f"h{next(_histories)}"
        self.handed_out: list[Held] = []
        self.seen_nodes: dict[str, Delegation] = {}
        self.seen_agents: dict[str, Agent] = {}
        self.people = [f"{self.name}-ana", f"{self.name}-eve"]
        for key in self.people:
            self.world.host.people[key] = Person(key, key)
        names = [f"{self.name}-{name}" for name in NAMES]
        for name in names:
            self.world.register(name, delegates_to=frozenset({SPAWNED, *names}))
        self.consent("planner", 0)

    def called(self, name: str) -> str:
        return f"{self.name}-{name}"

    def given(self, response: Any, holder: str) -> Held | None:
        """Keep a token that was handed out; a refusal is an OAuth error and nothing else."""
        assert response.status_code in (200, 400, 401), response.text
        if response.status_code != 200:
            assert "error" in response.json()
            return None
        held = Held(response.json()["access_token"], holder)
        if not held.token.startswith("dspw_"):
            self.handed_out.append(held)
        return held

    # -- people -----------------------------------------------------------------

    @rule(name=st.sampled_from(NAMES), who=st.sampled_from([0, 0, 1]))
    def consent(self, name: str, who: int) -> None:
        asking = self.agents()[self.called(name)]
        if not asking.is_live(self.now()):
            return
        answer = self.world.consent(
            asking.client_id,
            self.people[who],
            scope=" ".join(sorted(asking.scope & {*SCOPES, *OWN})),
            resource=sorted(asking.resources),
        )
        self.given(answer, asking.client_id)

    # -- agents -----------------------------------------------------------------

    @rule(data=st.data())
    def exchange(self, data: st.DataObject) -> None:
        """Present a token of one's own, or one that was overheard."""
        held = self.one_held(data)
        others = [self.called(name) for name in NAMES]
        presenter = data.draw(st.sampled_from([held.presenter] * 6 + others))
        where = data.draw(st.sampled_from(TARGETS))
        params = {
            "resource": self.world.metadata["issuer"] if where == "issuer" else where,
            "scope": data.draw(st.none() | self.scope_within(held)),
        }
        got = self.given(self.world.agent(presenter).exchange(held.token, **params), presenter)
        if got is not None:
            self.check_narrower(held, got)

    @rule(to=st.sampled_from(NAMES), data=st.data())
    def hand_over(self, to: str, data: st.DataObject) -> None:
        """Hand some of it over; the other takes it as its hold."""
        held = self.one_held(data)
        params = {"audience": self.called(to), "scope": data.draw(self.scope_within(held))}
        given = self.given(
            self.world.agent(held.holder).exchange(held.token, **params), held.holder
        )
        if given is not None:
            self.check_narrower(held, given)
            self.take(given, self.called(to))

    @rule(data=st.data())
    def spawn(self, data: st.DataObject) -> None:
        """Start a helper and hand it what it was started for."""
        held = self.one_held(data)
        key, scope = new_key(), data.draw(self.scope_within(held))
        giver = self.world.agent(held.holder)
        registration = self.world.metadata["registration_endpoint"]
        params = {"resource": registration, "scope": scope, "agent_jkt": thumbprint(key)}
        spawning = self.given(giver.exchange(held.token, **params), held.holder)
        if spawning is None:
            return
        bearer = {"Authorization": f"Bearer {spawning.token}"}
        answer = client.post(registration, json={"jwks": jwks(key)}, headers=bearer)
        assert answer.status_code in (201, 401), answer.text
        if answer.status_code != 201:
            return
        child = answer.json()["client_id"]
        self.world.keys[child] = key
        given = self.given(giver.exchange(held.token, audience=child, scope=scope), held.holder)
        if given is not None:
            self.take(given, child)

    def take(self, given: Held, taker: str) -> None:
        issuer = self.world.metadata["issuer"]
        self.given(self.world.agent(taker).exchange(given.token, resource=issuer), taker)

    def one_held(self, data: st.DataObject) -> Held:
        """Mostly one of the newest: what is old is mostly over."""
        newest = self.handed_out[-3:]
        return data.draw(st.sampled_from(newest * 3 + self.handed_out))

    def scope_within(self, held: Held) -> st.SearchStrategy[str]:
        """Mostly what the token holds, now and then more."""
        own = sorted(decode(held.token)[1]["scope"].split())
        within = st.sets(st.sampled_from(own), min_size=1)
        anything = st.sets(st.sampled_from((*SCOPES, *OWN)), min_size=1)
        return st.one_of(within, within, within, anything).map(lambda s: " ".join(sorted(s)))

    # -- what ends, and time -----------------------------------------------------

    @rule(data=st.data())
    def something_ends(self, data: st.DataObject) -> None:
        held = self.one_held(data)
        db, claims = self.world.context.db, decode(held.token)[1]
        how = data.draw(st.sampled_from(("revoke", "end", "suspend", "leave", "task", *"-----")))
        if how == "revoke":
            assert self.world.agent(held.holder).revoke(held.token).status_code in (200, 401)
        elif how == "end":
            end_delegation(db, claims["delegation_id"], why="ended_by_person")
        elif how == "suspend" and held.holder.startswith(f"{self.name}-"):
            stop_agent(db, held.holder, Status.SUSPENDED, why="suspended")
            if data.draw(st.booleans()):
                start_agent(db, held.holder)
        elif how == "leave":
            person_left(db, claims["sub"], why="left")
        elif how == "task":
            end_task(db, claims["task_id"], why="cancelled")

    @rule(name=st.sampled_from(NAMES), data=st.data())
    def edit(self, name: str, data: st.DataObject) -> None:
        """An administrator takes something from a registration, or gives it back."""
        everything = frozenset(self.called(n) for n in NAMES) | {SPAWNED}
        some = st.frozensets(st.sampled_from(sorted(everything)))
        edits: dict[str, st.SearchStrategy[Any]] = {
            "scope": st.frozensets(st.sampled_from((*SCOPES, *OWN, SENSITIVE)), min_size=3),
            "resources": st.just(frozenset({CALENDAR, FLIGHTS, PAY}))
            | st.just(frozenset({FLIGHTS, PAY})),
            "max_delegation_depth": st.integers(1, 5),
            "delegates_to": st.just(everything) | some,
            "expires_at": st.just(FAR) | st.integers(1, 10_000).map(lambda left: self.now() + left),
        }
        member = data.draw(st.sampled_from(sorted(edits)))
        self.world.edit(self.called(name), **{member: data.draw(edits[member])})

    @rule(name=st.sampled_from(NAMES))
    def resume(self, name: str) -> None:
        start_agent(self.world.context.db, self.called(name))

    @rule(seconds=st.sampled_from([1, 30, 200, 400]))
    def time_passes(self, seconds: int) -> None:
        self.world.pass_time(seconds)

    # -- what must hold ----------------------------------------------------------

    @invariant()
    def what_must_hold(self) -> None:
        self.check(Rows(self.now(), self.nodes(), self.agents(), self.tasks(), self.persons()))

    def check(self, rows: Rows) -> None:
        self.authority_only_narrows(rows)
        self.what_was_taken_or_ended_stays_so(rows)
        self.what_is_dead_is_inactive(rows)
        self.each_token_has_one_event()
        self.spawned_agents_end_with_their_task(rows)

    def check_narrower(self, held: Held, got: Held) -> None:
        """V3, V4, V6, V7: of the token that was returned for a token."""
        before, after = decode(held.token)[1], decode(got.token)[1]
        assert set(after["scope"].split()) <= set(before["scope"].split())
        assert after["sub"] == before["sub"]
        assert after["task_id"] == before["task_id"]
        chain, older = list(actors(after["act"])), list(actors(before["act"]))
        assert chain in (older, [got.holder, *older])
        assert chain[0] == after["client_id"] == got.holder
        assert len(set(chain)) == len(chain)

    def authority_only_narrows(self, rows: Rows) -> None:
        """V1, V3, V4, V6, V7, V8 of every node."""
        for node in rows.nodes.values():
            parent = rows.nodes[node.parent_id] if node.parent_id else None
            if parent is not None:
                self.check_child(node, parent)
            if is_alive(node, rows.now):
                self.check_alive(node, rows)
                if parent is not None:
                    self.check_below(node, parent, rows.now)

    def check_child(self, node: Delegation, parent: Delegation) -> None:
        assert node.person_id == parent.person_id
        assert node.task_id == parent.task_id
        assert node.path == f"{parent.path}{node.id}/"
        if node.actor != parent.actor:
            assert parent.target == node.actor, "no actor changes but by a hand-over to it"
            assert node.chain == (*parent.chain, node.actor)
        else:
            assert node.chain == parent.chain
        assert parent.ended_at is None or node.ended_at is not None

    def check_alive(self, node: Delegation, rows: Rows) -> None:
        assert rows.tasks[node.task_id] == TaskStatus.OPEN
        assert rows.persons[node.person_id] == "active"
        for name in node.chain:
            assert rows.agents[name].status == Status.ACTIVE
            assert node.scope <= rows.agents[name].scope
            assert node.resources <= rows.agents[name].resources
            assert rows.now < node.expires_at <= rows.agents[name].expires_at
            assert node.depth <= rows.agents[name].max_delegation_depth
        assert len(set(node.chain)) == node.depth == len(node.chain)

    def check_below(self, node: Delegation, parent: Delegation, now: int) -> None:
        assert is_alive(parent, now)
        assert node.scope <= parent.scope | self.approved_for(node)
        assert node.resources <= parent.resources
        assert node.expires_at <= parent.expires_at
        assert node.max_depth <= parent.max_depth
        assert node.pass_on <= parent.pass_on

    def approved_for(self, node: Delegation) -> frozenset[str]:
        """Return what a person approved for exactly this node: here, nobody is asked."""
        return frozenset()

    def what_was_taken_or_ended_stays_so(self, rows: Rows) -> None:
        """V2, V16: over time a node only shrinks, and an end is final."""
        for node_id, before in self.seen_nodes.items():
            after = rows.nodes[node_id]
            assert before.ended_at is None or after.ended_at == before.ended_at
            assert after.scope <= before.scope
            assert after.resources <= before.resources
            assert after.pass_on <= before.pass_on
            assert after.expires_at <= before.expires_at
            assert after.max_depth <= before.max_depth
        for client_id, agent_before in self.seen_agents.items():
            if agent_before.status == Status.RETIRED:
                assert rows.agents[client_id].status == Status.RETIRED
        self.seen_nodes, self.seen_agents = rows.nodes, rows.agents

    def what_is_dead_is_inactive(self, rows: Rows) -> None:
        """V9: of the newest tokens, by introspection."""
        for held in self.handed_out[-4:]:
            claims = decode(held.token)[1]
            node = rows.nodes[claims["delegation_id"]]
            alive = is_alive(node, rows.now) and rows.now < claims["exp"]
            if claims["aud"] in APIS:
                api = APIS[claims["aud"]]
                answer = self.world.api(api).introspect(held.token).json()
                assert answer["active"] in (alive, False)
                assert alive or answer == {"active": False}

    def each_token_has_one_event(self) -> None:
        """V13, V7: no token without its event, no event without its token."""
        asked = select(event.c.body).where(
            event.c.kind == "delegation.issued", event.c.agent.like(f"{self.name}-%")
        )
        with self.world.context.db.read() as tx:
            jtis = [json.loads(body)["jti"] for body in tx.execute(asked).scalars()]
        assert sorted(jtis) == sorted(decode(h.token)[1]["jti"] for h in self.handed_out)

    def spawned_agents_end_with_their_task(self, rows: Rows) -> None:
        """V18."""
        for child in (a for a in rows.agents.values() if a.parent):
            parent = rows.agents[child.parent or ""]
            if child.status != Status.RETIRED:
                assert child.expires_at <= parent.expires_at
                assert rows.tasks[child.task_id or ""] == TaskStatus.OPEN
                assert child.scope <= parent.scope

    # -- what is there -----------------------------------------------------------

    def now(self) -> int:
        return self.world.context.db.clock.now()

    def nodes(self) -> dict[str, Delegation]:
        asked = select(delegation).where(delegation.c.chain.like(f"{self.name}-%"))
        with self.world.context.db.read() as tx:
            found = [delegation_from_row(row) for row in tx.execute(asked).mappings()]
        return {node.id: node for node in found}

    def agents(self) -> dict[str, Agent]:
        asked = select(agent).where(agent.c.client_id.like(f"{self.name}-%"))
        with self.world.context.db.read() as tx:
            found = [agent_from_row(row) for row in tx.execute(asked).mappings()]
        return {a.client_id: a for a in found}

    def tasks(self) -> dict[str, str]:
        with self.world.context.db.read() as tx:
            asked = select(task.c.id, task.c.status).where(task.c.agent.like(f"{self.name}-%"))
            return {row.id: row.status for row in tx.execute(asked)}

    def persons(self) -> dict[str, str]:
        with self.world.context.db.read() as tx:
            mine = person.c.host_key.like(f"{self.name}-%")
            asked = select(person.c.id, person.c.status).where(mine)
            return {row.id: row.status for row in tx.execute(asked)}
