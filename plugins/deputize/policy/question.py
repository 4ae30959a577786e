"""What a decision point is asked: one question, in the same words for Cedar and for AuthZEN.

Only what the server knows without asking anybody. Times are told as ages and as the hour, so
that a rule needs no clock; the question is kept without the present, so that the same one is
known again. Pure.
"""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ..core.values import Words

#: Seconds for which an agent is a new one.
NEW = 86_400


@dataclass(frozen=True, slots=True)
class AgentFacts:
    """What is registered of the agent that would hold the token.

    :param origin: `declared`, `self` or `spawned`
    :param owner: the host's key of who answers for it
    :param created_at: NumericDate
    :param is_unconfirmed: whether no administrator has let it in
    :param refused: requests of its that a rule refused lately
    :param denied: times that a person said no to it lately
    """

    client_id: str
    origin: str
    status: str
    owner: str | None
    created_at: int
    is_unconfirmed: bool = False
    refused: int = 0
    denied: int = 0


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """The task that it is for.

    :param id: None where the task begins with what is asked about
    :param started_at: NumericDate, as `deadline`; None likewise
    """

    id: str | None
    started_at: int | None
    deadline: int


@dataclass(frozen=True, slots=True)
class SignIn:
    """How the person had signed in when they consented, or approved.

    :param auth_time: NumericDate
    """

    auth_time: int
    acr: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """May this be done now?

    :param action: `issue`, `approve` or `introspect`
    :param kind: what the resource is: `api`, `issuer` or `agent`
    :param details: as a node keeps them
    :param person: our id of the person, never their name; None where an agent acts for itself
    :param chain: client ids, the first deputized first
    :param approved: whether the person gave their fresh word for exactly this
    :param now: NumericDate
    """

    action: str
    agent: AgentFacts
    resource: str
    scope: Words
    chain: tuple[str, ...]
    now: int
    kind: str = "api"
    grant_type: str = ""
    details: str | None = None
    person: str | None = None
    task: TaskFacts | None = None
    sign_in: SignIn | None = None
    approved: bool = False

    @property
    def timeless(self) -> "Question":
        """The same question at no time: by which an answer is kept."""
        # What was refused lately is of the time, and a no would be one more.
        return replace(self, now=0, agent=replace(self.agent, refused=0, denied=0))

    @property
    def authorization_details(self) -> list[dict[str, Any]]:
        return json.loads(self.details) if self.details else []

    def agent_members(self) -> dict[str, Any]:
        """Return the attributes of the agent."""
        agent = self.agent
        members = {
            "origin": agent.origin,
            "status": agent.status,
            "age": max(0, self.now - agent.created_at),
        }
        return members | ({"owner": agent.owner} if agent.owner else {})

    def context(self) -> dict[str, Any]:
        """Return all else, by its name in a rule."""
        return {
            "approved": self.approved,
            "chain": list(self.chain),
            "root": self.chain[0],
            "depth": len(self.chain),
            "scope": sorted(self.scope),
            "details_types": sorted({one["type"] for one in self.authorization_details}),
            "signals": self._signals(),
            "time": _time(self.now),
            **self._if_known(),
        }

    def _signals(self) -> dict[str, bool | int]:
        agent = self.agent
        return {
            "self_registered": agent.origin == "self",
            "unconfirmed": agent.is_unconfirmed,
            "spawned": agent.origin == "spawned",
            "new_agent": self.now - agent.created_at < NEW,
            "handed_over": len(self.chain) > 1,
            "refused": agent.refused,
            "denied": agent.denied,
        }

    def _if_known(self) -> dict[str, Any]:
        """Return the members that a question may lack."""
        told: dict[str, Any] = {}
        if self.grant_type:
            told["grant_type"] = self.grant_type
        if self.person is not None:
            told["person"] = self.person
        if self.task is not None:
            told["task"] = self._task(self.task)
        if self.sign_in is not None:
            acr = {"acr": self.sign_in.acr} if self.sign_in.acr else {}
            told["sign_in"] = {"age": max(0, self.now - self.sign_in.auth_time), **acr}
        return told

    def _task(self, task: TaskFacts) -> dict[str, Any]:
        started_at = self.now if task.started_at is None else task.started_at
        members = {
            "age": max(0, self.now - started_at),
            "seconds_left": max(0, task.deadline - self.now),
        }
        return members | ({"id": task.id} if task.id is not None else {})


def _time(now: int) -> dict[str, int]:
    """Return the time as rules read it, in UTC; Monday is 1 (ISO 8601)."""
    at = datetime.fromtimestamp(now, UTC)
    return {"epoch": now, "hour": at.hour, "weekday": at.isoweekday()}
