"""What an agent's developer imports: a token for the task, a narrower one for a sub-agent.

    with AgentClient.discover("https://id.example.com", "planner", key=key) as planner:
        url, asked = planner.authorization_url(callback, scope="calendar:read", resource=[calendar])
        hold = planner.redeem(asked.code_in(came_back), asked)
        token = hold.narrow(calendar)

httpx and joserfc are all that it needs; what goes over the wire is OAuth as its RFCs say.
"""

from .agent import AgentClient, Token
from .authentication import new_key
from .authorization import AuthorizationRequest
from .errors import OAuthError, ProtocolError

__all__ = [
    "AgentClient",
    "AuthorizationRequest",
    "OAuthError",
    "ProtocolError",
    "Token",
    "new_key",
]
