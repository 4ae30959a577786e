"""Asking the person in the middle of a task (CIBA Core 1.0), and coming back for the answer.

What is asked and how answers are read stands here once; a thread or a task does the waiting.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from . import token_requests
from .connection import Connection
from .details import Details, spelled
from .errors import OAuthError, ProtocolError
from .flow import Flow
from .lease import Lease, lease_in

CIBA = "urn:openid:params:grant-type:ciba"

_INTERVAL = 5  # seconds, where the answer names none (CIBA Core §7.3)
_LONGEST_WAIT = 25  # seconds for which the server is asked to hold an answer
_SLOWER = 5  # seconds, at each `slow_down` (CIBA Core §11)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was put to the person. Its id stands in no `repr`.

    :param interval: seconds between two polls
    :param expires_at: the unix seconds at which nobody answers any more
    :param polled_at: when the server was last asked; None before the first time
    """

    auth_req_id: str = field(repr=False)
    interval: float
    expires_at: float
    polled_at: float | None = None

    @property
    def deadline(self) -> float:
        """When to ask for the last time: the server then says itself that it has expired."""
        return self.expires_at + self.interval

    def is_due(self, now: float) -> bool:
        """Tell whether the server may be asked again without being told to slow down."""
        return self.polled_at is None or now >= self.polled_at + self.interval

    def pause(self, now: float, deadline: float) -> float:
        """Return the seconds to wait before the next poll, and never past the deadline.

        :raises TimeoutError: past it
        """
        if now >= deadline:
            raise TimeoutError("the person has not answered yet")
        asked_again_at = (now if self.polled_at is None else self.polled_at) + self.interval
        return max(0.0, min(asked_again_at, deadline) - now)

    def polled(self, now: float) -> "Asked":
        """Return it as it waits on."""
        return replace(self, polled_at=now)

    def slower(self) -> "Asked":
        """Return it, to be asked about less often."""
        return replace(self, interval=self.interval + _SLOWER)


def put_question(
    connection: Connection,
    hold: str,
    scope: str,
    resource: str | None,
    message: str,
    details: Details,
    acr_values: str | None,
) -> Flow[Asked]:
    """Put the question by the token that the agent holds for the person. CIBA Core §7.

    :raises OAuthError: when nobody is asked that
    """
    answer = yield from connection.ask_person(
        scope=f"openid {scope}",
        login_hint_token=hold,
        binding_message=message or None,
        resource=resource,
        authorization_details=spelled(details),
        acr_values=acr_values,
    )
    return _asked_in(answer, connection.now())


def narrow_or_ask(
    connection: Connection,
    held: str,
    resource: str,
    scope: str | None,
    message: str,
    details: Details,
) -> Flow[Lease | Asked]:
    """Exchange; where only the person can let it pass, the question is put at once.

    :raises OAuthError: when the server refuses
    """
    try:
        return (
            yield from token_requests.exchange(
                connection,
                held,
                resource=resource,
                scope=scope,
                binding_message=message,
                authorization_details=spelled(details),
            )
        )
    except OAuthError as error:
        if error.error != "authorization_pending":
            raise
        return _asked_in(error.answer, connection.now())


def poll(connection: Connection, asked: Asked, wait: float = 0) -> Flow[Lease | Asked]:
    """Ask once whether there is an answer: the token, or the question as it waits on.

    :param wait: seconds for which the server may hold its answer
    :raises OAuthError: `access_denied` where the person said no, `expired_token` where they
        said nothing
    """
    # CIBA Core §7.3: the interval runs from the request, however long that is held.
    waiting = asked.polled(connection.now())
    try:
        answer = yield from connection.post(
            "token_endpoint",
            int(max(0, min(wait, _LONGEST_WAIT))),
            grant_type=CIBA,
            auth_req_id=asked.auth_req_id,
        )
    except OAuthError as error:
        # 503: too much changed at once, which says nothing about the question.
        if error.error == "authorization_pending" or error.status == 503:
            return waiting
        if error.error == "slow_down":
            return waiting.slower()
        raise
    return lease_in(answer, connection.now())


def _asked_in(answer: Mapping[str, Any], now: float) -> Asked:
    auth_req_id, expires_in = answer.get("auth_req_id"), answer.get("expires_in")
    if not isinstance(auth_req_id, str) or not isinstance(expires_in, int):
        raise ProtocolError("the answer has no auth_req_id or no expires_in")
    interval = answer.get("interval", _INTERVAL)
    if not isinstance(interval, int) or interval < 0:
        raise ProtocolError("the interval is no number of seconds")
    return Asked(auth_req_id, interval, now + expires_in)
