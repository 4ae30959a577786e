"""Which request is ours: the one place where plugin and host meet on the wire.

Before the host sees a request to one of its OAuth endpoints, we look whether it names
an agent or a resource server of ours, a grant of ours, or a token of ours, and answer
it then; all else falls through untouched. What is looked at is unverified: whose a
request is must be decided before any client authentication, and decides nothing else.
"""

import json
from collections.abc import Callable
from typing import Any

from authlib.consts import default_json_headers
from flask import Flask, Request, Response, after_this_request, request

from .agents.authenticate import (
    ASSERTION_TYPE,
    basic_credentials,
    unverified_claims,
    unverified_header,
)
from .agents.models import TOKEN_EXCHANGE, find_agent
from .delegation.consent import authorize, read_form
from .delegation.context import Context, Reading
from .delegation.issue import REFRESH_TOKEN_PREFIX, SPAWN_TOKEN_PREFIX
from .delegation.registration import register
from .delegation.server import AgentRequest, AgentServer
from .host import Paths
from .metadata import merge_metadata, our_metadata
from .oauth.server import Answer

_OUR_PREFIXES = (REFRESH_TOKEN_PREFIX, SPAWN_TOKEN_PREFIX)
_OUR_GRANTS = frozenset({TOKEN_EXCHANGE})

DEFAULT_PATHS = Paths(
    authorize="/oauth/authorize",
    token="/oauth/token",  # noqa: S106 - a path
    introspection="/oauth/introspect",
    revocation="/oauth/revoke",
    registration="/oauth/register",
    jwks="/oauth/jwks",
    oauth_metadata="/.well-known/oauth-authorization-server",
    openid_metadata="/.well-known/openid-configuration",
)


FORM = "application/x-www-form-urlencoded"
_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE", "HTTP_IF_RANGE")
_NOT_ALLOWED = Answer(405, {"error": "invalid_request"}, [*default_json_headers, ("Allow", "POST")])
_TOO_LARGE = Answer(400, {"error": "invalid_request"}, default_json_headers)


