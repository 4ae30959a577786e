"""What an API imports: who acts for whom, and that it is still allowed.

    introspector = Introspector("https://id.example.com", "calendar-api", secret)
    access = introspector.check(find_bearer_token(authorization_header), "https://calendar.example")
    if access is None: ...  # 401
    if not access.allows("calendar:read"): ...  # 403

httpx is all that it needs. The server is asked each time, so that what was ended a moment
ago is refused now.
"""

from .access import Access, Actor
from .bearer import challenge, find_bearer_token
from .introspector import IntrospectionError, Introspector

__all__ = [
    "Access",
    "Actor",
    "IntrospectionError",
    "Introspector",
    "challenge",
    "find_bearer_token",
]
