"""Random histories of everything that makes, narrows, passes on and ends authority.

One machine plays people, agents, an administrator and the clock over real HTTP.
"""

from itertools import count
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from deputize.agents.lifecycle import Status
from deputize.agents.models import BLUEPRINT, SPAWNED
from deputize.core.secrets import digest
from deputize.delegation.persons import ensure_person
from deputize.endings.end_delegation import end_delegation
from deputize.endings.end_task import end_task
from deputize.endings.person_left import person_left
from deputize.endings.stop_agent import start_agent, stop_agent
from deputize.host import Person
from invariants.watching import Held, Watching, is_good
from support.agents_http import http as client
from support.agents_http import jwks, new_key, thumbprint
from support.world import CALENDAR, FAR, FLIGHTS, PAY, SECRET

SCOPES = ("calendar:read", "calendar:write", "flights:search", "flights:hold")
OWN = ("agents:spawn", "tasks")
SENSITIVE = "pay:transfer"
TARGETS = (CALENDAR, FLIGHTS, "issuer", None)
NAMES = ("planner", "booker", "checker")
#: Booker and checker are instances of it.
FLEET = "fleet"
_histories = count()

#: What a registration can say of the tasks that its agent is deputized for.
TASK_RULES: dict[str, st.SearchStrategy[Any]] = {
    "task_exchanges": st.sampled_from((1, None, 2, None)),
    "task_spawned": st.sampled_from((None, 1, None, 0)),
    "task_elevated": st.sampled_from((None, 2, 1, None)),
    "task_heartbeat": st.sampled_from((None, 450, None, 900)),
    "task_completion": st.sampled_from(("person", None, "person", None)),
}
#: Seconds that an agent must have left to be let act: the shortest term that is offered, and some.
SHORTEST = 960


