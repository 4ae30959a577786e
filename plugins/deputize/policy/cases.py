"""Cases that a policy is to meet, written as TOML: a question, and what must come of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from ..core.values import canonical_json, words
from ..typed_toml import mistakes, raise_mistakes, read_toml
from .point import DecisionPoint, Outcome, Verdict
from .question import AgentFacts, Question, SignIn, TaskFacts


class Case(BaseModel):
    """One case. What it does not say is usual: an agent of long ago, at noon, in a new task."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    expect: Literal["allow", "deny", "step-up"]
    agent: str
    resource: str
    name: str = ""
    by: tuple[str, ...] | None = None
    action: Literal["issue", "approve", "introspect"] = "issue"
    chain: tuple[str, ...] = ()
    scope: str = ""
    authorization_details: tuple[dict[str, Any], ...] = ()
    kind: Literal["api", "issuer", "agent"] = "api"
    grant_type: str = ""
    approved: bool = False
    person: str | None = "somebody"
    origin: Literal["declared", "self", "spawned"] = "declared"
    status: str = "active"
    owner: str | None = None
    unconfirmed: bool = False
    refused: Annotated[int, Field(ge=0)] = 0
    denied: Annotated[int, Field(ge=0)] = 0
    agent_age: Annotated[int, Field(ge=0)] = 365 * 86_400
    task_age: Annotated[int, Field(ge=0)] = 0
    seconds_left: Annotated[int, Field(ge=0)] = 3600
    sign_in_age: Annotated[int, Field(ge=0)] = 60
    acr: str | None = None
    at: AwareDatetime = datetime(2026, 1, 7, 12, tzinfo=UTC)

    def question(self) -> Question:
        """Return what is asked."""
        now = int(self.at.timestamp())
        agent = AgentFacts(
            client_id=self.agent,
            origin=self.origin,
            status=self.status,
            owner=self.owner,
            created_at=now - self.agent_age,
            is_unconfirmed=self.unconfirmed,
            refused=self.refused,
            denied=self.denied,
        )
        details = list(self.authorization_details)
        for_itself = self.person is None
        task = TaskFacts("task", now - self.task_age, now + self.seconds_left)
        return Question(
            action=self.action,
            agent=agent,
            resource=self.resource,
            kind=self.kind,
            scope=words(self.scope),
            chain=self.chain or (self.agent,),
            now=now,
            grant_type=self.grant_type,
            details=canonical_json(details).decode() if details else None,
            person=self.person,
            task=None if for_itself else task,
            sign_in=None if for_itself else SignIn(now - self.sign_in_age, self.acr),
            approved=self.approved,
        )

    def what_differs(self, verdict: Verdict) -> str:
        """Return in what the answer is not the one expected; empty where it is."""
        outcome = _outcome_of(self, verdict)
        if outcome != self.expect:
            return f"expected {self.expect}, is {outcome} by {', '.join(verdict.policies)}"
        if self.by is not None and set(self.by) != set(verdict.policies):
            return f"expected by {', '.join(self.by)}, is by {', '.join(verdict.policies)}"
        return ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    case: Annotated[tuple[Case, ...], Field(min_length=1)]


def read_cases(file: Path) -> tuple[Case, ...]:
    """Return the cases of `file`.

    :raises ConfigurationError: a line for each mistake
    """
    try:
        return _File.model_validate(read_toml(file)).case
    except ValidationError as error:
        told = mistakes(error, _File)
        raise_mistakes([f"{file}: {_place(location)}: {text}" for location, text in told])
        raise


def differing(point: DecisionPoint, cases: tuple[Case, ...]) -> Iterator[str]:
    """Yield a line for each case that comes out otherwise than expected."""
    for number, case in enumerate(cases, 1):
        question = case.question()
        if text := case.what_differs(point.find(question) or point.ask(question)):
            yield f"{case.name or f'case {number}'}: {text}"


def _outcome_of(case: Case, verdict: Verdict) -> str:
    # As at a decision: the person's word was what the policy asked for.
    is_met = verdict.outcome is Outcome.STEP_UP and case.approved
    return Outcome.ALLOW if is_met else verdict.outcome


def _place(location: tuple[str | int, ...]) -> str:
    return " ".join(str(part + 1) if isinstance(part, int) else part for part in location)
