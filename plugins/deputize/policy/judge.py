"""The judge that asks a decision point, whatever is about to be done.

What is read for it is what the decision has read already; an agent that is asked about by
somebody else costs one row.
"""

from dataclasses import dataclass
from functools import partial

from ..agents.adopt import is_unconfirmed
from ..agents.models import Agent
from ..audit.lately import Lately, find_lately
from ..core.refusal import Refusal
from ..core.values import is_client_id
from ..delegation.context import Reading
from ..delegation.gates import Act, NeedsWord, Undecided
from ..delegation.node import Delegation
from .point import DecisionPoint, Outcome, Verdict
from .question import AgentFacts, Question, SignIn, TaskFacts

DENIED = "policy.denied"
ASKS_PERSON = "policy.needs_approval"
UNAVAILABLE = "policy.unavailable"

_DENIED = "The organisation's policy does not allow this."


@dataclass(frozen=True)
class PolicyJudge:
    """Judges by what `point` answers."""

    point: DecisionPoint

    def judge(self, reading: Reading, act: Act) -> None:
        """:raises Refusal: `policy.denied`, `policy.needs_approval`, `policy.unavailable`
        :raises Undecided: where the point has to be asked first
        """
        question = make_question(reading, act)
        known = reading.known.get(question.timeless) if reading.known else None
        verdict = known if isinstance(known, Verdict) else self.point.find(question)
        if verdict is None:
            raise Undecided(question.timeless, partial(self.point.ask, question))
        _meet(verdict, act)


def _meet(verdict: Verdict, act: Act) -> None:
    by = ", ".join(verdict.policies)
    if verdict.outcome is Outcome.DENY:
        raise Refusal(DENIED, _DENIED, detail=by)
    if verdict.outcome is Outcome.UNAVAILABLE:
        raise Refusal(UNAVAILABLE, "The policy cannot be asked now: try again later.", detail=by)
    # The person's word was what the policy asked for.
    if verdict.outcome is Outcome.STEP_UP and not act.is_approved:
        raise NeedsWord(ASKS_PERSON, "The person must approve this: a policy asks it.", detail=by)


def make_question(reading: Reading, act: Act) -> Question:
    """Return what is asked about `act`.

    :raises Refusal: `policy.denied` where nothing is known of the agent
    """
    agent = reading.find_client(act.agent)
    if not isinstance(agent, Agent):
        raise Refusal(DENIED, _DENIED, detail="unknown agent")
    node = act.node
    return Question(
        action=act.action,
        agent=facts_of(agent, find_lately(reading.tx, agent.client_id)),
        resource=act.target,
        kind=kind_of(reading, act.target),
        scope=act.scope,
        chain=node.chain if node else (act.agent,),
        now=reading.moment.now,
        grant_type=act.grant_type,
        details=act.details,
        person=node.person_id if node else None,
        task=_task(node, act) if node else None,
        sign_in=SignIn(node.auth_time, node.acr) if node and node.auth_time is not None else None,
        approved=act.is_approved,
    )


def facts_of(agent: Agent, lately: Lately) -> AgentFacts:
    """Return what a policy may know of an agent."""
    return AgentFacts(
        client_id=agent.client_id,
        origin=agent.origin,
        status=agent.status,
        owner=agent.owner,
        created_at=agent.created_at,
        is_unconfirmed=is_unconfirmed(agent),
        refused=lately.refused,
        denied=lately.denied,
    )


def kind_of(reading: Reading, target: str) -> str:
    """Return what a token for that target is good at: an API, an agent, or our issuer."""
    if target in reading.moment.catalogue.servers:
        return "api"
    return "agent" if is_client_id(target) else "issuer"


def _task(node: Delegation, act: Act) -> TaskFacts:
    # One that begins has an id of this attempt alone: the next would be another question.
    task_id = None if act.started_at is None else node.task_id
    return TaskFacts(task_id, act.started_at, act.deadline or 0)
