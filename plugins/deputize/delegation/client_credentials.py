"""An agent acting for itself (RFC 6749 §4.4): nobody's delegation.

Such a token cannot be exchanged, cannot approve, and starts no task for a person.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from ..agents.adopt import is_unconfirmed
from ..agents.authenticate import caller_of
from ..agents.models import CLIENT_CREDENTIALS, Agent, find_agent
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.values import Words
from ..oauth.errors import UnauthorizedClientError
from ..oauth.grant import TokenGrant
from .code import bearer_response, issue_for
from .context import Context
from .issue import Decision, Mint, mint_own


@dataclass(frozen=True, slots=True)
class OwnToken:
    """One request of an agent for itself.

    :param scope: None for all that belongs to the target
    """

    scope: Words | None
    resource: str | None

    def decide(self, decision: Decision) -> Mint:
        """Return a token of the agent's own.

        :raises Refusal: `target.*`, `scope.*`
        """
        agent = decision.reading.find_client(decision.caller.client_id)
        if not isinstance(agent, Agent) or not agent.is_live(decision.moment.now):
            raise Refusal("client.not_active", "Client authentication failed.")
        target = self._target(decision, agent)
        return mint_own(
            decision,
            agent,
            audience=target,
            scope=self._scope(decision, agent, target),
            is_still_so=partial(_is_unchanged, agent),
        )

    def _target(self, decision: Decision, agent: Agent) -> str:
        issuer, servers = decision.context.issuer, decision.moment.catalogue.servers
        if self.resource in (None, issuer):
            return issuer
        if self.resource not in servers or self.resource not in agent.resources:
            raise Refusal("target.beyond_agent", "That resource is not one the agent may use.")
        return self.resource

    def _scope(self, decision: Decision, agent: Agent, target: str) -> Words:
        # Of the catalogue alone: what is the server's own, or the agent's towards a person's
        # task, is nothing that an agent holds by itself.
        rules = decision.moment.rules
        held = agent.scope & decision.moment.catalogue.scopes.keys() - rules.sensitive
        held &= rules.scopes_by_resource.get(target, held)
        if self.scope is not None and not self.scope <= held:
            raise Refusal("scope.beyond_agent", "The scope is more than the agent holds there.")
        if not held and target in rules.scopes_by_resource:
            raise Refusal("scope.empty", "Nothing that the agent holds belongs to that target.")
        return self.scope if self.scope is not None else frozenset(held)


def _is_unchanged(agent: Agent, tx: Transaction) -> bool:
    return find_agent(tx, agent.client_id) == agent


class AgentClientCredentialsGrant(TokenGrant):
    """The client credentials grant of agents; public ones have no credentials."""

    GRANT_TYPE = CLIENT_CREDENTIALS
    UNAUTHORIZED = "The client may not act for itself."
    context: Context

    def read_request(self) -> None:
        agent = caller_of(self.request).agent
        if agent.is_public or is_unconfirmed(agent):
            raise UnauthorizedClientError(self.UNAUTHORIZED)
        self.asked = OwnToken(self.scope(), self.single("resource"))

    def issue_token(self) -> dict[str, Any]:
        return bearer_response(issue_for(self.request, self.context, self.asked.decide))