class Seam:
    """Answers our requests at the host's endpoints, and joins our part to its documents.

    :param theirs: where the host answers; what it lacks, we serve at our own path
    """

    def __init__(self, context: Context, server: AgentServer, theirs: Paths) -> None:
        self.context = context
        self.server = server
        self.theirs = theirs
        self.paths = all_paths(theirs)
        self._before: dict[str | None, Callable[[], Response | None]] = {
            self.paths.authorize: self._authorize,
            self.paths.token: self._token,
            self.paths.introspection: self._introspect,
            self.paths.revocation: self._revoke,
            self.paths.registration: self._register,
            self.paths.jwks: self._jwks,
            self.paths.oauth_metadata: self._oauth_metadata,
            self.paths.openid_metadata: self._openid_metadata,
        }

    def init_app(self, app: Flask) -> None:
        """Look at each request before the host's own hooks do.

        CSRF protection must not see what programs post to us.
        """
        app.before_request_funcs.setdefault(None, []).insert(0, self.before_request)

    def before_request(self) -> Response | None:
        answer = self._before.get(request.path)
        return answer() if answer else None

    # -- the endpoints ----------------------------------------------------------

    def _authorize(self) -> Response | None:
        form = read_form()
        given = request.args if form or request.method == "GET" else request.values
        parameters = {name: given.getlist(name) for name in given}
        named = parameters.get("client_id", [])
        if self.theirs.authorize and not any(self._is_agent(name) for name in named):
            return None
        return authorize(self.context, parameters, form)

    def _token(self) -> Response | None:
        return self._answer("token", self._is_our_token_request, self.server.create_token_response)

    def _introspect(self) -> Response | None:
        answer = self.server.create_introspection_response
        answered = self._answer("introspection", _names_us, answer)
        if answered is None and request.method == "POST":
            after_this_request(self._silence_about_ours)
        return answered

    def _revoke(self) -> Response | None:
        return self._answer("revocation", _names_us, self.server.create_revocation_response)

    def _answer(
        self,
        endpoint: str,
        is_ours: Callable[[Reading], bool],
        answer: Callable[[AgentRequest], Answer],
    ) -> Response | None:
        if request.method != "POST":
            return self._not_allowed(endpoint)
        with self.context.reading() as reading:
            if self._is_too_large():
                ours = self._lacks(endpoint) or _names_us_by_header(reading)
                return _respond(_TOO_LARGE) if ours else None
            if not self._lacks(endpoint) and not is_ours(reading):
                return None
            return _respond(answer(self._agent_request(reading)))

    def _register(self) -> Response | None:
        if request.method != "POST":
            return self._not_allowed("registration")
        body = _json_of(request, self.context.settings.bounds.body_bytes)
        bearer = request.headers.get("Authorization", "").partition(" ")[2]
        is_agent = isinstance(body, dict) and body.get("client_type") == "agent"
        ours = self._lacks("registration") or is_agent or bearer.startswith(SPAWN_TOKEN_PREFIX)
        return _respond(register(self.context, dict(request.headers), body)) if ours else None

    # -- whose request is it? ---------------------------------------------------

    def _not_allowed(self, endpoint: str) -> Response | None:
        """Answer another method than POST where the endpoint is ours alone (RFC 9110 §15.5.6)."""
        return _respond(_NOT_ALLOWED) if self._lacks(endpoint) else None

    def _is_too_large(self) -> bool:
        """Read the body, if its length allows it; tell whether it is beyond the bound.

        The bytes are kept: a host's own hooks may read them after us. A chunked body is
        read one byte beyond the bound, where werkzeug cuts it without a word.
        """
        bound = self.context.settings.bounds.body_bytes
        if request.content_length is not None and request.content_length > bound:
            return True
        if request.content_length is None:
            request.max_content_length = bound + 1
        return len(request.get_data(cache=True)) > bound

    def _lacks(self, name: str) -> bool:
        return getattr(self.theirs, name) is None

    def _is_our_token_request(self, reading: Reading) -> bool:
        form = request.form
        ours = any(grant in _OUR_GRANTS for grant in form.getlist("grant_type"))
        refreshed = any(t.startswith(_OUR_PREFIXES) for t in form.getlist("refresh_token"))
        return ours or refreshed or _names_us(reading)

    def _is_agent(self, client_id: str) -> bool:
        with self.context.db.read() as tx:
            return find_agent(tx, client_id) is not None

    def _agent_request(self, reading: Reading) -> AgentRequest:
        form = dict(request.form.lists())
        headers = {"Authorization": request.headers.get("Authorization", "")}
        return AgentRequest(
            reading,
            self.context.issuer + request.path,
            headers,
            form,
            dict(request.args.lists()),
            request.mimetype == FORM,
        )

    # -- joining the host's documents --------------------------------------------

    def _silence_about_ours(self, response: Response) -> Response:
        # The host authenticated a client of its own. Whatever it believes of a token of
        # ours, and of the hint, we alone answer for it, and that client is not whom it is for.
        is_answer = response.status_code == 200 or _is_about_the_hint(response)
        if is_answer and self._is_our_token(request.form.get("token", "")):
            return _with_json(response, {"active": False})
        return response

    def _is_our_token(self, token: str) -> bool:
        if token.startswith(_OUR_PREFIXES):
            return True
        kid = unverified_header(token).get("kid")
        with self.context.reading() as reading:
            return isinstance(kid, str) and kid in reading.moment.keys.by_kid

    def _jwks(self) -> Response | None:
        def join(theirs: dict[str, Any]) -> dict[str, Any]:
            with self.context.reading() as reading:
                ours = reading.moment.keys.public()
            return {**theirs, "keys": [*theirs.get("keys", []), *ours]}

        return self._document("jwks", join)

    def _oauth_metadata(self) -> Response | None:
        return self._document("oauth_metadata", self._join_metadata)

    def _openid_metadata(self) -> Response | None:
        return self._document("openid_metadata", self._join_metadata)

    def _join_metadata(self, theirs: dict[str, Any]) -> dict[str, Any]:
        return merge_metadata(theirs, our_metadata(self.context, self.paths))

    def _document(
        self, name: str, join: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> Response | None:
        """Serve the document where the host has none, else join ours to the host's answer.

        It is joined before the host's own hooks run (compression, tags), and whatever is
        no document (unavailable, moved) goes through: our part alone would make those
        that keep it forget the host's.
        """
        if request.method not in ("GET", "HEAD"):
            return None
        if self._lacks(name):
            return _with_json(Response(), join({}))
        for condition in _CONDITIONS:
            # What a cache knows is the host's document without ours.
            request.environ.pop(condition, None)

        def joined(response: Response) -> Response:
            response.direct_passthrough = False
            theirs = response.get_json(silent=True) if response.status_code == 200 else None
            return _with_json(response, join(theirs)) if isinstance(theirs, dict) else response

        after_this_request(joined)
        return None


def all_paths(theirs: Paths) -> Paths:
    """Return where each endpoint answers: at the host's path, else at our own."""
    return Paths(
        **{
            name: getattr(theirs, name) or getattr(DEFAULT_PATHS, name)
            for name in Paths.__dataclass_fields__
        }
    )


def _named_clients(incoming: Request) -> list[str]:
    """Return each client id that a request mentions, believed by nobody yet."""
    named = incoming.form.getlist("client_id")
    named += _basic_user(incoming.headers.get("Authorization", ""))
    if incoming.form.get("client_assertion_type") == ASSERTION_TYPE:
        named.append(str(unverified_claims(incoming.form.get("client_assertion", "")).get("sub")))
    return named


def _names_us(reading: Reading) -> bool:
    return any(reading.find_client(name) for name in set(_named_clients(request)))


def _names_us_by_header(reading: Reading) -> bool:
    return any(map(reading.find_client, _basic_user(request.headers.get("Authorization", ""))))


def _basic_user(header: str) -> list[str]:
    try:
        found = basic_credentials(header)
    except ValueError:
        return []
    return [found[0]] if found else []


def _is_about_the_hint(response: Response) -> bool:
    answer = response.get_json(silent=True)
    return isinstance(answer, dict) and answer.get("error") == "unsupported_token_type"


def _json_of(incoming: Request, max_bytes: int) -> Any:
    if incoming.mimetype != "application/json" or (incoming.content_length or 0) > max_bytes:
        return None
    try:
        return json.loads(incoming.get_data(cache=True))
    except (ValueError, RecursionError):
        return None


def _respond(answer: Answer) -> Response:
    return Response(json.dumps(answer.body), answer.status, list(answer.headers))


def _with_json(response: Response, body: Any) -> Response:
    response.status_code = 200
    for name in ("ETag", "Last-Modified", "Accept-Ranges"):
        response.headers.pop(name, None)
    response.set_data(json.dumps(body))
    response.mimetype = "application/json"
    return response
