"""A token as its holder sees it: what it is worth, for how long, and what it says.

What a server answers is read here, once, for threads and tasks alike.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from .details import Detail, details_in
from .errors import ProtocolError

#: The part of its lifetime after which a token is renewed rather than used: a request that
#: is under way with it still has the last fifth, a minute of the usual five.
_USED_FOR = 0.8


@dataclass(frozen=True, slots=True)
class Lease:
    """A short lease on one delegation. Its value stands in no `repr`.

    :param renew_at: from when on it should be renewed, a while before `expires_at`
    :param refresh_token: of the root's token alone
    :param authorization_details: those that were granted, which may be fewer than were asked
        for, and each of them less: a person has lowered an amount. They stand in no `repr`
    """

    value: str = field(repr=False)
    scope: frozenset[str]
    expires_at: datetime
    renew_at: datetime
    refresh_token: str | None = field(default=None, repr=False)
    authorization_details: tuple[Detail, ...] = field(default=(), repr=False, compare=False)

    @property
    def claims(self) -> Mapping[str, Any]:
        """What the token says, unverified: for its holder to read. Empty for an opaque one."""
        parts = self.value.split(".")
        return _decode(parts[1]) if len(parts) == 3 else {}

    @property
    def audience(self) -> str | None:
        """The one place where it is good."""
        return self.claims.get("aud")

    def chain(self) -> tuple[str, ...]:
        """Return who acts, through whom: the current actor first (RFC 8693 §4.1)."""
        return tuple(_actors(self.claims.get("act")))


def lease_in(answer: Mapping[str, Any], now: float) -> Lease:
    """Return the token that a token response holds. :rfc:`6749#section-5.1`.

    :param now: the unix seconds at which the answer came
    :raises ProtocolError: when it holds none
    """
    value, expires_in = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(value, str) or not isinstance(expires_in, int):
        raise ProtocolError("the token response has no access_token or no expires_in")
    came_at = datetime.fromtimestamp(now, UTC)
    return Lease(
        value=value,
        scope=frozenset(str(answer.get("scope", "")).split()),
        expires_at=came_at + timedelta(seconds=expires_in),
        renew_at=came_at + timedelta(seconds=expires_in * _USED_FOR),
        refresh_token=answer.get("refresh_token"),
        authorization_details=details_in(answer),
    )


def _decode(part: str) -> dict[str, Any]:
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return {}
    return claims if isinstance(claims, dict) else {}


def _actors(act: Any) -> Iterator[str]:
    while isinstance(act, dict):
        yield str(act.get("sub"))
        act = act.get("act")
