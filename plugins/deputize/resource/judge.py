"""Whether a token lets its bearer in: first what it says, then what the server says of it.

It sends nothing and waits for nobody: `checker.py` does, for threads and for tasks.
"""

from collections.abc import Callable, Collection
from math import inf
from typing import TypeAlias

from .access import Access, read_access
from .at_jwt import find_kid, is_current, is_for, is_jwt, validate_algorithms, verify
from .discovery import Metadata, discover, get_endpoint
from .errors import IntrospectionError
from .flow import Ask, Flow
from .introspection import Introspection
from .keys import Keys

Clock: TypeAlias = Callable[[], float]

PAUSE = 1  # seconds until a server that could not be asked is tried again


class Judge:
    """One server's tokens, judged.

    :param introspection: asks the server about each token that says it is good; without it,
        what the token says decides until it expires
    """

    def __init__(
        self,
        issuer: str,
        introspection: Introspection | None,
        algorithms: Collection[str],
        leeway: float,
        clock: Clock,
    ) -> None:
        self.issuer = issuer
        self._introspection = introspection
        self._algorithms = validate_algorithms(algorithms)
        self._leeway = leeway
        self._now = clock
        self._metadata: Metadata | None = None
        self._tried_at = -inf
        self._keys = Keys()

    def is_unprepared(self, token: str | None) -> bool:
        """Tell whether something of the server must be read before `token` can be judged."""
        if not token:
            return False
        if not is_jwt(token):
            return self._introspection is not None and self._metadata is None
        kid = find_kid(token, self._algorithms)
        return kid is not None and self._keys.is_wanting(kid, self._now())

    def prepare(self, token: str) -> Flow[None]:
        """Read it.

        :raises IntrospectionError: when the server can't be asked, or could not a moment ago:
            of many that wait, each would wait for as long as all before it
        """
        now = self._now()
        if now - self._tried_at < PAUSE:
            raise IntrospectionError(f"{self.issuer} could not be asked a moment ago")
        self._tried_at = now
        if self._metadata is None:
            self._metadata = yield from discover(self.issuer)
        if is_jwt(token):
            yield from self._read_keys(self._metadata)
        self._tried_at = -inf

    def judge(self, token: str | None, audience: str) -> Flow[Access | None]:
        """Return what the bearer of `token` may do at `audience`, or None for nothing.

        :raises IntrospectionError: when the server can't be asked
        """
        if not token:
            return None
        stated = self._stated(token, audience) if is_jwt(token) else None
        if self._introspection is None:
            return stated
        if is_jwt(token) and stated is None:
            return None
        return (yield from self._introspected(self._introspection, token, audience))

    def _stated(self, token: str, audience: str) -> Access | None:
        claims = verify(token, self._keys, self._algorithms)
        if claims is None or not is_for(claims, self.issuer, audience):
            return None
        if not is_current(claims, self._now(), self._leeway):
            return None
        try:
            return read_access(claims)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            return None

    def _introspected(
        self, introspection: Introspection, token: str, audience: str
    ) -> Flow[Access | None]:
        asked_at = self._now()
        kept = introspection.find(token, asked_at)
        access = kept or (yield from introspection.ask(self._endpoint(), token))
        # RFC 9068 §4: reject a token whose "aud" does not name this resource server.
        if access is None or not is_for(access.claims, self.issuer, audience):
            return None
        if kept is None and is_jwt(token):
            introspection.keep(token, access, asked_at)
        return access

    def _endpoint(self) -> str:
        assert self._metadata is not None  # noqa: S101 - `prepare` comes first
        return get_endpoint(self._metadata, "introspection_endpoint")

    def _read_keys(self, metadata: Metadata) -> Flow[None]:
        asked_at = self._now()
        self._keys.note_asked(asked_at)
        url = get_endpoint(metadata, "jwks_uri")
        self._keys.take((yield Ask("GET", url)), asked_at)
