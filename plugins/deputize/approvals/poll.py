"""The client comes back for the answer (CIBA Core §10.1, §11), by poll or after a ping.

A poll that comes before there is one may be held until there is. It is one poll: the next
one of the same id, while it is held, has come too soon.
"""

import re
from functools import partial
from typing import Any

from sqlalchemy import update

from ..agents.authenticate import Caller, caller_of
from ..core.secrets import digest
from ..delegation.context import Context, Reading
from ..delegation.liveness import find_standing, why_dead
from ..delegation.server import AgentRequest, AgentServer
from ..oauth.ciba import PUSH, CibaGrant
from ..oauth.errors import AuthorizationPendingError, SlowDownError, UnauthorizedClientError
from ..oauth.server import Answer
from .collect import Asking, collect, get_asking
from .holding import StepAside
from .models import Approval, auth_request

#: RFC 7240 §4.3.
_WAIT = re.compile(r"(?:^|[,\s])wait=([0-9]{1,4})(?:$|[,;\s])")

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
        reading.shown = asked.card.delegation_id
        if asked.delivery_mode == PUSH:
            # CIBA Core §11: "unauthorized_client", for who is registered to be pushed to.
            raise UnauthorizedClientError("What is pushed is not to be asked for.")
        if asked.card.is_open(reading.moment.now) and _is_alive(reading, asked.card):
            self._not_yet(client, asked, reading.moment.now)
        return collect(self.context, client, reading, asked)

    def _not_yet(self, client: Caller, asked: Asking, now: int) -> None:
        """Note the poll, and say so, at once or later. CIBA Core §11.

        :raises NotYetError: always
        """
        request: AgentRequest = self.request  # type: ignore[assignment]
        if request.is_again:
            raise AuthorizationPendingError
        is_soon = asked.polled_at is not None and now - asked.polled_at < asked.interval
        seconds = 0 if is_soon else self._patience(client, asked.card.expires_at - now)
        # The interval runs from the request; while this one is held, another is too soon.
        polled_at = max(now, now + seconds - asked.interval)
        values = {"polled_at": polled_at, "interval": asked.interval + _SLOWER * is_soon}
        with self.context.db.write() as tx:
            client.spend(tx)
            this = auth_request.c.digest == asked.digest
            tx.execute(update(auth_request).where(this).values(**values))
        if seconds:
            request.later = partial(self._later, asked.card, seconds)
        raise SlowDownError() if is_soon else AuthorizationPendingError()

    def _patience(self, client: Caller, left: int) -> int:
        """Return the seconds for which this poll is held: what the client prefers, at most."""
        longest = self.context.settings.approvals.hold_poll or 0
        if not longest or not self.context.holding.has_room(client.client_id):
            return 0
        wished = _WAIT.search((self.request.headers or {}).get("Prefer", ""))
        return max(0, min(longest, left, int(wished[1]) if wished else longest))

    def _later(self, card: Approval, seconds: int, step_aside: StepAside) -> Answer:
        with step_aside():
            is_over = self.context.holding.wait(card.id, card.client_id, seconds)
        if not is_over:
            return Answer(*AuthorizationPendingError()())
        server: AgentServer = self.server
        request: AgentRequest = self.request  # type: ignore[assignment]
        return server.answer_again(request, server.create_token_response)


def _is_alive(reading: Reading, card: Approval) -> bool:
    return why_dead(find_standing(reading.tx, card.delegation_id), reading.moment.now) is None
