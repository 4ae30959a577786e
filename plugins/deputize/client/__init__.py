"""What an agent's developer imports: a token for the task, a narrower one for a sub-agent.

    with AgentClient.discover("https://id.example.com", "planner", key=key) as planner:
        url, asked = planner.authorization_url(callback, scope="calendar:read", resource=[calendar])
        hold = Hold(planner.redeem(asked.code_in(came_back), asked))
        with httpx.Client(base_url=calendar, auth=hold.auth(calendar)) as api: ...

`AsyncAgentClient` and `AsyncHold` do the same for asyncio. httpx and joserfc are all that it
needs; what goes over the wire is OAuth as its RFCs say.
"""

from .agent import AgentClient
from .async_agent import AsyncAgentClient, AsyncToken
from .async_hold import AsyncHold
from .async_question import AsyncQuestion
from .authentication import new_key
from .authorization import AuthorizationRequest
from .errors import OAuthError, ProtocolError
from .hold import Hold
from .question import Question
from .task_reports import Budget, Outcome, Task
from .token import Token

__all__ = [
    "AgentClient",
    "AsyncAgentClient",
    "AsyncHold",
    "AsyncQuestion",
    "AsyncToken",
    "AuthorizationRequest",
    "Budget",
    "Hold",
    "OAuthError",
    "Outcome",
    "ProtocolError",
    "Question",
    "Task",
    "Token",
    "new_key",
]
