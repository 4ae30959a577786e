"""Refresh tokens: only at the root, rotated at each use, reuse ends the delegation.

A repeat within a few seconds, by the same authenticated client, whose successor is
unused is a lost reply: it gets a new successor and the unused one dies. Whoever holds
more than that token cannot tell the difference; whoever holds less gains nothing.
"""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, select, update

from ..agents.models import REFRESH_TOKEN
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.secrets import digest, new_secret
from ..core.values import Words
from ..oauth.grant import TokenGrant
from .attenuation import Asked
from .code import bearer_response, issue_for
from .context import Context
from .issue import REFRESH_TOKEN_PREFIX, Decision, Mint, Write, insertion
from .models import refresh_token
from .narrow import current_agent, live_standing, narrow

_BAD_TOKEN = "The refresh token is not good."  # noqa: S105


@dataclass(frozen=True, slots=True)
class Refreshing:
    """One refresh request. :rfc:`6749#section-6`.

    :param scope: None for all that the delegation holds
    """

    token: str
    scope: Words | None = None
    resource: str | None = None

    def decide(self, decision: Decision) -> Mint:
        """Return a token on the root, or on the narrowed node that `resource` asks for.

        :raises Refusal: `refresh.*`, `liveness`'s rules, `target.*`, `scope.*`
        """
        row = find_refresh_token(decision.tx, self.token)
        decision.reading.shown = row and row["delegation_id"]
        if row is None or row["client_id"] != decision.caller.client_id:
            raise Refusal("refresh.unknown", _BAD_TOKEN)
        _require_usable(decision, row)
        standing = live_standing(decision, row["delegation_id"])
        agent = current_agent(decision, standing.caller_revision, standing.subject)
        target = self._target(decision)
        mint = narrow(decision, agent, standing, standing.node.scope, Asked(self.scope, target))
        secret = new_secret(REFRESH_TOKEN_PREFIX)
        return replace(mint, writes=(*_rotating(row, secret), *mint.writes), refresh_token=secret)

    def _target(self, decision: Decision) -> str:
        target = self.resource or decision.context.issuer
        servers = decision.moment.catalogue.servers
        if target != decision.context.issuer and target not in servers:
            raise Refusal("target.unknown", "That resource is not known here.")
        return target


def find_refresh_token(tx: Transaction, token: str) -> Any:
    """Return the row of a refresh token, with whether its successor was used, or None."""
    return tx.execute(_TOKEN, {"digest": digest(token)}).mappings().first()


def _require_usable(decision: Decision, row: Any) -> None:
    """Refuse a used token; end its delegation unless it is a lost reply."""
    if row["used_at"] is None:
        return
    if row["successor"] is None:
        # It died unused, for a newer one: nobody can have gained by it.
        raise Refusal("refresh.superseded", _BAD_TOKEN)
    grace = decision.context.settings.tokens.refresh_grace
    in_time = decision.moment.now <= row["used_at"] + grace
    lost_reply = in_time and row["successor_used_at"] is None
    if not lost_reply or decision.caller.agent.is_public:
        decision.context.ends.end_delegation(row["delegation_id"], why="refresh_token_reused")
        raise Refusal("refresh.reused", _BAD_TOKEN)


def _rotating(row: Any, secret: str) -> tuple[Write, ...]:
    successor = digest(secret)
    new = {
        "digest": successor,
        "delegation_id": row["delegation_id"],
        "client_id": row["client_id"],
    }

    def rotate(tx: Transaction) -> None:
        if row["successor"] is not None:
            _kill_unused(tx, row["successor"])
        as_read = (
            (refresh_token.c.digest == row["digest"])
            & refresh_token.c.used_at.is_not_distinct_from(row["used_at"])
            & refresh_token.c.successor.is_not_distinct_from(row["successor"])
        )
        used_at = row["used_at"] or tx.now
        values = {"used_at": used_at, "successor": successor}
        if tx.execute(update(refresh_token).where(as_read).values(**values)).rowcount != 1:
            raise Refusal("refresh.raced", _BAD_TOKEN)
        insertion(refresh_token, {**new, "issued_at": tx.now})(tx)

    return (rotate,)


def _kill_unused(tx: Transaction, name: str) -> None:
    unused = (refresh_token.c.digest == name) & refresh_token.c.used_at.is_(None)
    if tx.execute(update(refresh_token).where(unused).values(used_at=tx.now)).rowcount != 1:
        raise Refusal("refresh.raced", _BAD_TOKEN)


class AgentRefreshGrant(TokenGrant):
    """The refresh token grant of agents."""

    GRANT_TYPE = REFRESH_TOKEN
    UNAUTHORIZED = "The client may not refresh tokens."
    context: Context

    def read_request(self) -> None:
        token = self.required("refresh_token")
        self.refreshing = Refreshing(token, self.scope(), self.single("resource"))

    def issue_token(self) -> dict[str, Any]:
        return bearer_response(issue_for(self.request, self.context, self.refreshing.decide))


_successor = refresh_token.alias("successor")
_TOKEN = (
    select(refresh_token, _successor.c.used_at.label("successor_used_at"))
    .outerjoin(_successor, _successor.c.digest == refresh_token.c.successor)
    .where(refresh_token.c.digest == bindparam("digest"))
)
