"""A calendar on Flask: planner may read it for Ana, and so may whom planner hands that to.

flask --app "examples.api.flask_api:create_app('http://127.0.0.1:8000')" run --port 8001
"""

from typing import Any
from urllib.parse import urlsplit

from flask import Flask, request

from deputize.resource import (
    Access,
    Guard,
    Introspector,
    resource_metadata,
    resource_metadata_url,
)
from deputize.resource.flask import decorator

CALENDAR = "https://calendar.example"


def create_app(
    issuer: str,
    client_id: str = "calendar-api",
    client_secret: str = "calendar-secret-0123456789",
) -> Flask:
    """Return the API; the defaults are those of config/demo.toml."""
    app = Flask(__name__)
    introspector = Introspector(issuer, client_id, client_secret)
    where = resource_metadata_url(CALENDAR)
    needs = decorator(Guard(introspector, CALENDAR, resource_metadata=where), request)

    @app.get("/events")
    @needs("calendar:read")
    def events(access: Access) -> dict[str, Any]:
        return {"seen_by": str(access), "free": ["2026-12-03", "2026-12-06"]}

    @app.post("/events")
    @needs("calendar:write")
    def add(access: Access) -> tuple[dict[str, Any], int]:
        return {"added_by": str(access)}, 201

    @app.get(urlsplit(where).path)
    def metadata() -> dict[str, Any]:
        scopes = ["calendar:read", "calendar:write"]
        return resource_metadata(CALENDAR, issuer, scopes, name="Calendar")

    return app
