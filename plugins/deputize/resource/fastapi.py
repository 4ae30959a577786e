"""A dependency for FastAPI's endpoints. Only who imports this module needs FastAPI.

needs = dependency(AsyncGuard(introspector, CALENDAR))

@app.get("/events")
async def events(access: Annotated[Access, needs("calendar:read")]) -> ...
"""

from collections.abc import Callable
from typing import Any

from fastapi import Depends, HTTPException, Request

from .access import Access
from .guard import AsyncGuard, Refused


def dependency(guard: AsyncGuard) -> Callable[[str], Any]:
    """Return what makes dependencies: `needs("calendar:read")` is who acts for whom.

    Who may not pass is answered 401, 403 or 503 in the endpoint's place.
    """

    def needs(scope: str) -> Any:
        async def admit(request: Request) -> Access:
            try:
                return await guard.admit(request.headers.get("Authorization"), scope)
            except Refused as refused:
                raise HTTPException(refused.status, refused.body, refused.headers) from refused

        return Depends(admit)

    return needs
