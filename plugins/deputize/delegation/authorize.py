"""The authorization request of an agent (RFC 6749 §4.1.1), read and checked.

Authorization code with PKCE S256 and nothing else. What is wrong with the client or its
redirect URI is told to the person and never redirected (§4.1.2.1); all else goes back
to the client.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from ..agents.adopt import is_adoptable
from ..agents.models import AUTHORIZATION_CODE, Agent, find_agent
from ..catalogue.models import Catalogue
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.values import Words, is_resource_identifier, is_scope_token
from ..oauth.errors import (
    InvalidAuthorizationDetailsError,
    InvalidRequestError,
    InvalidScopeError,
    InvalidTargetError,
    OAuth2Error,
    UnauthorizedClientError,
    UnsupportedResponseTypeError,
)
from ..oauth.rfc9396 import read_authorization_details
from ..settings import Bounds, Settings
from .answers import answer_to
from .context import Context
from .details import Details, scopes_of, validate_known

#: RFC 7636 §4.2: BASE64URL of a SHA-256.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS = re.compile(r"[0-9]{1,9}")
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_SINGLE = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "authorization_details",
    "request",
    "response_mode",
)
#: RFC 8252 §7.3: "The authorization server MUST allow any port to be specified at the time
#: of the request for loopback IP redirect URIs". The rest is compared as it was registered.
_LOOPBACK = re.compile(
    r"(?P<start>http://(?:127\.0\.0\.1|\[::1\]|localhost))"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?(?P<rest>(?:[/?].*)?)"
)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What an agent asks a person for.

    :param redirect_uri: where the answer goes
    :param named_redirect_uri: as the request named it; None where it named none
    :param prompt: OpenID Connect Core §3.1.2.1
    :param max_age: seconds since the person last signed in, at most
    :param pushed: the hash of its reference, where it was pushed (RFC 9126)
    """

    agent: Agent
    redirect_uri: str
    named_redirect_uri: str | None
    scope: Words
    details: Details
    resources: Words
    code_challenge: str
    state: str | None
    prompt: Words
    max_age: int | None
    pushed: str | None = None


class CannotRedirect(Refusal):
    """The answer may not leave this server: the client or its redirect URI is not known."""


class RedirectedError(Exception):
    """The error goes back to the client, at `location`."""

    def __init__(self, error: OAuth2Error, location: str) -> None:
        super().__init__(error.error)
        self.error = error
        self.location = location


def read_authorization_request(
    context: Context,
    tx: Transaction,
    parameters: Mapping[str, list[str]],
    *,
    pushed: str | None = None,
) -> AuthorizationRequest:
    """Return the request that `parameters` make.

    :param pushed: the hash of its reference; None for one that a browser brought in full
    :raises CannotRedirect: for what the person is told
    :raises RedirectedError: for what the client is told
    """
    agent, redirect_uri = _who_and_where(context, tx, parameters)
    state = _first(parameters, "state")
    try:
        _require_well_formed(parameters)
        if not agent.check_grant_type(AUTHORIZATION_CODE):
            raise UnauthorizedClientError("The agent may not ask a person this way.")
        if pushed is None and _must_push(agent, context.settings):
            # RFC 9126 §5 and §6: only by the pushed authorization request endpoint.
            raise InvalidRequestError("This agent pushes its requests (RFC 9126).")
        catalogue = context.moment(tx).catalogue
        scope = _scope(parameters, agent, catalogue, context.settings.bounds)
        return AuthorizationRequest(
            agent=agent,
            redirect_uri=redirect_uri,
            named_redirect_uri=_first(parameters, "redirect_uri"),
            scope=scope,
            details=_details(parameters, scope, catalogue),
            resources=_resources(parameters, agent, catalogue, context.settings.bounds),
            code_challenge=_challenge(parameters),
            state=state,
            prompt=_prompt(parameters),
            max_age=_max_age(parameters),
            pushed=pushed,
        )
    except OAuth2Error as error:
        location = error_location(context.issuer, redirect_uri, state, error)
        raise RedirectedError(error, location) from None


def error_location(issuer: str, redirect_uri: str, state: str | None, error: OAuth2Error) -> str:
    """Return where the browser goes with `error`. :rfc:`6749#section-4.1.2.1`."""
    told = {"error": error.error or "", "error_description": error.description or ""}
    return response_location(issuer, redirect_uri, state, told)


def response_location(
    issuer: str, redirect_uri: str, state: str | None, told: Mapping[str, str]
) -> str:
    """Return `redirect_uri` with the response's parameters, `iss` among them (RFC 9207 §2)."""
    members = {**told, "iss": issuer} | ({"state": state} if state else {})
    url = urlsplit(redirect_uri)
    query = "&".join(filter(None, [url.query, urlencode({k: v for k, v in members.items() if v})]))
    return urlunsplit(url._replace(query=query))


def is_redirect_uri_of(agent: Agent, uri: str) -> bool:
    """Tell whether `uri` is registered: exactly, but for a loopback port (RFC 8252 §7.3)."""
    return uri in agent.redirect_uris or any(_same_loopback(uri, r) for r in agent.redirect_uris)


