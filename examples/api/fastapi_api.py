"""The same calendar on FastAPI.

hypercorn "examples.api.fastapi_api:create_app('http://127.0.0.1:8000')" --bind 127.0.0.1:8001
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import FastAPI

from deputize.resource import (
    Access,
    AsyncGuard,
    AsyncIntrospector,
    resource_metadata,
    resource_metadata_url,
)
from deputize.resource.fastapi import dependency

CALENDAR = "https://calendar.example"


def create_app(
    issuer: str,
    client_id: str = "calendar-api",
    client_secret: str = "calendar-secret-0123456789",
) -> FastAPI:
    """Return the API; the defaults are those of config/demo.toml."""
    introspector = AsyncIntrospector(issuer, client_id, client_secret)
    where = resource_metadata_url(CALENDAR)
    needs = dependency(AsyncGuard(introspector, CALENDAR, resource_metadata=where))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await introspector.aclose()

    app = FastAPI(lifespan=lifespan)

    @app.get("/events")
    async def events(access: Annotated[Access, needs("calendar:read")]) -> dict[str, Any]:
        return {"seen_by": str(access), "free": ["2026-12-03", "2026-12-06"]}

    @app.post("/events", status_code=201)
    async def add(access: Annotated[Access, needs("calendar:write")]) -> dict[str, Any]:
        return {"added_by": str(access)}

    @app.get(urlsplit(where).path)
    async def metadata() -> dict[str, Any]:
        scopes = ["calendar:read", "calendar:write"]
        return resource_metadata(CALENDAR, issuer, scopes, name="Calendar")

    return app
