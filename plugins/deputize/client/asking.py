"""Asking the person in the middle of a task (CIBA Core 1.0), and coming back for the answer.

What is asked and how answers are read stands here once; a thread or a task does the waiting.
"""

from dataclasses import dataclass, field, replace

from .connection import Connection
from .errors import OAuthError, ProtocolError
from .flow import Flow
from .lease import Lease, lease_in

CIBA = "urn:openid:params:grant-type:ciba"

_PENDING, _SLOW_DOWN = "authorization_pending", "slow_down"
_SLOWER = 5  # seconds, at each `slow_down` (CIBA Core §11)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was put to the person. Its id stands in no `repr`.

    :param interval: seconds until the server may be asked again
    """

    auth_req_id: str = field(repr=False)
    interval: int
    expires_in: int

    def slower(self) -> "Asked":
        """Return it, to be asked about less often."""
        return replace(self, interval=self.interval + _SLOWER)


def ask(
    connection: Connection, hold: str, scope: str, resource: str | None, message: str
) -> Flow[Asked]:
    """Put the question by the token that the agent holds for the person. CIBA Core §7.

    :raises OAuthError: when nobody is asked that
    """
    answer = yield from connection.post(
        "backchannel_authentication_endpoint",
        scope=f"openid {scope}",
        login_hint_token=hold,
        binding_message=message,
        resource=resource,
    )
    auth_req_id, expires_in = answer.get("auth_req_id"), answer.get("expires_in")
    if not isinstance(auth_req_id, str) or not isinstance(expires_in, int):
        raise ProtocolError("the answer has no auth_req_id or no expires_in")
    interval = answer.get("interval", 5)
    return Asked(auth_req_id, interval if isinstance(interval, int) else 5, expires_in)


def poll(connection: Connection, asked: Asked) -> Flow[Lease | Asked]:
    """Ask once whether there is an answer: the token, or the question as it waits on.

    :raises OAuthError: `access_denied` where the person said no, `expired_token` where they
        said nothing
    """
    try:
        answer = yield from connection.post(
            "token_endpoint", grant_type=CIBA, auth_req_id=asked.auth_req_id
        )
    except OAuthError as error:
        if error.error == _SLOW_DOWN:
            return asked.slower()
        if error.error == _PENDING:
            return asked
        raise
    return lease_in(answer, connection.now())
