"""Token exchange: an agent renews or narrows its own token, or hands authority over.

Read `decide` from top to bottom: it is the table of docs/protocol.md §4 in its order. The rules
of narrowing are in `attenuation`; whose a token is, in `subject_token`; whether it
lives, in `liveness`.
"""

from dataclasses import dataclass

from ..agents.authenticate import Caller, caller_of
from ..agents.models import SPAWNED, Agent, find_agent
from ..core.refusal import Refusal
from ..core.values import line
from ..oauth.ciba import CIBA, read_binding_message
from ..oauth.errors import AuthorizationPendingError, UnauthorizedClientError
from ..oauth.rfc8693 import ACCESS_TOKEN_TYPE, ExchangedToken, TokenExchange, TokenExchangeGrant
from .attenuation import Asked, is_nameable
from .code import issue_for
from .context import Context, Reading
from .details import read_details
from .gates import NeedsApproval, NeedsWord
from .issue import Decision, Mint
from .narrow import current_agent, live_standing, narrow
from .node import Delegation
from .spawn import mint_spawn
from .subject_token import (
    SubjectToken,
    read_subject_token,
    require_own_actor_token,
    require_party,
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One token exchange request.

    :param agent_jkt: for a spawn token, the thumbprint of the child's key
    :param binding_message: what to tell the person, where only they can let it pass
    """

    request: TokenExchange
    agent_jkt: str | None = None
    binding_message: str | None = None

    def decide(self, decision: Decision) -> Mint:
        """Return what is minted for the request.

        :raises Refusal: the first rule that says no
        :raises NeedsApproval: where the person's word is all that is missing
        """
        subject = self._read_subject(decision)
        standing = live_standing(decision, subject.delegation_id)
        if decision.moment.now >= subject.expires_at:
            raise Refusal("subject.expired", "The subject token has expired.")
        agent = current_agent(decision, standing.caller_revision, standing.subject)
        if self.request.resource == decision.context.registration_endpoint:
            return mint_spawn(decision, agent, standing, subject, self.request, self.agent_jkt)
        target = self._target(decision, subject, standing.node, agent)
        asked = Asked(self.request.scope, target, self.request.authorization_details)
        try:
            return narrow(decision, agent, standing, subject.scope, asked)
        except NeedsWord:
            # Whoever has not taken a hand-over is not in the chain that the card would show.
            may_ask = agent.client_id == standing.node.actor and agent.check_grant_type(CIBA)
            # Nor who registered that it signs what it asks: an exchange is not signed.
            may_ask &= agent.request_signing_alg is None
            if self.binding_message is None or not may_ask:
                raise
            message = self.binding_message
            raise NeedsApproval(agent, standing, subject.scope, asked, message) from None

    def _read_subject(self, decision: Decision) -> SubjectToken:
        client_id, moment = decision.caller.client_id, decision.moment
        limit = decision.context.settings.bounds.token_bytes
        subject = read_subject_token(self.request.subject_token, moment, limit)
        decision.reading.shown = subject.delegation_id
        require_party(subject, client_id, decision.context.issuer)
        if subject.is_bound:
            raise Refusal("subject.bound", "Tokens bound to a key cannot be exchanged here yet.")
        if self.request.actor_token is not None:
            own = self.request.actor_token
            require_own_actor_token(decision.tx, own, client_id, moment, limit)
        return subject

    def _target(
        self, decision: Decision, subject: SubjectToken, node: Delegation, agent: Agent
    ) -> str:
        """Return the one target: named, or the subject token's own audience."""
        issuer = decision.context.issuer
        if self.request.audience is not None:
            return self._named_agent(decision, self.request.audience, node, agent)
        if self.request.resource is None:
            return issuer if node.is_hand_over else subject.audience
        servers = decision.moment.catalogue.servers
        if self.request.resource != issuer and self.request.resource not in servers:
            raise Refusal("target.unknown", "That resource is not known here.")
        return self.request.resource

    def _named_agent(self, decision: Decision, name: str, node: Delegation, agent: Agent) -> str:
        """Return the agent to hand over to, if the current actor may name it."""
        if agent.client_id != node.actor:
            raise Refusal("target.not_the_actor", "Take the hand-over before passing it on.")
        named = find_agent(decision.tx, name) if name != agent.client_id else None
        if named is None or not _may_name(agent, named, node, decision.moment.now):
            raise Refusal("target.not_nameable", "Authority cannot be handed over to that agent.")
        return name


def _may_name(agent: Agent, named: Agent, node: Delegation, now: int) -> bool:
    # A spawned agent gets authority in the task that it was spawned in, and nowhere else:
    # so that the task's lock covers all that it will ever hold.
    in_task = named.task_id is None or named.task_id == node.task_id
    is_spawned_here = named.parent == agent.client_id
    return (
        named.is_live(now)
        and in_task
        and is_nameable(node, agent.delegates_to, named.client_id, is_spawned_here, SPAWNED)
    )


class AgentTokenExchangeGrant(TokenExchangeGrant):
    """The token exchange grant of agents."""

    UNDERSTANDS_DETAILS = True
    context: Context

    def read_request(self) -> None:
        # "A bearer's mere possession is never enough": a public client proves no more than
        # that. It refreshes with `resource`, where a stolen token shows.
        if caller_of(self.request).agent.is_public:
            raise UnauthorizedClientError(self.UNAUTHORIZED)
        super().read_request()

    def exchange_token(self, client: Caller, exchange: TokenExchange) -> ExchangedToken:
        longest = self.context.settings.approvals.message_length
        message = read_binding_message(self.form, longest)
        asked = Exchange(exchange, self.form.get("agent_jkt"), message)
        try:
            mint = issue_for(self.request, self.context, asked.decide)
        except NeedsApproval as needed:
            reading: Reading = self.request.reading  # type: ignore[attr-defined]
            opened = self.context.asks.ask(self.context, client, reading, needed)
            raise AuthorizationPendingError(**opened) from None
        return ExchangedToken(
            token=mint.token,
            token_type="Bearer",  # noqa: S106 - a type (RFC 6750)
            issued_token_type=self._type_of(exchange),
            expires_in=mint.expires_in,
            scope=line(mint.scope),
            authorization_details=read_details(mint.details),
        )

    def _type_of(self, exchange: TokenExchange) -> str:
        # A spawn token is opaque, whatever was asked for.
        is_spawn = exchange.resource == self.context.registration_endpoint
        return ACCESS_TOKEN_TYPE if is_spawn else exchange.requested_token_type or ACCESS_TOKEN_TYPE
