"""What this server can do (:rfc:`8414`, OpenID Connect Discovery): one document at both
addresses, made of what is registered, so that it promises what works and nothing else.
"""

from typing import Any

from flask import Blueprint, Response, jsonify

from .grants import AUTH_METHODS
from .keys import ALGORITHM
from .oidc import PROMPTS
from .settings import current_settings
from .token_endpoints import IntrospectionEndpoint, RevocationEndpoint

MAX_AGE = 300

blueprint = Blueprint("metadata", __name__)


@blueprint.get("/.well-known/oauth-authorization-server")
@blueprint.get("/.well-known/openid-configuration")
def document() -> Response:
    """:rfc:`8414#section-3`."""
    response = jsonify(metadata())
    response.cache_control.max_age = MAX_AGE
    return response


def metadata() -> dict[str, Any]:
    """The document."""
    settings = current_settings()
    issuer = settings.issuer
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "end_session_endpoint": f"{issuer}/end-session",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "scopes_supported": list(settings.scopes),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "introspection_endpoint_auth_methods_supported": list(
            IntrospectionEndpoint.CLIENT_AUTH_METHODS
        ),
        "revocation_endpoint_auth_methods_supported": list(RevocationEndpoint.CLIENT_AUTH_METHODS),
        "authorization_response_iss_parameter_supported": True,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "acr_values_supported": [settings.password_acr],
        "prompt_values_supported": sorted(PROMPTS),
        "claims_supported": [
            "iss",
            "sub",
            "aud",
            "exp",
            "iat",
            "auth_time",
            "nonce",
            "acr",
            "amr",
            "at_hash",
            "name",
            "preferred_username",
            "email",
            "groups",
        ],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
