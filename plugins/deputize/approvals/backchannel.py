"""The backchannel authentication endpoint (CIBA Core §7): an agent asks its person by the token
that it holds for them, or cold.
"""

from typing import Any

from authlib.consts import default_json_headers

from ..agents.authenticate import Caller
from ..agents.models import Agent
from ..core.refusal import Refusal
from ..core.values import Words
from ..delegation.answers import Answers
from ..delegation.attenuation import Asked
from ..delegation.context import Reading
from ..delegation.details import scopes_of, validate_known
from ..delegation.liveness import Standing, find_standing, why_dead
from ..delegation.server import AgentRequest, AgentServer
from ..delegation.subject_token import read_subject_token
from ..oauth.ciba import CIBA, POLL, BackchannelRequest, read_backchannel_request
from ..oauth.errors import (
    AccessDeniedError,
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
)
from ..oauth.server import Answer
from .cold import find_asked
from .open import Question
from .signed_request import read_parameters
from .step_up import put

#: Answers of this endpoint that differ from the token endpoint's. CIBA Core §13.
_ANSWERS: Answers = {
    "approval": AccessDeniedError,
    "policy": AccessDeniedError,
    "approval.not_needed": InvalidScopeError,
}


def answer_backchannel(server: AgentServer, request: AgentRequest) -> Answer:
    """Answer an authentication request. CIBA Core §7.3, §13."""

    def answer(request: AgentRequest, caller: Caller) -> Answer:
        if caller.agent.is_public or not caller.check_grant_type(CIBA):
            raise UnauthorizedClientError("The client may not use CIBA.")
        longest = server.context.settings.approvals.message_length
        caller, given = read_parameters(server.context, request, caller)
        form = {name: values[0] for name, values in given.items()}
        asked = read_backchannel_request(form, given.get("resource", []), longest)
        question = _question(server, request.reading, caller.agent, asked)
        opened = put(server.context, caller, request.reading, question)
        return Answer(200, opened.to_response(), default_json_headers)

    return server.create_agent_response("backchannel", request, answer, _ANSWERS)


def _question(
    server: AgentServer, reading: Reading, agent: Agent, asked: BackchannelRequest
) -> Question:
    name, token = asked.hint
    if name == "login_hint_token":
        standing, token_scope = _standing(server, reading, agent, token)
        wanted = _asked(reading, asked)
    else:
        # What is wrong with the request itself comes first: it tells of nobody.
        wanted = _asked(reading, asked)
        standing = find_asked(server.context, reading, agent, asked, wanted.target)
        token_scope = standing.node.scope
        reading.shown = standing.node.id
    return Question(
        agent=agent,
        standing=standing,
        token_scope=token_scope,
        asked=wanted,
        message=asked.binding_message or "",
        requested_expiry=asked.requested_expiry,
        notification_token=_notification_token(agent, asked),
    )


def _notification_token(agent: Agent, asked: BackchannelRequest) -> str | None:
    """Return what a client that does not poll knows its notification by. CIBA Core §7.1."""
    if agent.backchannel_token_delivery_mode == POLL:
        return None
    if asked.client_notification_token is None:
        raise InvalidRequestError("client_notification_token is required by ping and push.")
    return asked.client_notification_token


def _standing(
    server: AgentServer, reading: Reading, agent: Agent, token: str
) -> tuple[Standing, Words]:
    """Return the delegation that the token stands for, if the caller is its current actor.

    Who the parties are comes before whether the token lives.

    :raises Refusal: `hint.*`
    """
    limit = server.context.settings.bounds.token_bytes
    try:
        subject = read_subject_token(token, reading.moment, limit)
    except Refusal:
        raise Refusal("hint.not_ours", "Nobody can be asked by that hint.") from None
    reading.shown = subject.delegation_id
    if subject.actor != agent.client_id or subject.may_act is not None or subject.is_bound:
        raise Refusal("hint.not_the_actor", "Nobody can be asked by that hint.")
    standing = find_standing(reading.tx, subject.delegation_id, agent.client_id)
    dead = why_dead(standing, reading.moment.now) or reading.moment.now >= subject.expires_at
    if standing is None or dead or not server.context.host.is_active(standing.subject):
        raise Refusal("hint.expired", "That token is not good any more.")
    return standing, subject.scope


def _asked(reading: Reading, asked: BackchannelRequest) -> Asked:
    """Return what is asked for: the scopes of its details too, though it does not name them."""
    details, types = asked.authorization_details, reading.moment.catalogue.types
    validate_known(details or (), types)
    scope = asked.scope | scopes_of(details or (), types)
    return Asked(scope, asked.resource or _target(reading, scope), details)


def _target(reading: Reading, scope: Words) -> str:
    """Return the one API that every scope belongs to."""
    scopes: Any = reading.moment.catalogue.scopes
    owners = {scopes[name].resource for name in scope if name in scopes}
    if len(owners) != 1:
        raise Refusal("target.unnamed", "Name the resource: the scopes are not of one.")
    return str(owners.pop())
