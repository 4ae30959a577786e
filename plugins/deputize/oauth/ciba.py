"""Client-Initiated Backchannel Authentication (OpenID Connect CIBA Core 1.0): poll, ping, push.

A client asks, a person answers elsewhere, and the client comes back for what was granted::

    +--------+  scope, login_hint_token, binding_message   +---------------+          +--------+
    |        | ------------------------------------------> |               | <------> | person |
    | client | <-- auth_req_id, expires_in, interval ----- | authorization |          +--------+
    |        |  grant_type=ciba, auth_req_id  (again and   |    server     |
    |        | ------------------------------------------> |               |
    +--------+ <-- authorization_pending | access_token -- +---------------+

Here the requests are read and validated; who is asked, and what is issued, is the
subclass's business.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import (
    InvalidBindingMessageError,
    InvalidRequestError,
    InvalidScopeError,
    InvalidTargetError,
)
from .grant import TokenGrant
from .rfc9396 import Detail, read_authorization_details

CIBA = "urn:openid:params:grant-type:ciba"

#: How a client learns of the answer (§5): it asks again, is told to, or is given it.
POLL, PING, PUSH = DELIVERY_MODES = ("poll", "ping", "push")

#: CIBA Core §7.1: "Requests MUST contain the openid scope". It marks them, and is never granted.
OPENID = "openid"

_HINTS = ("login_hint", "id_token_hint", "login_hint_token")
#: Drawn as nothing, though Unicode calls them letters and marks: "10\u31640" reads as "10 0".
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
_SECONDS = re.compile(r"[0-9]{1,9}")
#: RFC 6750 §2.1: what can stand after `Bearer`.
_BEARER = re.compile(r"[A-Za-z0-9._~+/-]{1,1024}=*")
_LONGEST_TOKEN = 1024


@dataclass(frozen=True, slots=True)
class BackchannelRequest:
    """An authentication request. CIBA Core §7.1.

    :param hint: its one hint, by name
    :param scope: without `openid`
    :param requested_expiry: seconds; None where the request names none
    """

    scope: frozenset[str]
    hint: tuple[str, str]
    binding_message: str | None = None
    resource: str | None = None
    requested_expiry: int | None = None
    authorization_details: tuple[Detail, ...] | None = None
    user_code: str | None = field(default=None, repr=False)
    client_notification_token: str | None = field(default=None, repr=False)


def read_backchannel_request(
    form: Mapping[str, str], resources: Sequence[str], longest_message: int
) -> BackchannelRequest:
    """Return the request that `form` makes.

    :param form: its parameters; of a signed request, those that were signed
    :param resources: every value of `resource`
    :param longest_message: characters of a `binding_message`
    :raises InvalidTargetError: for more than one resource: a token is for one target
    :raises InvalidAuthorizationDetailsError: RFC 9396 §5
    :raises InvalidScopeError: without `openid`, or without anything else that is asked for
    :raises InvalidRequestError: unless there is exactly one hint; for a
        `client_notification_token` that is no bearer token
    :raises InvalidBindingMessageError: for one that cannot be shown
    """
    if len(resources) > 1:
        raise InvalidTargetError("A token is for one target: name one resource.")
    scope = frozenset(form.get("scope", "").split())
    details = form.get("authorization_details")
    if OPENID not in scope or (scope == {OPENID} and details is None):
        raise InvalidScopeError("The scope holds openid, and what is asked for.")
    hints = [(name, form[name]) for name in _HINTS if name in form]
    if len(hints) != 1:
        raise InvalidRequestError("There is exactly one of the three hints.")
    return BackchannelRequest(
        scope=scope - {OPENID},
        hint=hints[0],
        binding_message=read_binding_message(form, longest_message),
        resource=resources[0] if resources else None,
        requested_expiry=_requested_expiry(form),
        authorization_details=None if details is None else read_authorization_details(details),
        user_code=form.get("user_code"),
        client_notification_token=_notification_token(form),
    )


def read_binding_message(form: Mapping[str, str], longest: int) -> str | None:
    """Return what the agent says to the person; it is shown in quotation, as its own words.

    :raises InvalidBindingMessageError: CIBA Core §13
    """
    message = form.get("binding_message", "").strip() or None
    if message is None:
        return None
    if len(message) > longest or not message.isprintable() or _BLANK.search(message):
        raise InvalidBindingMessageError(f"One line of at most {longest} visible characters.")
    return message


def _notification_token(form: Mapping[str, str]) -> str | None:
    """Return what the client knows a notification by. CIBA Core §7.1."""
    token = form.get("client_notification_token")
    if token is not None and (len(token) > _LONGEST_TOKEN or not _BEARER.fullmatch(token)):
        raise InvalidRequestError("client_notification_token is a bearer token, 1024 at most.")
    return token


def _requested_expiry(form: Mapping[str, str]) -> int | None:
    value = form.get("requested_expiry")
    if value is None:
        return None
    if not _SECONDS.fullmatch(value) or int(value) == 0:
        raise InvalidRequestError("requested_expiry is a positive number of seconds.")
    return int(value)


class CibaGrant(TokenGrant):
    """The grant by which a client comes back. Subclasses implement :meth:`redeem`."""

    GRANT_TYPE = CIBA
    UNAUTHORIZED = "The client may not use CIBA."

    def read_request(self) -> None:
        self.auth_req_id = self.required("auth_req_id")

    def issue_token(self) -> dict[str, Any]:
        return self.redeem(self.request.client, self.auth_req_id)

    # -- hooks ------------------------------------------------------------------

    def redeem(self, client: Any, auth_req_id: str) -> dict[str, Any]:
        """Return the token response for what `auth_req_id` stands for. CIBA Core §10.1.1.

        Developers MUST implement this: `authorization_pending`, `slow_down`,
        `expired_token` and `access_denied` are raised; an id that is unknown, used up, or
        another client's is `invalid_grant`.
        """
        raise NotImplementedError()
