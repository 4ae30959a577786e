"""The tasks endpoint: the root agent reads its task, reports on it, asks for more time, and
proposes its end.

By its own token for the issuer with the scope `tasks`, which is never passed on: whoever works
for the agent reports to it, and ends nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.consts import default_json_headers

from ..approvals.tell import tell_of_proposed_end, tell_of_time_asked_for
from ..audit.record import Event, record
from ..catalogue.models import TASKS
from ..core.db import Kind, Lock, Transaction
from ..core.refusal import Refusal
from ..core.values import words
from ..delegation.answers import TASK_ANSWERS, answer_to
from ..delegation.context import Context, Reading
from ..delegation.keys import ACCESS_TOKEN_TYP
from ..delegation.liveness import PROPOSED, TEXTS, Standing, find_standing, why_dead
from ..delegation.quotas import spent
from ..oauth.server import Answer
from ..tasks.lifecycle import OUTCOMES, TaskStatus
from ..tasks.models import Task
from ..tasks.report import ask_for_time, find_task, hear, is_in_time, propose
from .answer_end import latest_deadline
from .end_task import finish
from .locked import task_locked

TASKS_ENDPOINT = "/deputize/api/tasks"

#: Why a task ended that its agent alone said was over.
BY_ITSELF = "by_itself"


@dataclass(frozen=True, slots=True)
class _Reporter:
    """The agent that asks, and where its hold stands."""

    standing: Standing
    is_proposed: bool

    @property
    def agent(self) -> str:
        return self.standing.node.actor

    @property
    def task_id(self) -> str:
        return self.standing.node.task_id

    @property
    def person_id(self) -> str:
        return self.standing.node.person_id

    def event(self, kind: str, *, rule: str | None = None, **facts: Any) -> Event:
        """Return an event of this agent's in its task."""
        node = self.standing.node
        return Event(
            kind, node.person_id, node.actor, node.task_id, node.id, rule, node.chain, facts
        )


def answer_task(
    context: Context, method: str, task_id: str, headers: Mapping[str, str], body: Any
) -> Answer:
    """Answer a request: GET tells of the task, POST reports on it.

    :param body: of a POST, as JSON; None where it is none
    """
    try:
        reporter = _reporter(context, task_id, headers)
    except Refusal as refusal:
        context.tally.count(refusal.rule)
        return Answer(*answer_to(refusal, TASK_ANSWERS)())
    try:
        if method == "POST":
            _report(context, reporter, body if isinstance(body, dict) else {})
        return Answer(200, _told(context, task_id), default_json_headers)
    except Refusal as refusal:
        with context.db.write() as tx:
            record(tx, reporter.event("task.refused", rule=refusal.rule))
        return Answer(*answer_to(refusal, TASK_ANSWERS)())


def _reporter(context: Context, task_id: str, headers: Mapping[str, str]) -> _Reporter:
    """Return who asks, by a token of the root's own for this very task.

    :raises Refusal: `task_token.*`, and `liveness`'s rules
    """
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    with context.reading() as reading:
        claims = _claims(context, reading, token.strip() if scheme.lower() == "bearer" else "")
        standing = find_standing(reading.tx, claims["delegation_id"])
        dead = why_dead(standing, reading.moment.now)
    # What was proposed waits for the person, and the agent may ask how it stands.
    if standing is None or dead not in (None, PROPOSED):
        raise Refusal(dead or "delegation.unknown", TEXTS[dead or "delegation.unknown"])
    if not context.host.is_active(standing.subject):
        raise Refusal("person.inactive", TEXTS["person.inactive"])
    held = words(claims["scope"]) & standing.node.scope
    if TASKS not in held or standing.node.depth != 1 or standing.node.task_id != task_id:
        raise Refusal("task_token.scope", "The token is not for this task.")
    return _Reporter(standing, is_proposed=dead is not None)


def _claims(context: Context, reading: Reading, token: str) -> Mapping[str, Any]:
    is_sane = len(token) <= context.settings.bounds.token_bytes
    claims = reading.moment.keys.verify(token, ACCESS_TOKEN_TYP) if is_sane else None
    # "Every scope of the server itself works only in a token whose sole `aud` is the issuer."
    good = claims and claims["aud"] == context.issuer and reading.moment.now < claims["exp"]
    if not claims or not good or "delegation_id" not in claims:
        raise Refusal("task_token.not_good", "A token of the agent's own hold is required.")
    return claims