def _same_loopback(uri: str, registered: str) -> bool:
    asked, known = _LOOPBACK.fullmatch(uri), _LOOPBACK.fullmatch(registered)
    if asked is None or known is None or int(asked["port"] or 0) > 65535:
        return False
    return asked["start"] == known["start"] and asked["rest"] == known["rest"]


def _who_and_where(
    context: Context, tx: Transaction, parameters: Mapping[str, list[str]]
) -> tuple[Agent, str]:
    if len(parameters.get("client_id", [])) != 1 or len(parameters.get("redirect_uri", [])) > 1:
        raise CannotRedirect("authorize.client", "The link that brought you here is not complete.")
    agent = find_agent(tx, parameters["client_id"][0])
    if agent is None or not may_ask(agent, tx.now, context.settings):
        raise CannotRedirect("authorize.client", "This agent cannot act for anybody at present.")
    uri = _first(parameters, "redirect_uri")
    if uri is None and len(agent.redirect_uris) == 1:
        return agent, agent.redirect_uris[0]
    if uri is None or not is_redirect_uri_of(agent, uri):
        raise CannotRedirect("authorize.redirect_uri", "The agent did not say a known way back.")
    return agent, uri


def may_ask(agent: Agent, now: int, settings: Settings) -> bool:
    """Tell whether it may ask a person at all: it lives, or they may adopt it."""
    return agent.is_live(now) or is_adoptable(agent, now, settings)


def _must_push(agent: Agent, settings: Settings) -> bool:
    return agent.require_pushed_authorization_requests or settings.authorize.require_par


def _require_well_formed(parameters: Mapping[str, list[str]]) -> None:
    if any(len(parameters.get(name, [])) > 1 for name in _SINGLE):
        raise InvalidRequestError("A parameter is repeated.")
    if any("\x00" in value for values in parameters.values() for value in values):
        raise InvalidRequestError("A parameter holds a NUL character.")
    if "request" in parameters:
        raise OAuth2Error("Request objects are not supported.", error="request_not_supported")
    if _first(parameters, "response_mode") not in (None, "query"):
        raise InvalidRequestError("response_mode is query.")
    response_type = _first(parameters, "response_type")
    if response_type is None:
        raise InvalidRequestError("Missing response_type in request.")
    if response_type != "code":
        raise UnsupportedResponseTypeError(response_type)


def _scope(
    parameters: Mapping[str, list[str]], agent: Agent, catalogue: Catalogue, bounds: Bounds
) -> Words:
    names = (_first(parameters, "scope") or "").split(" ")
    asked = frozenset(filter(None, names))
    if not asked or len(asked) > bounds.scopes or not all(map(is_scope_token, asked)):
        raise InvalidScopeError("The scope is missing or malformed.")
    if not all(map(catalogue.is_known, asked)) or not asked <= agent.scope:
        raise InvalidScopeError("The scope is unknown, or more than the agent may ever hold.")
    return asked


def _details(parameters: Mapping[str, list[str]], scope: Words, catalogue: Catalogue) -> Details:
    text = _first(parameters, "authorization_details")
    details = read_authorization_details(text) if text else ()
    try:
        validate_known(details, catalogue.types)
    except Refusal as refusal:
        raise answer_to(refusal) from None
    if not scopes_of(details, catalogue.types) <= scope:
        raise InvalidAuthorizationDetailsError("A detail belongs to a scope that is not asked for.")
    return details


def _resources(
    parameters: Mapping[str, list[str]], agent: Agent, catalogue: Catalogue, bounds: Bounds
) -> Words:
    asked = frozenset(parameters.get("resource", []))
    if len(asked) > bounds.resources or not all(map(is_resource_identifier, asked)):
        raise InvalidTargetError("A resource is not a canonical absolute URI.")
    if not all(r in catalogue.servers and r in agent.resources for r in asked):
        raise InvalidTargetError("A resource is unknown, or not one that the agent may use.")
    return asked


def _challenge(parameters: Mapping[str, list[str]]) -> str:
    # RFC 9700 §2.1.1: PKCE for every client. RFC 7636 §4.3: a missing method means plain.
    challenge = _first(parameters, "code_challenge")
    if challenge is None or not _CHALLENGE.fullmatch(challenge):
        raise InvalidRequestError("code_challenge is missing or not a SHA-256 in base64url.")
    if _first(parameters, "code_challenge_method") != "S256":
        raise InvalidRequestError("code_challenge_method is S256.")
    return challenge


def _prompt(parameters: Mapping[str, list[str]]) -> Words:
    prompt = frozenset((_first(parameters, "prompt") or "").split())
    if not prompt <= PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise InvalidRequestError("prompt has a value that is unknown, or none with another.")
    return prompt


def _max_age(parameters: Mapping[str, list[str]]) -> int | None:
    value = _first(parameters, "max_age")
    if value is not None and not _SECONDS.fullmatch(value):
        raise InvalidRequestError("max_age is a number of seconds.")
    return None if value is None else int(value)


def _first(parameters: Mapping[str, list[str]], name: str) -> str | None:
    values = parameters.get(name)
    return values[0] if values and values[0] else None
