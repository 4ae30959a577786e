"""Who may pass, and what is answered to who may not, whatever framework serves the API.

It takes the `Authorization` header's text and raises a refusal that has all an answer needs.
"""

from .access import Access
from .bearer import challenge, find_bearer_token
from .checker import AsyncChecker, Checker
from .errors import IntrospectionError


class Refused(Exception):  # noqa: N818 - what is answered, and no defect
    """What a request is answered that may not pass.

    :param status: 401 without a good token, 403 with one that is not enough, 503 when the
        server can't be asked
    :param error: RFC 6750's code; None where no token came
    """

    def __init__(self, status: int, error: str | None, www_authenticate: str | None = None) -> None:
        super().__init__(f"{status} {error or 'no token'}")
        self.status = status
        self.error = error
        self.headers = {"Cache-Control": "no-store"}
        if www_authenticate is not None:
            self.headers["WWW-Authenticate"] = www_authenticate

    @property
    def body(self) -> dict[str, str]:
        """The JSON of the answer."""
        return {"error": self.error} if self.error else {}


class Guard:
    """One API's door.

    :param identifier: the API's, as tokens name it in `aud`
    :param resource_metadata: the URL of the API's metadata, where it is served (RFC 9728)
    """

    def __init__(
        self, checker: Checker, identifier: str, *, resource_metadata: str | None = None
    ) -> None:
        self._checker = checker
        self._identifier = identifier
        self._resource_metadata = resource_metadata

    def admit(self, authorization: str | None, scope: str = "") -> Access:
        """Return who acts for whom, if they may do what every word of `scope` stands for.

        :param authorization: the header
        :raises Refused: for everybody else
        """
        token = find_bearer_token(authorization)
        try:
            access = self._checker.check(token, self._identifier)
        except IntrospectionError as error:
            raise _unavailable() from error
        return _decide(token, access, scope, self._resource_metadata)


class AsyncGuard:
    """One API's door, for asyncio: as `Guard`, and `admit` is awaited."""

    def __init__(
        self, checker: AsyncChecker, identifier: str, *, resource_metadata: str | None = None
    ) -> None:
        self._checker = checker
        self._identifier = identifier
        self._resource_metadata = resource_metadata

    async def admit(self, authorization: str | None, scope: str = "") -> Access:
        """Return who acts for whom: `Guard.admit`, awaited."""
        token = find_bearer_token(authorization)
        try:
            access = await self._checker.check(token, self._identifier)
        except IntrospectionError as error:
            raise _unavailable() from error
        return _decide(token, access, scope, self._resource_metadata)


def _decide(
    token: str | None, access: Access | None, scope: str, resource_metadata: str | None
) -> Access:
    if access is None:
        # RFC 6750 §3.1: without any token, no "error code or other error information".
        error = "invalid_token" if token else None
        raise Refused(401, error, challenge(error, resource_metadata=resource_metadata))
    if not access.allows(scope):
        error = "insufficient_scope"
        told = challenge(error, scope=scope, resource_metadata=resource_metadata)
        raise Refused(403, error, told)
    return access


def _unavailable() -> Refused:
    return Refused(503, "temporarily_unavailable")
