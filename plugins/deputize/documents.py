"""The server's documents, with our part: metadata (RFC 8414 §2) and keys (RFC 7517 §5).

We tell exactly what is on. Where the host has a document of its own, lists are joined
and what only it knows stays; where it has none, ours is served.
"""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from flask import Response, after_this_request, request

from .agents.client_metadata import AUTH_METHODS
from .agents.signed import ALGORITHMS as SIGNING_ALGORITHMS
from .approvals.api import APPROVALS_ENDPOINT
from .approvals.said_back import APPROVALS_PAGE
from .catalogue.models import OWN_SCOPES, Catalogue
from .dashboard.acting_for_me import AGENTS_PAGE
from .delegation.authorize import PROMPTS
from .delegation.context import Context
from .delegation.keys import ALGORITHM
from .endings.task_endpoint import TASKS_ENDPOINT
from .host import Paths
from .oauth.ciba import DELIVERY_MODES

Document = dict[str, Any]

#: RFC 8414 §2: an issuer with a document of its own keeps these; they are where we answer too.
_ENDPOINTS = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "token",
    "introspection_endpoint": "introspection",
    "revocation_endpoint": "revocation",
    "registration_endpoint": "registration",
    "backchannel_authentication_endpoint": "backchannel_authentication",
    "pushed_authorization_request_endpoint": "pushed_authorization_request",
    "jwks_uri": "jwks",
}


_PUSHING = frozenset(
    {"pushed_authorization_request_endpoint", "require_pushed_authorization_requests"}
)

#: What a cache knows by these is the host's document without our part.
_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_RANGE", "HTTP_IF_RANGE")


class Documents:
    """Serves what the host lacks, and joins ours to what it has.

    :param theirs: where the host answers; None for a document that it does not have
    :param paths: where each endpoint answers
    :param grants: the grant types that are on
    """

    def __init__(
        self, context: Context, theirs: Paths, paths: Paths, grants: Collection[str]
    ) -> None:
        self.context = context
        self.grants = grants
        self.theirs = theirs
        self.paths = paths

    def jwks(self) -> Response | None:
        return self._document(self.theirs.jwks, self._join_keys)

    def oauth_metadata(self) -> Response | None:
        return self._document(self.theirs.oauth_metadata, self._join_metadata)

    def openid_metadata(self) -> Response | None:
        return self._document(self.theirs.openid_metadata, self._join_openid_metadata)

    def _join_keys(self, theirs: Document) -> Document:
        with self.context.reading() as reading:
            ours = reading.moment.keys.public()
        return {**theirs, "keys": [*theirs.get("keys", []), *ours]}

    def _join_metadata(self, theirs: Document) -> Document:
        return merge_metadata(theirs, self._ours())

    def _join_openid_metadata(self, theirs: Document) -> Document:
        # RFC 9126 §5: whoever reads of the endpoint may push there, and some applications
        # always do. The host's own find theirs here, and the endpoint is for agents alone.
        left_out = _PUSHING if self.theirs.authorize else frozenset()
        ours = {name: value for name, value in self._ours().items() if name not in left_out}
        return merge_metadata(theirs, ours)

    def _ours(self) -> Document:
        return our_metadata(self.context, self.paths, self.grants)

    def _document(self, path: str | None, join: Callable[[Document], Document]) -> Response | None:
        """Answer where the host has none; else let it answer, and join ours to that.

        It is joined before the host's own hooks run (compression, tags). What is no
        document (unavailable, moved) goes through: our part alone would make those that
        keep it forget the host's.
        """
        if request.method not in ("GET", "HEAD"):
            return None
        if path is None:
            return json_response(Response(), join({}))
        for condition in _CONDITIONS:
            request.environ.pop(condition, None)

        def joined(response: Response) -> Response:
            response.direct_passthrough = False
            theirs = response.get_json(silent=True) if response.status_code == 200 else None
            return json_response(response, join(theirs)) if isinstance(theirs, dict) else response

        after_this_request(joined)
        return None


def json_response(response: Response, body: Any) -> Response:
    """Return `response` with `body` in place of its own, and no tag of the older one."""
    response.status_code = 200
    for name in ("ETag", "Last-Modified", "Accept-Ranges"):
        response.headers.pop(name, None)
    response.set_data(json.dumps(body))
    response.mimetype = "application/json"
    return response


def our_metadata(context: Context, paths: Paths, grants: Collection[str]) -> dict[str, Any]:
    """Return the members that the plugin answers for."""
    with context.db.read() as tx:
        catalogue = context.moment(tx).catalogue
    methods = list(AUTH_METHODS)
    confidential = [m for m in methods if m != "none"]
    algorithms = list(SIGNING_ALGORITHMS)
    return {
        "issuer": context.issuer,
        **{name: context.issuer + getattr(paths, path) for name, path in _ENDPOINTS.items()},
        "scopes_supported": sorted({*catalogue.scopes, *OWN_SCOPES}),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": sorted(grants),
        "prompt_values_supported": sorted(PROMPTS),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_signing_alg_values_supported": [ALGORITHM],
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        # CIBA Core §4; a host's client that has other modes has them at an endpoint of its own.
        "backchannel_token_delivery_modes_supported": list(DELIVERY_MODES),
        "backchannel_authentication_request_signing_alg_values_supported": algorithms,
        "backchannel_user_code_parameter_supported": True,
        "require_pushed_authorization_requests": context.settings.authorize.require_par,
        "authorization_response_iss_parameter_supported": True,
        "agents_page": context.issuer + AGENTS_PAGE,
        "approvals_page": context.issuer + APPROVALS_PAGE,
        "approvals_endpoint": context.issuer + APPROVALS_ENDPOINT,
        "tasks_endpoint": context.issuer + TASKS_ENDPOINT,
    } | _details_types(catalogue)


def _details_types(catalogue: Catalogue) -> dict[str, Any]:
    # RFC 9396 §10; where no type is declared, there is nothing to advertise.
    types = sorted(catalogue.types)
    return {"authorization_details_types_supported": types} if types else {}


def merge_metadata(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """Return the host's document with ours joined to it: lists united, the host's values kept."""
    merged = {**_left_out(theirs), **theirs}
    for name, value in ours.items():
        if isinstance(value, list) and isinstance(merged.get(name), list):
            merged[name] = [*merged[name], *(v for v in value if v not in merged[name])]
        else:
            merged.setdefault(name, value)
    return merged


def _left_out(theirs: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what a host's document says by leaving it out. :rfc:`8414#section-2`."""
    if not theirs:
        return {}
    at_revocation = (
        {}
        if "revocation_endpoint" not in theirs
        else {"revocation_endpoint_auth_methods_supported": ["client_secret_basic"]}
    )
    return {
        "response_modes_supported": ["query", "fragment"],
        "grant_types_supported": ["authorization_code", "implicit"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        **at_revocation,
    }
