"""A token and the agent that holds it: narrow, hand over, spawn, ask the person, report, end.

Each token knows its agent, so that what is done next reads as a sentence:
`hold.narrow(calendar)`, `hold.hand_over("booker", "flights:search")`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

from . import token_requests
from .asking import Asked, narrow_or_ask, put_question
from .details import Details, spelled
from .flow import run
from .lease import Lease
from .question import Question
from .spawning import spawn
from .task_reports import Outcome, Task, report

if TYPE_CHECKING:
    from .agent import AgentClient


@dataclass(frozen=True, slots=True)
class Token(Lease):
    """A lease, and the agent that holds it.

    :param agent: who holds it
    """

    agent: "AgentClient" = field(compare=False, kw_only=True)

    @classmethod
    def of(cls, lease: Lease, agent: "AgentClient") -> Self:
        """Return `lease` as a token of `agent`."""
        return cls(*(getattr(lease, told.name) for told in fields(Lease)), agent=agent)

    def narrow(
        self,
        resource: str,
        scope: str | None = None,
        *,
        authorization_details: Details = None,
        message: str | None = None,
    ) -> "Token":
        """Return a token for one API, with `scope` or all that belongs there.

        :param authorization_details: less of what is held; without it all that belong there
        :param message: one line to the person: what only they can let pass is put to them,
            and their word waited for; without it, such a scope is `interaction_required`
        :raises OAuthError: when the server refuses, or the person
        """
        if message is None:
            return self._exchange(authorization_details, resource=resource, scope=scope)
        asked = (resource, scope, message, authorization_details)
        flow = narrow_or_ask(self.agent._connection, self.value, *asked)
        answer = run(self.agent._http, flow)
        if isinstance(answer, Asked):
            return Question(self.agent, answer).wait()
        return self.agent._holding(answer)

    def renew(self) -> "Token":
        """Return a new lease for the same place, with what is still held of it.

        The refresh token stays good, and stays with it.

        :raises OAuthError: when the server refuses: it has expired, or was ended
        """
        return self.agent._token(token_requests.renew(self.agent._connection, self))

    def hand_over(self, to: str, scope: str, *, authorization_details: Details = None) -> "Token":
        """Return what agent `to` may take: good for its exchange and nothing else.

        :param authorization_details: less of what is held; without it all of the scope's
        :raises OAuthError: when the server refuses
        """
        return self._exchange(authorization_details, audience=to, scope=scope)

    def spawn(self, *, scope: str, purpose: str) -> "AgentClient":
        """Start a throw-away agent of one's own, ready to be handed part of `scope`.

        :raises OAuthError: when the server refuses
        """
        flow = spawn(self.agent._connection, self.value, scope, purpose)
        return self.agent._child(run(self.agent._http, flow))

    def put_question(
        self,
        scope: str,
        resource: str | None = None,
        *,
        message: str = "",
        authorization_details: Details = None,
        acr_values: str | None = None,
    ) -> Question:
        """Ask the person for `scope` and return at once, with the question as it waits.

        Asking the same again while it waits makes no second one. CIBA Core §7.

        :param resource: the API; may be left out where every scope is of one
        :param message: one line to the person, shown as the agent's own words
        :param authorization_details: what exactly: "pay 420.00 EUR to Airline X" (:rfc:`9396`)
        :param acr_values: how the person should sign in for it, as an API has asked
        :raises OAuthError: when nobody is asked that
        """
        asked = (scope, resource, message, authorization_details, acr_values)
        flow = put_question(self.agent._connection, self.value, *asked)
        return Question(self.agent, run(self.agent._http, flow))

    def ask(
        self,
        scope: str,
        resource: str | None = None,
        *,
        message: str = "",
        authorization_details: Details = None,
        timeout: float | None = None,
    ) -> "Token":
        """Ask the person for `scope`, and wait for their word: a token of its own, or a refusal.

        What they approved of the details is in the token's `authorization_details`.

        :raises OAuthError: when nobody is asked that, when they say no, or nothing in time
        :raises TimeoutError: when they have said nothing after `timeout` seconds
        """
        return self.put_question(
            scope, resource, message=message, authorization_details=authorization_details
        ).wait(timeout)

    def refresh(self, resource: str | None = None) -> "Token":
        """Return a new hold; this refresh token is used up. :rfc:`6749#section-6`.

        :raises ValueError: when there is no refresh token
        :raises OAuthError: when the server refuses
        """
        return self.agent._token(token_requests.refresh(self.agent._connection, self, resource))

    def task(self) -> Task:
        """Return how the task stands, and how much of its budget is left.

        It takes the scope `tasks`, and the hold of the agent that the person deputized.

        :raises OAuthError: when the server refuses: the task has ended, or is another's to see
        :raises ValueError: for a token that is for no task
        """
        return self._report()

    def heartbeat(self) -> Task:
        """Report that the agent is still at work, where its registration asks for that.

        :raises OAuthError: as `task`; also while the end of the task is proposed
        """
        return self._report(action="heartbeat")

    def propose(self, outcome: Outcome) -> Task:
        """Say what came of the task. It ends at once, or when the person accepts that.

        Until then its status is `proposed`, and nothing that hangs on it is good.

        :raises OAuthError: as `task`; also while another outcome is proposed
        """
        return self._report(action="propose", outcome=outcome)

    def ask_for_time(self, expires_in: int) -> Task:
        """Ask the person to let the task go on until `expires_in` seconds from now.

        It goes on meanwhile, until the deadline that it has; `task` tells whether that was moved.
        Asked again while the person has not answered, it changes nothing.

        :raises OAuthError: as `task`; where that is no later, or more than the person can give;
            when they have said no a moment ago
        """
        return self._report(action="extend", expires_in=expires_in)

    def introspect(self) -> Mapping[str, Any]:
        """Return what the server says of it now. :rfc:`7662#section-2.2`."""
        return self.agent.introspect(self.value)

    def revoke(self) -> None:
        """End what it stands for, and all below. :rfc:`7009#section-2`."""
        connection = self.agent._connection
        run(self.agent._http, connection.post("revocation_endpoint", token=self.value))

    def _exchange(self, details: Details, **params: str | None) -> "Token":
        params["authorization_details"] = spelled(details)
        connection = self.agent._connection
        return self.agent._token(token_requests.exchange(connection, self.value, **params))

    def _report(self, **said: str | int) -> Task:
        return run(self.agent._http, report(self.agent._connection, self, **said))