def _report(context: Context, reporter: _Reporter, said: Mapping[str, Any]) -> None:
    action, outcome, seconds = (said.get(name) for name in ("action", "outcome", "expires_in"))
    if action == "heartbeat" and said.keys() == {"action"}:
        _heartbeat(context, reporter)
    elif action == "propose" and said.keys() == {"action", "outcome"} and outcome in OUTCOMES:
        _propose(context, reporter, TaskStatus(str(outcome)))
    elif action == "extend" and said.keys() == {"action", "expires_in"} and type(seconds) is int:
        _ask_for_time(context, reporter, seconds)
    else:
        outcomes = ", ".join(OUTCOMES)
        text = f"action is heartbeat, extend with expires_in, or propose with outcome: {outcomes}."
        raise Refusal("report.malformed", text)


def _heartbeat(context: Context, reporter: _Reporter) -> None:
    with context.db.write([Lock(Kind.TASK, reporter.task_id)]) as tx:
        if reporter.is_proposed or not hear(tx, _task(tx, reporter.task_id)):
            raise _over(reporter)


def _propose(context: Context, reporter: _Reporter, outcome: TaskStatus) -> None:
    """Propose the end, or end it at once where nobody need accept it."""
    with task_locked(context.db, reporter.task_id) as tx:
        before = _task(tx, reporter.task_id)
        if before.status == TaskStatus.PROPOSED and before.proposed == outcome:
            return
        if before.completion == "at_once":
            in_time = is_in_time(tx.now)
            done = finish(tx, before.id, outcome, BY_ITSELF, reporter.agent, where=in_time)
            if done is None:
                raise _over(reporter)
        elif propose(tx, before.id, outcome):
            record(tx, reporter.event("task.proposed", outcome=outcome))
            tell_of_proposed_end(context, tx, before)
        else:
            raise _over(reporter)


def _ask_for_time(context: Context, reporter: _Reporter, seconds: int) -> None:
    """Ask the person for a deadline in `seconds` from now; while that waits, it is not moved."""
    with task_locked(context.db, reporter.task_id) as tx:
        before = _task(tx, reporter.task_id)
        if before.asked_until is not None:
            return
        until = tx.now + seconds
        _validate_may_ask(context, tx, before, until)
        if reporter.is_proposed or not ask_for_time(tx, before.id, until):
            raise _over(reporter)
        record(tx, reporter.event("task.extension_asked", deadline=until))
        tell_of_time_asked_for(context, tx, before)


def _validate_may_ask(context: Context, tx: Transaction, of: Task, until: int) -> None:
    """Refuse what the person could not give, or has refused a moment ago.

    :raises Refusal: `report.not_longer`, `report.too_long`, `report.denied_before`
    """
    if until <= of.deadline:
        raise Refusal("report.not_longer", "The task goes on for as long as that already.")
    latest = latest_deadline(tx, of, context.settings.delegation.max_duration)
    if until > latest:
        raise Refusal("report.too_long", f"expires_in is at most {latest - tx.now} now.")
    denied_at, cool_down = of.more_denied_at, context.settings.approvals.cool_down
    if denied_at is not None and tx.now < denied_at + cool_down:
        raise Refusal("report.denied_before", "The person has given it no more time.")


def _over(reporter: _Reporter) -> Refusal:
    rule = PROPOSED if reporter.is_proposed else "task.ended"
    return Refusal(rule, TEXTS[rule])


def _task(tx: Transaction, task_id: str) -> Task:
    found = find_task(tx, task_id)
    if found is None:
        raise Refusal("task.ended", TEXTS["task.ended"])
    return found


def _told(context: Context, task_id: str) -> dict[str, Any]:
    """Return what the agent is told of its task; times are NumericDates."""
    with context.db.read() as tx:
        of = _task(tx, task_id)
        budget = spent(tx, of, context.settings)
    told = {
        "task_id": of.id,
        "status": of.status,
        "purpose": of.purpose,
        "started_at": of.started_at,
        "deadline": of.deadline,
        "completion": of.completion,
        "budget": budget,
    }
    maybe = {
        "outcome": of.proposed,
        "heard_by": of.heard_by,
        "asked_until": of.asked_until,
        "ended_at": of.ended_at,
    }
    return told | {name: value for name, value in maybe.items() if value is not None}
