"""Which request is ours: the one place where plugin and host meet on the wire.

Before the host sees a request to one of its OAuth endpoints, we look whether it names
an agent or a resource server of ours, a grant of ours, or a token of ours, and answer
it then; all else falls through untouched. What is looked at is unverified: whose a
request is must be decided before any client authentication, and decides nothing else.
"""

import json
from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

from authlib.consts import default_json_headers
from flask import Flask, Response, after_this_request, request

from .agents.authenticate import unverified_header
from .agents.models import TOKEN_EXCHANGE, find_agent
from .approvals.api import APPROVALS_ENDPOINT, answer_approvals
from .approvals.backchannel import answer_backchannel
from .approvals.holding import STEP_ASIDE
from .delegation.consent import authorize
from .delegation.consent_page import read_form
from .delegation.context import Context
from .delegation.issue import REFRESH_TOKEN_PREFIX, SPAWN_TOKEN_PREFIX
from .delegation.push_request import answer_push
from .delegation.registration import register
from .delegation.server import AgentRequest, AgentServer
from .delegation.single_use import SINGLE_USE_PREFIX
from .documents import Documents, json_response
from .endings.manage_registration import manage_registration
from .endings.task_endpoint import TASKS_ENDPOINT, answer_task
from .host import Paths
from .incoming import Incoming
from .oauth.server import Answer

_OUR_PREFIXES = (REFRESH_TOKEN_PREFIX, SINGLE_USE_PREFIX, SPAWN_TOKEN_PREFIX)
_OUR_GRANTS = frozenset({TOKEN_EXCHANGE})

DEFAULT_PATHS = Paths(
    authorize="/oauth/authorize",
    token="/oauth/token",  # noqa: S106 - a path
    introspection="/oauth/introspect",
    revocation="/oauth/revoke",
    registration="/oauth/register",
    backchannel_authentication="/oauth/bc-authorize",
    pushed_authorization_request="/oauth/par",
    jwks="/oauth/jwks",
    oauth_metadata="/.well-known/oauth-authorization-server",
    openid_metadata="/.well-known/openid-configuration",
)


_MANAGING = ("GET", "PUT", "DELETE")
_REPORTING = ("GET", "POST")
_TOO_LARGE = Answer(400, {"error": "invalid_request"}, default_json_headers)
#: RFC 9126 §2.3 names the status.
_PUSH_TOO_LARGE = replace(_TOO_LARGE, status=413)


