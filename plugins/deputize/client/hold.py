"""A hold that looks after itself: what an agent keeps for as long as its task lasts.

It renews its token before it expires, keeps the narrow ones made from it, and gets another
when an API refuses one. Threads may share it; one renewal is under way at a time.
"""

from threading import Event, Lock, Thread
from typing import Self

import httpx

from .agent import AgentClient
from .details import Details
from .errors import OAuthError, ProtocolError
from .flow import run
from .leases import Leases, Want
from .question import Question
from .resource_auth import ResourceAuth
from .step_up import StepUp
from .task_reports import Outcome, Task
from .token import Token
from .upkeep import Upkeep


class Hold:
    """One agent's hold on one delegation.

    It renews when it is asked for something. In a `with` it also does so while nobody asks,
    from a thread: an agent that thinks for longer than its token lives needs that, unless
    it has a refresh token.

    In a `with`, a hold of the agent that the person deputized, with the scope `tasks`, also
    reports on its task, if the task asks for that: at once, which says by when it must be heard
    of next, and then after half of each such time. Without the scope it sends none. That the
    process lives is all that it says: leave the `with` when the agent gives up.

    :param token: what `redeem` or `take` returned, for the server itself; use it no more
    """

    def __init__(self, token: Token) -> None:
        self.agent = token.agent
        self._leases = Leases(token.agent._connection, token)
        self._lock = Lock()
        self._upkeep = Upkeep(self._leases)
        self._woken = Event()
        self._is_left = True
        self._keeper: Thread | None = None

    def token(self) -> Token:
        """Return the hold's own token, fresh. Its refresh token is the newest.

        :raises OAuthError: when the server refuses: the delegation has ended, or has expired
        """
        return self._get(None)

    def narrow(
        self, resource: str, scope: str | None = None, *, authorization_details: Details = None
    ) -> Token:
        """Return a token for one API, kept or new, and never one that is about to expire.

        :raises OAuthError: when the server refuses
        """
        return self._get(Want.of(resource, scope, authorization_details))

    def auth(
        self,
        resource: str,
        scope: str | None = None,
        *,
        authorization_details: Details = None,
        ask: str | None = None,
        ask_details: Details = None,
    ) -> ResourceAuth:
        """Return what lets an httpx client into one API: `httpx.Client(auth=hold.auth(...))`.

        Give it to a client that calls that API alone: it shows its token wherever it is sent.

        :param authorization_details: what its tokens hold, as `narrow`'s
        :param ask: one line to the person, who is asked where the API wants their word
            (:rfc:`9470#section-3`); the request waits for it. Without it nobody is asked
        :param ask_details: the authorization details that they are then asked for
        """
        want = Want.of(resource, scope, authorization_details)
        return ResourceAuth(self, want, StepUp(scope, ask, ask_details))

    def put_question(
        self,
        scope: str,
        resource: str | None = None,
        *,
        message: str = "",
        authorization_details: Details = None,
        acr_values: str | None = None,
    ) -> Question:
        """Ask the person for `scope` and return at once; see `Token.put_question`.

        :raises OAuthError: when nobody is asked that
        """
        return self.token().put_question(
            scope,
            resource,
            message=message,
            authorization_details=authorization_details,
            acr_values=acr_values,
        )

    def ask(
        self,
        scope: str,
        resource: str | None = None,
        *,
        message: str = "",
        authorization_details: Details = None,
        timeout: float | None = None,
    ) -> Token:
        """Ask the person for `scope`, and wait for their word; see `Token.ask`.

        The hold goes on meanwhile, and keeps nothing of the answer: it is for one thing.

        :raises OAuthError: when nobody is asked that, when they say no, or nothing in time
        :raises TimeoutError: when they have said nothing after `timeout` seconds
        """
        return self.put_question(
            scope, resource, message=message, authorization_details=authorization_details
        ).wait(timeout)

    def drop(self, refused: Token) -> None:
        """Forget a narrow token that its API refused, so that the next one is new."""
        self._leases.drop(refused)

    def hand_over(self, to: str, scope: str, *, authorization_details: Details = None) -> Token:
        """Return what agent `to` may take.

        :raises OAuthError: when the server refuses
        """
        token = self.token()
        return token.hand_over(to, scope, authorization_details=authorization_details)

    def spawn(self, *, scope: str, purpose: str) -> AgentClient:
        """Start a throw-away agent of one's own.

        :raises OAuthError: when the server refuses
        """
        return self.token().spawn(scope=scope, purpose=purpose)

    def task(self) -> Task:
        """Return how the task stands; see `Token.task`.

        :raises OAuthError: when the server refuses: the task has ended, or is another's to see
        """
        return self._noted(self.token().task())

    def heartbeat(self) -> Task:
        """Report that the agent is still at work; see `Token.heartbeat`. A `with` does it too.

        :raises OAuthError: as `task`; also while the end of the task is proposed
        """
        return self._noted(self.token().heartbeat())

    def propose(self, outcome: Outcome) -> Task:
        """Say what came of the task; see `Token.propose`.

        Nothing is renewed any more, unless the person lets the task go on and `task` tells so.

        :raises OAuthError: as `task`; also while another outcome is proposed
        """
        return self._noted(self.token().propose(outcome))

    def ask_for_time(self, expires_in: int) -> Task:
        """Ask the person to let the task go on for longer; see `Token.ask_for_time`.

        :raises OAuthError: as `task`; where that can't be, or is not asked again so soon
        """
        return self._noted(self.token().ask_for_time(expires_in))

    def revoke(self) -> None:
        """End the delegation and all below it. :rfc:`7009#section-2`."""
        with self._lock:
            run(self.agent._http, self._leases.revoke())

    def __enter__(self) -> Self:
        self._is_left = False
        self._upkeep.begin()
        self._keeper = Thread(target=self._keep, name=f"hold of {self.agent.client_id}")
        self._keeper.daemon = True
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_left = True
        self._woken.set()
        if self._keeper is not None:
            self._keeper.join()

    def _get(self, want: Want | None) -> Token:
        lease = self._leases.find(want)
        if lease is None:
            with self._lock:
                lease = run(self.agent._http, self._leases.obtain(want))
        return Token.of(lease, self.agent)

    def _noted(self, told: Task) -> Task:
        self._upkeep.note(told)
        self._woken.set()
        return told

    def _keep(self) -> None:
        pause = self._upkeep.pause()
        while not self._is_left:
            self._woken.wait(pause)
            self._woken.clear()
            if not self._is_left:
                pause = self._attempt()

    def _attempt(self) -> float | None:
        """Do what is due; return the seconds until the next time, or None to rest.

        Whoever asks next is told a failure.
        """
        if self._upkeep.rests:
            return None
        try:
            token = self.token()
            if self._upkeep.is_report_due():
                self._upkeep.heard(token, token.heartbeat())
        except (OAuthError, ProtocolError, httpx.HTTPError) as failure:
            return self._upkeep.pause_after(failure)
        return self._upkeep.pause_after(None)
