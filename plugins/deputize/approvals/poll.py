"""The client comes back for the answer (CIBA Core §10.1, §11), by poll or after a ping."""

from typing import Any

from sqlalchemy import update

from ..agents.authenticate import Caller, caller_of
from ..core.secrets import digest
from ..delegation.context import Context, Reading
from ..delegation.liveness import find_standing, why_dead
from ..oauth.ciba import PUSH, CibaGrant
from ..oauth.errors import AuthorizationPendingError, SlowDownError, UnauthorizedClientError
from .collect import Asking, collect, get_asking
from .models import Approval, auth_request

#: Seconds that are added for whoever polls too often. CIBA Core §11.
_SLOWER = 5


class AgentCibaGrant(CibaGrant):
    """The CIBA grant of agents."""

    context: Context

    def read_request(self) -> None:
        if caller_of(self.request).agent.is_public:
            raise UnauthorizedClientError(self.UNAUTHORIZED)
        super().read_request()

    def redeem(self, client: Caller, auth_req_id: str) -> dict[str, Any]:
        reading: Reading = self.request.reading  # type: ignore[attr-defined]
        asked = get_asking(reading.tx, digest(auth_req_id), client.client_id)
        if asked.delivery_mode == PUSH:
            # CIBA Core §11: "unauthorized_client", for who is registered to be pushed to.
            raise UnauthorizedClientError("What is pushed is not to be asked for.")
        if asked.card.is_open(reading.moment.now) and _is_alive(reading, asked.card):
            self._not_yet(client, asked)
        return collect(self.context, client, reading, asked)

    def _not_yet(self, client: Caller, asked: Asking) -> None:
        """Note the poll, and say so. CIBA Core §11.

        :raises NotYetError: always
        """
        with self.context.db.write() as tx:
            client.spend(tx)
            is_soon = asked.polled_at is not None and tx.now - asked.polled_at < asked.interval
            values = {"polled_at": tx.now, "interval": asked.interval + _SLOWER * is_soon}
            this = auth_request.c.digest == asked.digest
            tx.execute(update(auth_request).where(this).values(**values))
        raise SlowDownError() if is_soon else AuthorizationPendingError()


def _is_alive(reading: Reading, card: Approval) -> bool:
    return why_dead(find_standing(reading.tx, card.delegation_id), reading.moment.now) is None
