"""What the plugin adds to the server's metadata (RFC 8414 §2): exactly what is on.

Where the host has a document of its own, lists are joined and what only it knows stays.
"""

from collections.abc import Mapping
from typing import Any

from .agents.authenticate import ASSERTION_ALGORITHMS
from .agents.models import GRANT_TYPES
from .agents.register import AUTH_METHODS
from .catalogue.models import OWN_SCOPES
from .dashboard.acting_for_me import AGENTS_PAGE
from .delegation.context import Context
from .host import Paths

#: RFC 8414 §2: an issuer with a document of its own keeps these; they are where we answer too.
_ENDPOINTS = {
    "authorization_endpoint": "authorize",
    "token_endpoint": "token",
    "introspection_endpoint": "introspection",
    "revocation_endpoint": "revocation",
    "registration_endpoint": "registration",
    "jwks_uri": "jwks",
}


def our_metadata(context: Context, paths: Paths) -> dict[str, Any]:
    """Return the members that the plugin answers for."""
    with context.db.read() as tx:
        scopes = context.moment(tx).catalogue.scopes
    methods = list(AUTH_METHODS)
    confidential = [m for m in methods if m != "none"]
    algorithms = list(ASSERTION_ALGORITHMS)
    return {
        "issuer": context.issuer,
        **{name: context.issuer + getattr(paths, path) for name, path in _ENDPOINTS.items()},
        "scopes_supported": sorted({*scopes, *OWN_SCOPES}),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": sorted(GRANT_TYPES),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "authorization_response_iss_parameter_supported": True,
        "agents_page": context.issuer + AGENTS_PAGE,
    }


def merge_metadata(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """Return the host's document with ours joined to it: lists united, the host's values kept."""
    merged = dict(theirs)
    for name, value in ours.items():
        if isinstance(value, list) and isinstance(merged.get(name), list):
            merged[name] = [*merged[name], *(v for v in value if v not in merged[name])]
        else:
            merged.setdefault(name, value)
    return merged