class Seam:
    """Answers our requests at the host's endpoints, and lets all else through.

    :param theirs: where the host answers; what it lacks, we serve at our own path
    """

    def __init__(
        self, context: Context, server: AgentServer, theirs: Paths, grants: Collection[str]
    ) -> None:
        self.context = context
        self.server = server
        self.theirs = theirs
        self.paths = paths = all_paths(theirs)
        documents = Documents(context, theirs, paths, grants)
        self._managed = f"{paths.registration}/"
        self._answers: dict[str | None, Callable[[], Response | None]] = {
            paths.authorize: self._authorize,
            paths.token: self._token,
            paths.introspection: self._introspect,
            paths.revocation: self._revoke,
            paths.registration: self._register,
            paths.backchannel_authentication: self._backchannel,
            paths.pushed_authorization_request: self._push,
            paths.jwks: documents.jwks,
            paths.oauth_metadata: documents.oauth_metadata,
            paths.openid_metadata: documents.openid_metadata,
        }

    def init_app(self, app: Flask) -> None:
        """Look at each request before the host's own hooks do.

        CSRF protection must not see what programs post to us.
        """
        app.before_request_funcs.setdefault(None, []).insert(0, self.before_request)

    def before_request(self) -> Response | None:
        path = request.path
        answer = self._answers.get(path)
        if answer is None and path.startswith(self._managed):
            return self._manage(path.removeprefix(self._managed))
        if answer is None and path.startswith(APPROVALS_ENDPOINT):
            return self._approvals(path.removeprefix(APPROVALS_ENDPOINT))
        if answer is None and path.startswith(TASKS_ENDPOINT):
            return self._task(path.removeprefix(TASKS_ENDPOINT))
        return answer() if answer else None

    # -- the endpoints ----------------------------------------------------------

    def _authorize(self) -> Response | None:
        form = read_form()
        given = request.args if form or request.method == "GET" else request.values
        # RFC 6749 §3.1: "Parameters sent without a value MUST be treated as if they were
        # omitted from the request."
        present = {name: list(filter(None, given.getlist(name))) for name in given}
        parameters = {name: values for name, values in present.items() if values}
        named = parameters.get("client_id", [])
        if self.theirs.authorize and not any(self._is_agent(name) for name in named):
            return None
        return authorize(self.context, parameters, form)

    def _token(self) -> Response | None:
        return self._answer("token", self.server.create_token_response, _asks_for_ours)

    def _introspect(self) -> Response | None:
        answer = self.server.create_introspection_response
        answered = self._answer("introspection", answer)
        if answered is None and request.method == "POST" and self._may_be_ours():
            after_this_request(self._silence_about_ours)
        return answered

    def _revoke(self) -> Response | None:
        answer = self.server.create_revocation_response
        return self._answer("revocation", answer)

    def _backchannel(self) -> Response | None:
        return self._answer("backchannel_authentication", partial(answer_backchannel, self.server))

    def _push(self) -> Response | None:
        answer = partial(answer_push, self.server)
        return self._answer("pushed_authorization_request", answer, too_large=_PUSH_TOO_LARGE)

    def _register(self) -> Response | None:
        if request.method != "POST":
            return self._only_post("registration")
        body = self._incoming().json()
        bearer = request.headers.get("Authorization", "").partition(" ")[2]
        is_agent = isinstance(body, dict) and body.get("client_type") == "agent"
        ours = self._lacks("registration") or is_agent or bearer.startswith(SPAWN_TOKEN_PREFIX)
        return _respond(register(self.context, dict(request.headers), body)) if ours else None

    def _approvals(self, below: str) -> Response | None:
        approval_id = below.removeprefix("/")
        if (below != approval_id and not approval_id) or (below == approval_id and below):
            return None
        allowed = "POST" if approval_id else "GET"
        if request.method != allowed:
            return _not_allowed(allowed)
        body = self._incoming().json() if approval_id else None
        headers = dict(request.headers)
        return _respond(answer_approvals(self.context, allowed, approval_id, headers, body))

    def _task(self, below: str) -> Response | None:
        task_id = below.removeprefix("/")
        if below and below == task_id:
            return None
        if request.method not in _REPORTING:
            return _not_allowed(*_REPORTING)
        body = self._incoming().json() if request.method == "POST" else None
        headers = dict(request.headers)
        return _respond(answer_task(self.context, request.method, task_id, headers, body))

    def _manage(self, client_id: str) -> Response | None:
        """Answer at the client configuration endpoint (RFC 7592 §2) of one that is ours."""
        if not self._lacks("registration") and not self._is_agent(client_id):
            return None
        if request.method not in _MANAGING:
            return _not_allowed(*_MANAGING)
        body = self._incoming().json() if request.method == "PUT" else None
        headers = dict(request.headers)
        return _respond(manage_registration(self.context, request.method, client_id, headers, body))

    def _answer(
        self,
        endpoint: str,
        answer: Callable[[AgentRequest], Answer],
        asks_for_ours: Callable[[Incoming], bool] = lambda _: False,
        too_large: Answer = _TOO_LARGE,
    ) -> Response | None:
        if request.method != "POST":
            return self._only_post(endpoint)
        incoming = self._incoming()
        certain = self._lacks(endpoint) or any(map(self.context.is_ours, incoming.basic_user))
        if incoming.is_too_large(keep=not certain):
            return _respond(too_large) if certain else None
        if not certain and not asks_for_ours(incoming) and not self._names_ours(incoming):
            return None
        with self.context.reading() as reading:
            asked = incoming.for_agents(reading)
            answered = answer(asked)
        while asked.later is not None:
            later, asked.later = asked.later, None
            answered = later(request.environ.get(STEP_ASIDE, nullcontext))
        return _respond(answered)

    def _names_ours(self, incoming: Incoming) -> bool:
        others = incoming.named_clients().difference(incoming.basic_user)
        return any(map(self.context.is_ours, others))

    def _incoming(self) -> Incoming:
        current = request._get_current_object()  # type: ignore[attr-defined]
        return Incoming(current, self.context.settings.bounds.body_bytes)

    def _only_post(self, endpoint: str) -> Response | None:
        """Answer another method than POST where the endpoint is ours alone."""
        return _not_allowed("POST") if self._lacks(endpoint) else None

    def _lacks(self, name: str) -> bool:
        return getattr(self.theirs, name) is None

    def _is_agent(self, client_id: str) -> bool:
        with self.context.db.read() as tx:
            return find_agent(tx, client_id) is not None

    # -- tokens of ours that the host is asked about -------------------------------

    def _silence_about_ours(self, response: Response) -> Response:
        # The host authenticated a client of its own. Whatever it believes of a token of
        # ours, and of the hint, we alone answer for it, and that client is not whom it is for.
        is_answer = response.status_code == 200 or _is_about_the_hint(response)
        if is_answer and self._is_our_token():
            return json_response(response, {"active": False})
        return response

    def _may_be_ours(self) -> bool:
        token = request.form.get("token", "")
        return "." in token or token.startswith(_OUR_PREFIXES)

    def _is_our_token(self) -> bool:
        token = request.form.get("token", "")
        if token.startswith(_OUR_PREFIXES):
            return True
        kid = unverified_header(token).get("kid")
        if not isinstance(kid, str):
            return False
        with self.context.reading() as reading:
            return kid in reading.moment.keys.by_kid


def all_paths(theirs: Paths) -> Paths:
    """Return where each endpoint answers: at the host's path, else at our own."""
    return Paths(
        **{
            name: getattr(theirs, name) or getattr(DEFAULT_PATHS, name)
            for name in Paths.__dataclass_fields__
        }
    )


def _asks_for_ours(incoming: Incoming) -> bool:
    form = incoming.request.form
    ours = any(grant in _OUR_GRANTS for grant in form.getlist("grant_type"))
    return ours or any(t.startswith(_OUR_PREFIXES) for t in form.getlist("refresh_token"))


def _is_about_the_hint(response: Response) -> bool:
    answer = response.get_json(silent=True)
    return isinstance(answer, dict) and answer.get("error") == "unsupported_token_type"


def _not_allowed(*methods: str) -> Response:
    # RFC 9110 §15.5.6: "The origin server MUST generate an Allow header field".
    headers = [*default_json_headers, ("Allow", ", ".join(methods))]
    return _respond(Answer(405, {"error": "invalid_request"}, headers))


def _respond(answer: Answer) -> Response:
    body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    return Response(body, answer.status, list(answer.headers))
