"""A client is told of the answer at the endpoint that it registered (CIBA Core §10.2, §10.3).

A ping says that there is one, a push is the answer itself: made at this moment, on what
holds at this moment, and the same again where it did not arrive.
"""

import json
from functools import partial
from typing import Any

from ..agents.authenticate import Caller, require_live
from ..agents.models import find_agent
from ..core.guarded_http import FetchError, post
from ..core.refusal import Refusal
from ..core.sealed import NotOpened
from ..delegation.answers import answer_to
from ..delegation.context import Context, Reading
from ..oauth.ciba import CIBA, PING
from ..outbox.delivery import NotDelivered
from ..outbox.models import Line
from .collect import CIBA_ANSWERS, Asking, collect, find_asking
from .models import Status

#: CIBA Core §12: what a push can say of what it has not got; all else is that it failed.
_TOLD_AS_THEY_ARE = ("access_denied", "expired_token")
_FAILED = "transaction_failed"


class Notifier:
    """Delivers the outbox's lines about requests that are over."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def __call__(self, line: Line) -> str:
        told = self.context.settled(partial(self._told, line))
        if isinstance(told, str):
            return told
        asked, token, body = told
        # No transaction is open any more: whoever answers late holds up nobody else.
        status = self._send(asked.notification_endpoint or "", token, body)
        return f"{body.get('error', asked.delivery_mode)}: HTTP {status}"

    def _told(self, line: Line, reading: Reading) -> tuple[Asking, str, dict[str, Any]] | str:
        """Return what is to be sent, and the token by which it is known; or why nothing is."""
        asked = find_asking(reading.tx, line.subject)
        if asked is None:
            return "forgotten"
        if asked.card.is_open(reading.moment.now):
            raise NotDelivered("it is not decided yet")
        if asked.delivery_mode == PING and asked.card.status == Status.REDEEMED:
            return "came for it already"
        secrets = self._open(asked)
        return asked, secrets["token"], self._body(reading, asked, secrets["auth_req_id"])

    def _open(self, asked: Asking) -> Any:
        try:
            return self.context.box.open(asked.sealed or "")
        except NotOpened as reason:
            raise NotDelivered(f"deputize.key_secret: {reason}") from None

    def _body(self, reading: Reading, asked: Asking, auth_req_id: str) -> dict[str, Any]:
        told = {"auth_req_id": auth_req_id}
        if asked.delivery_mode == PING:
            return told
        try:
            caller = _caller(reading, asked)
            return told | collect(self.context, caller, reading, asked, pushed_as=auth_req_id)
        except Refusal as refusal:
            return told | _error(refusal)

    def _send(self, endpoint: str, token: str, body: dict[str, Any]) -> int:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        private = self.context.settings.agents.private_hosts
        try:
            status = post(endpoint, json.dumps(body).encode(), headers, private_hosts=private)
        except FetchError as error:
            raise NotDelivered(str(error)) from None
        if not 200 <= status < 300:
            raise NotDelivered(f"HTTP {status}")
        return status


def _caller(reading: Reading, asked: Asking) -> Caller:
    """Return the client as one that has come for the answer: it can still do so."""
    agent = find_agent(reading.tx, asked.card.client_id)
    if agent is None or not agent.check_grant_type(CIBA):
        raise Refusal("client.not_active", "The client may not use CIBA.")
    caller = Caller(agent)
    require_live(caller, reading.moment.now)
    return caller


def _error(refusal: Refusal) -> dict[str, Any]:
    """Return the error that is pushed. CIBA Core §12.

    :raises NotDelivered: where it is worth another try
    """
    told = answer_to(refusal, CIBA_ANSWERS)
    if told.status_code == 503:
        raise NotDelivered(refusal.rule)
    error = told.error if told.error in _TOLD_AS_THEY_ARE else _FAILED
    return {"error": error, "error_description": told.description}