class Histories(Watching):
    """Subclasses set what `Watching` needs."""

    #: What can happen: each as often as it stands here, and the first one more.
    ACTS: ClassVar[tuple[str, ...]] = (
        "exchange",
        "consent",
        "hand_over",
        "hand_over",
        "spawn",
        "spawn",
        "refresh",
        "something_ends",
        "edit",
        "resume",
        "time_passes",
        "time_passes",
        "time_passes",
    )

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        self.watch(f"h{next(_histories)}")
        self.people = [f"{self.name}-ana", f"{self.name}-eve"]
        for key in self.people:
            self.world.host.people[key] = Person(key, key)
        self.register(data)
        self.have_something(data)

    def register(self, data: st.DataObject) -> None:
        """Eve answers for all of them, and once she has left their sponsor, where there is one."""
        names = [self.called(name) for name in NAMES]
        with self.world.context.db.write() as tx:
            # Who has left is known of those whom we know.
            for key in (self.people[1], self.called("otto")):
                ensure_person(tx, key)
        usual = {
            "delegates_to": frozenset({SPAWNED, *names}),
            "owner": self.people[1],
            "sponsor": data.draw(st.sampled_from((self.called("otto"), None))),
        }
        self.world.register(
            self.called(FLEET), token_endpoint_auth_method=BLUEPRINT, jwks=None, **usual
        )
        fleet = self.called(FLEET)
        by_secret = {
            "token_endpoint_auth_method": "client_secret_basic",
            "secret_digest": digest(SECRET),
            "jwks": None,
        }
        self.world.register(self.called("planner"), **usual)
        self.world.register(self.called("booker"), blueprint=fleet, **usual)
        self.world.register(self.called("checker"), blueprint=fleet, **by_secret, **usual)

    @rule(data=st.data())
    def step(self, data: st.DataObject) -> None:
        getattr(self, data.draw(st.sampled_from(self.ACTS)))(data)

    # -- people -----------------------------------------------------------------

    def consent(self, data: st.DataObject) -> None:
        name, who = data.draw(st.sampled_from(NAMES)), data.draw(st.sampled_from([0, 0, 1]))
        self.deputize(name, who, data.draw(st.sampled_from([None, 900, 3600])))

    def deputize(self, name: str, who: int, until: int | None) -> None:
        asking = self.registered(self.called(name))
        # Offered to the second, the little time that an agent has left is over when it is pressed.
        if not asking.is_live(self.now() + SHORTEST):
            return
        answer = self.world.consent(
            asking.client_id,
            self.people[who],
            # No longer time is offered than the agent has.
            until=until if until and self.now() + until + 60 < asking.expires_at else None,
            redeem_with=self.agent(asking.client_id),
            scope=" ".join(sorted(asking.scope & {*SCOPES, *OWN})),
            resource=sorted(asking.resources),
        )
        self.given(answer, asking.client_id)

    # -- agents -----------------------------------------------------------------

    def exchange(self, data: st.DataObject) -> None:
        """Present a token of one's own, or one that was overheard."""
        held = self.one_held(data)
        others = [self.called(name) for name in NAMES]
        presenter = data.draw(st.sampled_from([held.presenter] * 6 + others))
        where = data.draw(st.sampled_from(TARGETS))
        got = self.exchange_of(
            held,
            presenter,
            resource=self.world.metadata["issuer"] if where == "issuer" else where,
            scope=data.draw(st.none() | self.scope_within(held)),
        )
        if got is not None:
            self.check_narrower(held, got)

    def hand_over(self, data: st.DataObject) -> None:
        """Hand some of it over; the other takes it as its hold."""
        held, to = self.one_held(data), data.draw(st.sampled_from(NAMES))
        params = {"audience": self.called(to), "scope": data.draw(self.scope_within(held))}
        given = self.exchange_of(held, held.holder, **params)
        if given is not None:
            self.check_narrower(held, given)
            self.take(given, self.called(to))

    def spawn(self, data: st.DataObject) -> None:
        """Start a helper and hand it what it was started for."""
        held = self.one_held(data)
        key, scope = new_key(), data.draw(self.scope_within(held))
        registration = self.world.metadata["registration_endpoint"]
        params = {"resource": registration, "scope": scope, "agent_jkt": thumbprint(key)}
        spawning = self.exchange_of(held, held.holder, **params)
        if spawning is None:
            return
        bearer = {"Authorization": f"Bearer {spawning.token}"}
        answer = client.post(registration, json={"jwks": jwks(key)}, headers=bearer)
        assert answer.status_code in (201, 401), answer.text
        if answer.status_code != 201:
            return
        child = answer.json()["client_id"]
        self.world.keys[child] = key
        given = self.exchange_of(held, held.holder, audience=child, scope=scope)
        if given is not None:
            self.take(given, child)

    def refresh(self, data: st.DataObject) -> None:
        """Mostly by the newest refresh token; one that was used ends what it is of."""
        token, holder = data.draw(
            st.sampled_from(self.refresh_tokens[-1:] * 4 + self.refresh_tokens[-3:])
        )
        refreshing = {"grant_type": "refresh_token", "refresh_token": token}
        answer = self.agent(holder).post("token_endpoint", **refreshing)
        given = self.given(answer, holder)
        if given is not None:
            self.exchanged[given.task_id] += 1

    def take(self, given: Held, taker: str) -> None:
        self.exchange_of(given, taker, resource=self.world.metadata["issuer"])

    def one_held(self, data: st.DataObject) -> Held:
        """Mostly one of the newest: what is old is mostly over."""
        self.have_something(data)
        newest = self.handed_out[-3:]
        return data.draw(st.sampled_from(newest * 3 + self.handed_out))

    def have_something(self, data: st.DataObject) -> None:
        """Let somebody deputize planner for a new task where all that it came to is over."""
        if not any(is_good(held, self.before) for held in self.handed_out[-3:]):
            of_tasks = {name: data.draw(said) for name, said in TASK_RULES.items()}
            self.world.edit(self.called("planner"), **of_tasks)
            self.start("planner")
            self.deputize("planner", 0, data.draw(st.sampled_from([None, None, 900])))

    def scope_within(self, held: Held) -> st.SearchStrategy[str]:
        """Mostly what the token holds, now and then more."""
        own = sorted(held.claims["scope"].split())
        within = st.sets(st.sampled_from(own), min_size=1)
        anything = st.sets(st.sampled_from((*SCOPES, *OWN)), min_size=1)
        return st.one_of(within, within, within, anything).map(lambda s: " ".join(sorted(s)))

    # -- what ends, and time -----------------------------------------------------

    def something_ends(self, data: st.DataObject) -> None:
        held = self.one_held(data)
        db, claims = self.world.context.db, held.claims
        how = data.draw(st.sampled_from(("revoke", "end", "suspend", "leave", "task", *"-----")))
        if how == "revoke":
            assert self.agent(held.holder).revoke(held.token).status_code in (200, 401)
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

    def edit(self, data: st.DataObject) -> None:
        """An administrator takes something from a registration, or gives it back.

        What an instance has of its blueprint is edited there.
        """
        everything = frozenset(self.called(n) for n in NAMES) | {SPAWNED}
        some = st.frozensets(st.sampled_from(sorted(everything)))
        edits: dict[str, st.SearchStrategy[Any]] = {
            "scope": st.frozensets(st.sampled_from((*SCOPES, *OWN, SENSITIVE)), min_size=3),
            "resources": st.just(frozenset({CALENDAR, FLIGHTS, PAY}))
            | st.just(frozenset({FLIGHTS, PAY})),
            "max_delegation_depth": st.integers(1, 5),
            "delegates_to": st.just(everything) | some,
            "expires_at": st.just(FAR) | st.integers(1, 10_000).map(lambda left: self.now() + left),
            "task": st.sampled_from(sorted(TASK_RULES)),
        }
        member = data.draw(st.sampled_from(sorted(edits)))
        value = data.draw(edits[member])
        changes = {value: data.draw(TASK_RULES[value])} if member == "task" else {member: value}
        self.world.edit(self.called(data.draw(st.sampled_from(("planner", FLEET)))), **changes)

    def resume(self, data: st.DataObject) -> None:
        self.start(data.draw(st.sampled_from((FLEET, *NAMES))))

    def start(self, name: str) -> None:
        """Resume it, and its blueprint; whom nobody answers for any more gets another owner."""
        for one in (self.called(FLEET), self.called(name)):
            if self.registered(one).owner in self.before.left:
                self.world.edit(one, owner=self.called(f"owner-{len(self.handed_out)}"))
            start_agent(self.world.context.db, one)

    def time_passes(self, data: st.DataObject) -> None:
        self.world.pass_time(data.draw(st.sampled_from([1, 30, 200, 400, 1000])))
