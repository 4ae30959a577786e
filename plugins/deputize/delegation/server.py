"""The plugin's own Authlib authorization server, and what every endpoint of it shares.

A refusal becomes its OAuth error here, once, and leaves its event with the client's
assertion used up; a refusal of nobody in particular is counted.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from authlib.consts import default_json_headers

from ..agents.authenticate import Caller, authenticate, caller_of, find_credentials, require_live
from ..agents.models import Agent
from ..audit.record import Event, record
from ..core.refusal import Refusal
from ..oauth.errors import (
    InvalidRequestError,
    NotYetError,
    OAuth2Error,
    TemporarilyUnavailableError,
)
from ..oauth.rfc9701 import MEDIA_TYPE, TYP, introspection_claims, is_jwt_asked_for
from ..oauth.server import Answer, FormRequest, ProtocolServer
from .answers import GRANT_ANSWERS, OWN_ANSWERS, Answers, answer_to
from .client_credentials import AgentClientCredentialsGrant
from .code import AgentCodeGrant
from .context import Context, Known, Reading, contended
from .exchange import AgentTokenExchangeGrant
from .gates import MOST_ASKED, Undecided
from .introspect import introspect
from .refresh import AgentRefreshGrant
from .revoke import revoke
from .shown import with_principals

#: Grants, each with the answers in which it differs from the usual ones.
Grants = tuple[tuple[type[Any], Answers], ...]

GRANTS: Grants = (
    (AgentTokenExchangeGrant, {}),
    (AgentCodeGrant, GRANT_ANSWERS),
    (AgentRefreshGrant, GRANT_ANSWERS),
    (AgentClientCredentialsGrant, OWN_ANSWERS),
)

#: What raises for a caller that may not call at that time (seconds since the epoch).
Require = Callable[[Caller, int], None]

#: Headers of every answer, whatever its type.
_NOT_STORED = [header for header in default_json_headers if header[0] != "Content-Type"]

#: Endpoints whose caller need not be an agent.
_NOTHING: Answers = {}


class AgentRequest(FormRequest):
    """A form request, with what is read to answer it.

    `later` gives the answer where it is worth waiting for; it is asked when nothing is read
    any more, and is given how to step aside meanwhile. `is_again` says that it was. `known` is
    what judges have answered by then.
    """

    def __init__(self, reading: Reading, *args: Any) -> None:
        super().__init__(*args)
        self.reading = reading
        self.later: Callable[[Any], Answer] | None = None
        self.is_again = False
        self.known: Known = reading.known


class AgentServer(ProtocolServer):
    """Answers the token, introspection and revocation requests of agents and resource servers.

    :param more: grants of rooms that stand above this one
    """

    def __init__(self, context: Context, more: Grants = ()) -> None:
        super().__init__(caller_of)
        self.context = context
        self._differing: dict[str, Answers] = {}
        for grant, differing in (*GRANTS, *more):
            bound = type(grant.__name__, (grant,), {"context": context})
            self.register_grant(bound)
            self._differing[grant.GRANT_TYPE] = differing

    def create_token_response(self, request: AgentRequest) -> Answer:  # type: ignore[override]
        """Answer a token request. :rfc:`6749#section-5`."""
        differing = self._differing.get(request.form.get("grant_type", ""), _NOTHING)

        def answer(request: AgentRequest) -> Answer:
            # First of all, so that whatever is refused uses up the assertion.
            self._authenticate_caller(request)
            return super(AgentServer, self).create_token_response(request)

        return self._answer("token", request, answer, differing)

    def answer_again(
        self, request: AgentRequest, answer: Callable[[AgentRequest], Answer]
    ) -> Answer:
        """Answer a request anew, of a new moment.

        Its client has authenticated, and its assertion is used up: only whether it is still
        live is looked at again.
        """
        with self.context.reading(request.known) as reading:
            request.reading, request.is_again = reading, True
            return answer(request)

    def create_introspection_response(self, request: AgentRequest) -> Answer:
        """Answer an introspection request. :rfc:`7662#section-2`."""

        def answer(request: AgentRequest) -> Answer:
            caller, token = self._caller_and_token(request)
            if isinstance(caller.client, Agent) and caller.client.is_public:
                # RFC 7662 §2.1: "to prevent token scanning attacks, the endpoint MUST also
                # require some form of authorization", and a public client proves nothing.
                raise Refusal("client.not_authenticated", "Client authentication failed.")
            self._spend(request)
            use_id = request.form.get("use_id")
            answer = introspect(self.context, request.reading, caller, token, use_id)
            return self._told(request, caller, answer)

        return self._answer("introspection", request, answer)

    def _told(self, request: AgentRequest, caller: Caller, answer: dict[str, Any]) -> Answer:
        """Answer in JSON, or as the JWT that was asked for. :rfc:`9701#section-4`."""
        if not is_jwt_asked_for((request.headers or {}).get("Accept", "")):
            return Answer(200, answer, default_json_headers)
        moment = request.reading.moment
        claims = introspection_claims(self.context.issuer, _names_of(caller), answer, moment.now)
        token = moment.keys.sign(claims, TYP, moment.now)
        return Answer(200, token, [("Content-Type", MEDIA_TYPE), *_NOT_STORED])

    def create_revocation_response(self, request: AgentRequest) -> Answer:
        """Answer a revocation request. :rfc:`7009#section-2`."""

        def answer(request: AgentRequest) -> Answer:
            caller, token = self._caller_and_token(request)
            self._spend(request)
            revoke(self.context, caller, token)
            return Answer(200, {}, default_json_headers)

        return self._answer("revocation", request, answer)

    def create_agent_response(
        self,
        endpoint: str,
        request: AgentRequest,
        answer: Callable[[AgentRequest, Caller], Answer],
        differing: Answers,
        require: Require = require_live,
    ) -> Answer:
        """Answer at an endpoint of another file, for whoever authenticates.

        :param require: raises for a caller that may not call at that time
        """

        def authenticated(request: AgentRequest) -> Answer:
            return answer(request, self._authenticate_caller(request, require))

        return self._answer(endpoint, request, authenticated, differing)

    def _caller_and_token(self, request: AgentRequest) -> tuple[Caller, str]:
        caller = self._authenticate_caller(request)
        if "token" not in request.form:
            raise InvalidRequestError("Missing token in request.")
        token = request.form["token"]
        # One that is too long to be ours is answered as any other that is none.
        return caller, token if len(token) <= self.context.settings.bounds.token_bytes else ""

    def _spend(self, request: AgentRequest) -> None:
        caller = caller_of(request)
        if caller.assertion is not None:
            with self.context.db.write() as tx:
                caller.spend(tx)
            request.client = Caller(caller.client)  # type: ignore[assignment]

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Answer:
        """Record what Authlib's own checks refuse, and answer."""
        if isinstance(error, NotYetError):
            return Answer(*error())
        return self._refused("token", request, error, f"request.{error.error}", "")

    def _answer(
        self,
        endpoint: str,
        request: AgentRequest,
        answer: Callable[[AgentRequest], Answer],
        differing: Answers = _NOTHING,
    ) -> Answer:
        try:
            return answer(request)
        except NotYetError as not_yet:
            return Answer(*not_yet())
        except Refusal as refusal:
            error = answer_to(refusal, differing)
            return self._refused(endpoint, request, error, refusal.rule, refusal.detail)
        except OAuth2Error as error:
            return self._refused(endpoint, request, error, f"request.{error.error}", "")
        except Undecided as undecided:
            anew = partial(self._answer, endpoint, answer=answer, differing=differing)
            return self._answer(endpoint, request, partial(self._put_off, undecided, anew))

    def _put_off(
        self, undecided: Undecided, anew: Callable[[AgentRequest], Answer], request: AgentRequest
    ) -> Answer:
        """Let a judge ask outside, when nothing is read any more, and answer then.

        What the caller proved itself by is used up first: who repeats the request asks nobody.
        """
        if len(request.known) >= MOST_ASKED:
            raise contended()
        self._spend(request)

        def later(step_aside: Callable[[], AbstractContextManager[object]]) -> Answer:
            with step_aside():
                request.known[undecided.question] = undecided.ask()
            return self.answer_again(request, anew)

        request.later = later
        # Said only where nobody waits for what comes later.
        return Answer(*TemporarilyUnavailableError()())

    def _refused(
        self, endpoint: str, request: AgentRequest, error: OAuth2Error, rule: str, detail: str
    ) -> Answer:
        caller: Caller | None = caller_of(request)
        if caller is None or rule == "client.assertion_replayed":
            self.context.tally.count(rule)
        else:
            facts = {"error": error.error} | ({"detail": detail} if detail else {})
            happened = Event(f"{endpoint}.refused", agent=caller.client_id, rule=rule, facts=facts)
            error = self._record(request.reading, caller, error, happened)
        status, body, headers = error()
        return Answer(status, body, headers)

    def _record(
        self, reading: Reading, caller: Caller, error: OAuth2Error, happened: Event
    ) -> OAuth2Error:
        try:
            with self.context.db.write() as tx:
                # "used up by a refused request as well": a replay learns nothing more.
                caller.spend(tx)
                record(tx, with_principals(tx, happened, reading))
        except Refusal as replay:
            return answer_to(replay)
        return error

    def _authenticate_caller(
        self, request: AgentRequest, require: Require = require_live
    ) -> Caller:
        """Return the caller; what is malformed is said before who it is, and uses up as much."""
        try:
            caller = self._same_as_before(request) if request.is_again else self._prove(request)
        except Refusal as refusal:
            raise request.mistake or refusal from None
        request.client = caller  # type: ignore[assignment]
        require(caller, request.reading.moment.now)
        request.validate()
        return caller

    def _same_as_before(self, request: AgentRequest) -> Caller:
        before = caller_of(request)
        return Caller(request.reading.find_client(before.client_id) or before.client)

    def _prove(self, request: AgentRequest) -> Caller:
        credentials = find_credentials(request.headers or {}, request.form)
        if credentials is None:
            raise Refusal("client.not_authenticated", "Client authentication failed.")
        return authenticate(
            credentials,
            request.reading.find_client(credentials.client_id),
            issuer=self.context.issuer,
            now=request.reading.moment.now,
            bounds=self.context.settings.bounds,
            remote_keys=self.context.remote_keys,
        )


def _names_of(caller: Caller) -> list[str]:
    """Return what the caller knows itself by: its client id, and as a resource server."""
    identifier = getattr(caller.client, "identifier", None)
    return [caller.client_id, *([identifier] if identifier else [])]
