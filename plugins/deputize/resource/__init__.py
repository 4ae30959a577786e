"""What an API imports: who acts for whom, and that it is still allowed.

    introspector = Introspector("https://id.example.com", "calendar-api", secret)
    guard = Guard(introspector, "https://calendar.example")
    try:
        access = guard.admit(authorization_header, "calendar:read")
    except Refused as refused: ...  # its status, headers and body are the answer

The server is asked each time, so that what was ended a moment ago is refused now. `flask`
and `fastapi` hold a decorator and a dependency; httpx and joserfc are all that the rest needs.
"""

from .access import Access, Actor
from .bearer import challenge, find_bearer_token
from .checker import AsyncChecker, Checker
from .errors import IntrospectionError
from .guard import AsyncGuard, Guard, Refused
from .introspector import AsyncIntrospector, Introspector
from .metadata import resource_metadata, resource_metadata_url
from .until_expiry import AsyncUntilExpiry, UntilExpiry

__all__ = [
    "Access",
    "Actor",
    "AsyncChecker",
    "AsyncGuard",
    "AsyncIntrospector",
    "AsyncUntilExpiry",
    "Checker",
    "Guard",
    "IntrospectionError",
    "Introspector",
    "Refused",
    "UntilExpiry",
    "challenge",
    "find_bearer_token",
    "resource_metadata",
    "resource_metadata_url",
]
