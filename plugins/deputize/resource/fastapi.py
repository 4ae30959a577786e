"""A dependency for FastAPI's endpoints. Only who imports this module needs FastAPI.

needs = dependency(AsyncGuard(introspector, CALENDAR))

@app.get("/events")
async def events(access: Annotated[Access, needs("calendar:read")]) -> ...
"""

from typing import Any, Protocol

from fastapi import Depends, HTTPException, Request

from .access import Access
from .guard import AsyncGuard, Refused


class Dependency(Protocol):
    """`needs("pay:transfer", max_age=300)`; what it takes is `AsyncGuard.admit`'s."""

    def __call__(self, scope: str, *, acr: str = "", max_age: int | None = None) -> Any: ...


def dependency(guard: AsyncGuard) -> Dependency:
    """Return what makes dependencies: `needs("calendar:read")` is who acts for whom.

    Who may not pass is answered 401, 403 or 503 in the endpoint's place.
    """

    def needs(scope: str, *, acr: str = "", max_age: int | None = None) -> Any:
        async def admit(request: Request) -> Access:
            try:
                authorization = request.headers.get("Authorization")
                return await guard.admit(authorization, scope, acr=acr, max_age=max_age)
            except Refused as refused:
                raise HTTPException(refused.status, refused.body, refused.headers) from refused

        return Depends(admit)

    return needs
