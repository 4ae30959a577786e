"""An agent acting for itself (RFC 6749 §4.4): nobody's delegation.

Such a token cannot be exchanged, cannot approve, and starts no task for a person.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from authlib.oauth2.rfc6749 import BaseGrant, TokenEndpointMixin, scope_to_list

from ..agents.authenticate import Caller
from ..agents.models import CLIENT_CREDENTIALS, Agent, find_agent
from ..catalogue.models import OWN_SCOPES
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.values import Words
from ..oauth.errors import UnauthorizedClientError
from .code import bearer_response, single_resource
from .context import Context
from .issue import Decision, Mint, issue, mint_own


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
        agent = find_agent(decision.tx, decision.caller.client_id)
        if agent is None or not agent.is_live(decision.moment.now):
            raise Refusal("client.not_active", "Client authentication failed.")
        target = self._target(decision, agent)
        return mint_own(
            decision,
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
        rules = decision.moment.rules
        held = agent.scope - OWN_SCOPES.keys() - rules.sensitive
        held &= rules.scopes_by_resource.get(target, held)
        if self.scope is not None and not self.scope <= held:
            raise Refusal("scope.beyond_agent", "The scope is more than the agent holds there.")
        return self.scope if self.scope is not None else held


def _is_unchanged(agent: Agent, tx: Transaction) -> bool:
    return find_agent(tx, agent.client_id) == agent


class AgentClientCredentialsGrant(BaseGrant, TokenEndpointMixin):
    """The client credentials grant of agents; public ones have no credentials."""

    GRANT_TYPE = CLIENT_CREDENTIALS
    context: Context

    def validate_token_request(self) -> None:
        client: Caller = self.authenticate_token_endpoint_client()
        self.request.client = client
        if not client.check_grant_type(self.GRANT_TYPE) or client.agent.is_public:
            raise UnauthorizedClientError("The client may not act for itself.")
        form = self.request.form
        scope = frozenset(scope_to_list(form["scope"])) if "scope" in form else None
        self.asked = OwnToken(scope, single_resource(self))

    def create_token_response(self) -> tuple[int, dict[str, Any], Any]:
        mint = issue(self.context, self.request.client, self.asked.decide)
        return 200, bearer_response(mint), self.TOKEN_RESPONSE_HEADER
