"""The claims of an access token (RFC 9068 §2.2, RFC 8693 §4): one function, one dict.

No personal data beyond `sub`.
"""

from typing import Any

from ..agents.models import Agent
from ..core.values import Words, line
from .act_chain import act_claim
from .details import read_details
from .node import Delegation


def delegated_claims(
    issuer: str, subject: str, node: Delegation, jti: str, now: int, expires_at: int
) -> dict[str, Any]:
    """Return what a token for `node` says: who acts, for whom, through whom, for what."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": subject,
        "aud": node.target,
        "client_id": node.actor,
        "iat": now,
        "exp": expires_at,
        "jti": jti,
        "scope": line(node.scope),
        "sub_profile": "user",
        "act": act_claim(issuer, node.chain),
        "delegation_id": node.id,
        "task_id": node.task_id,
    }
    if node.is_hand_over:
        # RFC 8693 §4.4: the named agent, and nobody else, may become the actor.
        claims["may_act"] = {"iss": issuer, "sub": node.target, "sub_profile": "ai_agent"}
    if node.details:
        claims["authorization_details"] = read_details(node.details)
    if node.jkt:
        claims["cnf"] = {"jkt": node.jkt}
    return claims | _authentication(node)


def _authentication(node: Delegation) -> dict[str, Any]:
    told = {"auth_time": node.auth_time, "acr": node.acr, "amr": list(node.amr) or None}
    return {name: value for name, value in told.items() if value is not None}


def own_claims(
    issuer: str, agent: Agent, audience: str, scope: Words, jti: str, now: int, expires_at: int
) -> dict[str, Any]:
    """Return what a token of an agent that acts for itself says: no `act`, nobody's delegation.

    It is good for this revision of the registration: whatever is edited or stopped ends it.
    """
    return {
        "iss": issuer,
        "sub": agent.client_id,
        "aud": audience,
        "client_id": agent.client_id,
        "iat": now,
        "exp": expires_at,
        "jti": jti,
        "scope": line(scope),
        "sub_profile": "ai_agent",
        "agent_revision": agent.revision,
    }
