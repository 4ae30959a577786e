"""The registration endpoint (RFC 7591): two kinds of client come here.

With a spawn token as the initial access token, a child of the agent that it was issued
to; without any, a client that registers itself and waits to be adopted.
"""

from collections.abc import Mapping
from typing import Any

from authlib.consts import default_json_headers

from ..agents.client_metadata import read_metadata
from ..agents.models import Agent
from ..agents.register import (
    SELF_REGISTRATION,
    Secrets,
    register_itself,
    registration_response,
)
from ..core.refusal import Refusal
from ..oauth.server import Answer
from .answers import REGISTRATION_ANSWERS, answer_to
from .context import Context
from .issue import SPAWN_TOKEN_PREFIX
from .spawn import register_spawned


def register(context: Context, headers: Mapping[str, str], body: Any) -> Answer:
    """Register the client whose metadata `body` holds. :rfc:`7591#section-3`."""
    try:
        registered, secrets = _register(context, headers, body)
    except Refusal as refusal:
        context.tally.count(refusal.rule)
        status, error, error_headers = answer_to(refusal, REGISTRATION_ANSWERS)()
        return Answer(status, error, error_headers)
    told = registration_response(registered, secrets, context.registration_endpoint)
    return Answer(201, told, default_json_headers)


def _register(context: Context, headers: Mapping[str, str], body: Any) -> tuple[Agent, Secrets]:
    token = _initial_access_token(headers)
    metadata = read_metadata(body, context.settings)
    if token is not None:
        return register_spawned(context, token, metadata), Secrets()
    with context.db.write([SELF_REGISTRATION]) as tx:
        return register_itself(tx, metadata, context.settings)


def _initial_access_token(headers: Mapping[str, str]) -> str | None:
    if "Authorization" not in headers:
        return None
    scheme, _, token = headers["Authorization"].partition(" ")
    if scheme.lower() != "bearer" or not token.startswith(SPAWN_TOKEN_PREFIX):
        raise Refusal("spawn.bad_token", "Only a spawn token can be presented here.")
    return token.strip()
