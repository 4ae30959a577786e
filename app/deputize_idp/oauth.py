"""The Authlib authorization server, and the endpoints where programs meet it.

Authlib sees nothing but parameters that were checked, and nothing of the `Host` header.
"""

# mypy: disable-error-code="override, no-untyped-call"
# (the stubs know the abstract classes of Authlib, not what its hooks may return)

from collections.abc import Sequence
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import (
    InvalidRequestError,
    OAuth2Error,
    OAuth2Request,
    UnsupportedResponseTypeError,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc9207 import IssuerParameter
from flask import Blueprint, Response, g, jsonify, request

from . import keys
from .bearer import InsufficientScopeError, require_token
from .client_authentication import authenticate_client
from .clients import Client, find_client
from .grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    ProofKey,
    RefreshTokenGrant,
    make_token,
    save_grant,
)
from .oidc import AuthenticationRequest, IdToken, userinfo
from .parameters import Parameters, form_parameters
from .settings import current_settings
from .token_endpoints import IntrospectionEndpoint, RevocationEndpoint

blueprint = Blueprint("oauth", __name__)


class CheckedRequest(OAuth2Request):
    """A request as Authlib sees it: parameters from the one place where they belong."""

    def __init__(self, parameters: Parameters) -> None:
        # Authlib refuses plain http off loopback by this URI; ours is the configured one.
        super().__init__(request.method, current_settings().issuer, headers=dict(request.headers))
        self.payload = BasicOAuth2Payload(parameters)
        self.parameters = parameters

    @property
    def form(self) -> Parameters:
        """What Authlib's grants read beside the payload."""
        return self.parameters


class Server(AuthorizationServer):
    """Authlib's server with this host's clients, tokens and checks."""

    def query_client(self, client_id: str) -> Client | None:
        """The active client with this identifier."""
        return find_client(client_id)

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        """Spend what was presented and keep what is handed out."""
        save_grant(token, request)

    def create_oauth2_request(self, _request: Any) -> CheckedRequest:
        """The request with the parameters that the view has checked."""
        return CheckedRequest(g.parameters)

    def authenticate_client(
        self, oauth_request: OAuth2Request, methods: Sequence[str], endpoint: str = "token"
    ) -> Client:
        """:raises OAuth2Error: unless exactly one method says who the client is."""
        client, method = authenticate_client(request, g.parameters, methods, endpoint)
        oauth_request.auth_method = method
        return client

    def get_authorization_grant(self, oauth_request: OAuth2Request) -> Any:
        """:raises OAuth2Error: also where `response_type` is missing, which Authlib calls
        unsupported (:rfc:`6749#section-4.1.2.1`)."""
        try:
            return super().get_authorization_grant(oauth_request)
        except UnsupportedResponseTypeError as error:
            if "response_type" in g.parameters:
                raise
            missing = "response_type is missing."
            raise InvalidRequestError(missing, redirect_uri=error.redirect_uri) from None

    def refuse(self, error: OAuth2Error) -> Response:
        """Send an error back to the client, with `iss` (:rfc:`9207#section-2`)."""
        response: Response = self.handle_response(*error())
        self.execute_hook("after_create_authorization_response", response)
        return response


class Issuer(IssuerParameter):
    """:rfc:`9207`."""

    def get_issuer(self) -> str:
        """The configured issuer."""
        return current_settings().issuer


server: Any = Server()
server.register_token_generator("default", make_token)
server.register_extension(Issuer())
server.register_grant(AuthorizationCodeGrant, [ProofKey(), AuthenticationRequest(), IdToken()])
server.register_grant(RefreshTokenGrant, [IdToken()])
server.register_grant(ClientCredentialsGrant)
server.register_endpoint(IntrospectionEndpoint)
server.register_endpoint(RevocationEndpoint)


@blueprint.post("/oauth/token")
def token() -> Response:
    """:rfc:`6749#section-3.2`."""
    g.parameters = form_parameters(request)
    if "grant_type" not in g.parameters:
        raise InvalidRequestError("grant_type is missing.")
    answer: Response = server.create_token_response()
    return answer


@blueprint.post("/oauth/introspect")
def introspect() -> Response:
    """:rfc:`7662#section-2`."""
    g.parameters = form_parameters(request)
    answer: Response = server.create_endpoint_response(IntrospectionEndpoint.ENDPOINT_NAME)
    return answer


@blueprint.post("/oauth/revoke")
def revoke() -> Response:
    """:rfc:`7009#section-2`."""
    g.parameters = form_parameters(request)
    answer: Response = server.create_endpoint_response(RevocationEndpoint.ENDPOINT_NAME)
    return answer


@blueprint.route("/oauth/userinfo", methods=["GET", "POST"])
def about_person() -> Response:
    """OpenID Connect Core, section 5.3."""
    found = require_token(request, "openid")
    if found.family.person is None:
        raise InsufficientScopeError
    return jsonify(userinfo(found.family.person, found.scope))


@blueprint.get("/oauth/jwks")
def key_set() -> Response:
    """:rfc:`7517#section-5`."""
    response = jsonify(keys.jwks())
    response.cache_control.max_age = keys.KEYS_MAX_AGE
    return response
