"""Who may pass, and what is answered to who may not, whatever framework serves the API.

It takes the `Authorization` header's text and raises a refusal that has all an answer needs.
"""

import time

from .access import Access
from .bearer import challenge, find_bearer_token
from .checker import AsyncChecker, Checker
from .errors import IntrospectionError
from .judge import Clock
from .needs import Needs


class Refused(Exception):  # noqa: N818 - what is answered, and no defect
    """What a request is answered that may not pass.

    :param status: 401 without a good token or where the person must sign in or say yes again,
        403 with one that is not enough, 503 when the server can't be asked
    :param error: RFC 6750's or RFC 9470's code; None where no token came
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
    :param clock: tells unix seconds, for `max_age`
    """

    def __init__(
        self,
        checker: Checker,
        identifier: str,
        *,
        resource_metadata: str | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._checker = checker
        self._identifier = identifier
        self._resource_metadata = resource_metadata
        self._now = clock

    def admit(
        self,
        authorization: str | None,
        scope: str = "",
        *,
        acr: str = "",
        max_age: int | None = None,
    ) -> Access:
        """Return who acts for whom, if they may do what every word of `scope` stands for.

        :param authorization: the header
        :param acr: how the person must have signed in for it: one of these. :rfc:`9470`
        :param max_age: seconds since then, at most
        :raises Refused: for everybody else
        """
        needs = Needs(scope, acr, max_age)
        token = find_bearer_token(authorization)
        try:
            access = self._checker.check(token, self._identifier)
        except IntrospectionError as error:
            raise _unavailable() from error
        return _decide(token, access, needs, self._now(), self._resource_metadata)


class AsyncGuard:
    """One API's door, for asyncio: as `Guard`, and `admit` is awaited."""

    def __init__(
        self,
        checker: AsyncChecker,
        identifier: str,
        *,
        resource_metadata: str | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._checker = checker
        self._identifier = identifier
        self._resource_metadata = resource_metadata
        self._now = clock

    async def admit(
        self,
        authorization: str | None,
        scope: str = "",
        *,
        acr: str = "",
        max_age: int | None = None,
    ) -> Access:
        """Return who acts for whom: `Guard.admit`, awaited."""
        needs = Needs(scope, acr, max_age)
        token = find_bearer_token(authorization)
        try:
            access = await self._checker.check(token, self._identifier)
        except IntrospectionError as error:
            raise _unavailable() from error
        return _decide(token, access, needs, self._now(), self._resource_metadata)


def _decide(
    token: str | None,
    access: Access | None,
    needs: Needs,
    now: float,
    resource_metadata: str | None,
) -> Access:
    if access is None:
        # RFC 6750 §3.1: without any token, no "error code or other error information".
        error = "invalid_token" if token else None
        raise Refused(401, error, challenge(error, resource_metadata=resource_metadata))
    lack = needs.find_lack(access, now)
    if lack is not None:
        status, error = lack
        raise Refused(status, error, needs.challenge(error, resource_metadata))
    return access


def _unavailable() -> Refused:
    return Refused(503, "temporarily_unavailable")
