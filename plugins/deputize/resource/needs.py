"""What a request needs: scopes, and how and how lately the person has signed in (RFC 9470)."""

from dataclasses import dataclass

from .access import Access
from .bearer import challenge

INSUFFICIENT_SCOPE = "insufficient_scope"
INSUFFICIENT_USER_AUTHENTICATION = "insufficient_user_authentication"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a token must bring.

    :param scope: each of its words
    :param acr: one of its words, the preferred one first; empty for any way of signing in
    :param max_age: seconds since the person has signed in, at most; None for any
    :raises ValueError: for a negative `max_age`
    """

    scope: str = ""
    acr: str = ""
    max_age: int | None = None

    def __post_init__(self) -> None:
        if self.max_age is not None and self.max_age < 0:
            raise ValueError("max_age is a number of seconds, and not negative")

    def find_lack(self, access: Access, now: float) -> tuple[int, str] | None:
        """Return the status and the error for what `access` does not bring, or None.

        The person comes first: what asking them again gives has the scope, too.
        """
        if not self._is_signed_in_by(access) or not self._is_signed_in_since(access, now):
            return 401, INSUFFICIENT_USER_AUTHENTICATION
        if not access.allows(self.scope):
            return 403, INSUFFICIENT_SCOPE
        return None

    def challenge(self, error: str, resource_metadata: str | None) -> str:
        """Return the `WWW-Authenticate` header for what lacks. :rfc:`9470#section-3`."""
        is_scope = error == INSUFFICIENT_SCOPE
        return challenge(
            error,
            acr=None if is_scope else self.acr,
            max_age=None if is_scope else self.max_age,
            scope=self.scope,
            resource_metadata=resource_metadata,
        )

    def _is_signed_in_by(self, access: Access) -> bool:
        return not self.acr or access.claims.get("acr") in self.acr.split()

    def _is_signed_in_since(self, access: Access, now: float) -> bool:
        if self.max_age is None:
            return True
        since = access.claims.get("auth_time")
        # What does not say when is not recent, and neither is a time of another type.
        if not isinstance(since, int | float) or isinstance(since, bool):
            return False
        return now - since <= self.max_age
