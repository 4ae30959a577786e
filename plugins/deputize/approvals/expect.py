"""Clients that are told of the answer instead of coming back for it (CIBA Core §5).

Each request of theirs has a line in the outbox from the start, due when the request expires;
the decision brings it forward. What a notification takes is stored with the request: the
endpoint that was registered then, and, sealed, what else is kept as a hash alone.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from ..agents.models import Agent
from ..core.db import Transaction
from ..core.sealed import Box
from ..outbox.enqueue import bring_forward, enqueue
from .models import auth_request

#: The kind of these lines in the outbox.
NOTIFICATION = "ciba"

#: Seconds after its end in which a client is still told that a request has expired.
_LATE = 60


def how_to_tell(
    box: Box, agent: Agent, notification_token: str | None, auth_req_id: str
) -> dict[str, Any]:
    """Return the columns of a request that say how its client is told; empty for who polls."""
    names = ("delivery_mode", "notification_endpoint", "sealed")
    if notification_token is None:
        return dict.fromkeys(names)
    secrets = {"auth_req_id": auth_req_id, "token": notification_token}
    mode, endpoint = (
        agent.backchannel_token_delivery_mode,
        agent.backchannel_client_notification_endpoint,
    )
    return dict(zip(names, (mode, endpoint, box.seal(secrets)), strict=True))


def expect(tx: Transaction, request: Mapping[str, Any]) -> None:
    """Promise the client of this `request` to be told, when it expires at the latest."""
    if request["delivery_mode"] is not None:
        until = request["expires_at"]
        enqueue(
            tx,
            NOTIFICATION,
            request["digest"],
            request["client_id"],
            due_at=until,
            expires_at=until + _LATE,
        )


def tell_now(tx: Transaction, approval_ids: Iterable[str]) -> None:
    """Tell all who wait for the decision of these."""
    of_it = select(auth_request.c.digest).where(
        auth_request.c.approval_id.in_(list(approval_ids)),
        auth_request.c.delivery_mode.is_not(None),
    )
    bring_forward(tx, NOTIFICATION, of_it)
