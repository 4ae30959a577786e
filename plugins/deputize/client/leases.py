"""What a hold remembers, and what it asks next: the root or taken token, and narrower ones.

It sends nothing and waits for nobody. A hold for threads and one for tasks put a lock around
`obtain`, so that one renewal is under way at a time, and send what it asks.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Lock

from . import token_requests
from .connection import Connection
from .details import Details, spelled
from .errors import OAuthError
from .flow import Flow
from .lease import Lease

KEPT = 64  # narrow tokens that a hold keeps, the least recently used goes first

_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Want:
    """A token for one API, with `scope` or, at None, all that belongs there.

    :param details: as they are sent; at None all that belong to the scope
    """

    resource: str
    scope: frozenset[str] | None
    details: str | None

    @classmethod
    def of(cls, resource: str, scope: str | None, details: Details) -> "Want":
        """Return what is wanted; the order of scopes and details makes no difference."""
        return cls(resource, None if scope is None else frozenset(scope.split()), spelled(details))


class Leases:
    """The tokens of one hold.

    :param held: the root or taken token that all others are made from
    :raises ValueError: for a token for an API, from which nothing more can be made
    """

    def __init__(self, connection: Connection, held: Lease) -> None:
        if held.audience not in (None, connection.metadata.issuer):
            raise ValueError(f"a hold is a token for {connection.metadata.issuer} itself")
        self.held = held
        self.connection = connection
        self._narrow: OrderedDict[Want, Lease] = OrderedDict()
        self._lock = Lock()

    def find(self, want: Want | None) -> Lease | None:
        """Return the token that is kept for `want`, unless it should be renewed first.

        :param want: None for the hold itself
        """
        if want is None:
            return self.held if self._is_good(self.held) else None
        with self._lock:
            lease = self._narrow.get(want)
            if lease is None or not self._is_good(lease):
                return None
            self._narrow.move_to_end(want)
            return lease

    def obtain(self, want: Want | None) -> Flow[Lease]:
        """Get a token for `want`, the hold renewed first if need be.

        :raises OAuthError: when the server refuses
        """
        kept = self.find(want)  # who waited finds what the one before has got
        if kept is not None:
            return kept
        if not self._is_good(self.held):
            self.held = yield from self._next()
        return self.held if want is None else (yield from self._narrowed(want))

    def drop(self, refused: Lease) -> None:
        """Forget a token that its API refused; one that came since then stays."""
        with self._lock:
            for want, lease in self._narrow.items():
                if lease.value == refused.value:
                    del self._narrow[want]
                    return

    def revoke(self) -> Flow[None]:
        """End the delegation, and forget what hung on it. :rfc:`7009#section-2`."""
        with self._lock:
            self._narrow.clear()
        yield from self.connection.post("revocation_endpoint", token=self.held.value)
        self.held = replace(self.held, renew_at=_LONG_AGO)

    def seconds_left(self) -> float:
        """Return the seconds until the hold should be renewed; 0 when it should be now."""
        return max(0.0, self.held.renew_at.timestamp() - self.connection.now())

    def _next(self) -> Flow[Lease]:
        """Renew while that helps; else, and if the server won't, use the refresh token up."""
        held = self.held
        if held.refresh_token is None or self._now() < held.expires_at:
            try:
                return (yield from token_requests.renew(self.connection, held))
            except OAuthError:
                if held.refresh_token is None:
                    raise
        return (yield from token_requests.refresh(self.connection, held))

    def _narrowed(self, want: Want) -> Flow[Lease]:
        scope = None if want.scope is None else " ".join(sorted(want.scope))
        lease = yield from token_requests.exchange(
            self.connection,
            self.held.value,
            resource=want.resource,
            scope=scope,
            authorization_details=want.details,
        )
        with self._lock:
            self._narrow[want] = lease
            if len(self._narrow) > KEPT:
                self._narrow.popitem(last=False)
        return lease

    def _is_good(self, lease: Lease) -> bool:
        return self._now() < lease.renew_at

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.connection.now(), UTC)
