"""An agent manages its own registration (RFC 7592): reads it, changes it, retires itself.

Only one that registered itself, by the token that it was given then. What is wider than
it was, or proves itself by another key, waits to be adopted again, and holds nothing
meanwhile; what is narrower is taken out of all that it holds.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from authlib.consts import default_json_headers

from ..agents.change_status import change_status
from ..agents.client_metadata import read_metadata
from ..agents.jwks import thumbprints
from ..agents.lifecycle import Status
from ..agents.models import Agent, find_agent
from ..agents.register import Secrets, registration_response, with_metadata
from ..audit.record import Event, record
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.secrets import is_secret
from ..delegation.answers import answer_to
from ..delegation.context import Context
from ..delegation.models import code
from ..oauth.ciba import POLL
from ..oauth.server import Answer
from .cut import agent_locked, cut, live_nodes_of, withdraw_codes
from .edit_agent import shrink, store_edit
from .stop_agent import stop_agent

#: RFC 7592 §2.2: an update "MUST NOT include" these.
_OURS = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)
_NOBODY = "0" * 64
_BY_ITSELF = "by_itself"


def manage_registration(
    context: Context, method: str, client_id: str, headers: Mapping[str, str], body: Any
) -> Answer:
    """Answer a request to the client configuration endpoint. :rfc:`7592#section-2`.

    :param method: GET, PUT or DELETE
    :param body: of a PUT, as JSON; None where it is none
    """
    token = headers.get("Authorization", "").partition(" ")[2].strip()
    try:
        known = _authenticated(context, client_id, token)
        if method == "DELETE":
            stop_agent(context.db, client_id, Status.RETIRED, why=_BY_ITSELF, by=client_id)
            return Answer(204, "", default_json_headers)
        secret = None
        if method == "PUT":
            known, secret = _update(context, known, body)
    except Refusal as refusal:
        context.tally.count(refusal.rule)
        return Answer(*answer_to(refusal)())
    # RFC 7592 §3: the token is told again; it is as it was presented.
    told = registration_response(known, Secrets(secret, token), context.registration_endpoint)
    return Answer(200, told, default_json_headers)


def _authenticated(context: Context, client_id: str, token: str) -> Agent:
    with context.db.read() as tx:
        known = find_agent(tx, client_id)
    kept = known.registration_token_digest if known else None
    if not is_secret(token, kept or _NOBODY) or known is None or known.status == Status.RETIRED:
        raise Refusal("registration.not_yours", "The registration access token is not good here.")
    return known


def _update(context: Context, known: Agent, body: Any) -> tuple[Agent, str | None]:
    metadata = read_metadata(body, context.settings)
    _require_update(known, body)
    with agent_locked(context.db, known.client_id) as tx:
        before = find_agent(tx, known.client_id)
        if before is None or before.status in (Status.SUSPENDED, Status.RETIRED):
            # RFC 7592 §2.2: "If the client does not have permission to update its record".
            raise Refusal("registration.stopped", "This agent was stopped: it changes nothing.")
        after, secret = with_metadata(before, metadata)
        if after == before:
            return before, None
        return _store(tx, before, after), secret


def _require_update(known: Agent, body: Mapping[str, Any]) -> None:
    if body.get("client_id") != known.client_id:
        raise Refusal("registration.metadata", "client_id is that of the agent.")
    if any(name in body for name in _OURS):
        raise Refusal("registration.metadata", "An update holds what the client says of itself.")
    secret = body.get("client_secret")
    same = isinstance(secret, str) and is_secret(secret, known.secret_digest or _NOBODY)
    if secret is not None and not same:
        raise Refusal("registration.metadata", "client_secret is the one that the agent has.")


def _store(tx: Transaction, before: Agent, after: Agent) -> Agent:
    by = before.client_id
    if before.status == Status.ACTIVE and _must_be_looked_at(before, after):
        change_status(tx, by, Status.PENDING)
        after = replace(after, status=Status.PENDING, revision=before.revision + 1)
        withdraw_codes(tx, code.c.client_id == by)
        record(tx, Event("agent.pending", agent=by, facts={"why": "changed_by_itself"}))
        cut(tx, live_nodes_of(tx, [by]), "changed_by_itself", by)
    store_edit(tx, after, by)
    shrink(tx, before, after, by)
    return after


def _must_be_looked_at(before: Agent, after: Agent) -> bool:
    """Tell whether it is wider than what was adopted, or proves itself otherwise."""
    wider = any(
        not set(getattr(after, name)) <= set(getattr(before, name))
        for name in ("scope", "resources", "delegates_to", "grant_types", "redirect_uris")
    )
    method, pushes = "token_endpoint_auth_method", "require_pushed_authorization_requests"
    otherwise = (
        getattr(after, method) != getattr(before, method)
        or getattr(before, pushes) > getattr(after, pushes)
        or before.request_signing_alg not in (None, after.request_signing_alg)
        or before.user_code_parameter > after.user_code_parameter
    )
    other_proof = otherwise or _new_keys(before, after)
    return wider or other_proof or _is_told_elsewhere(before, after)


def _is_told_elsewhere(before: Agent, after: Agent) -> bool:
    # What is pushed is a token: where to, and whether, is no business of the agent's alone.
    def told(registered: Agent) -> tuple[str, str | None]:
        where = registered.backchannel_client_notification_endpoint
        return registered.backchannel_token_delivery_mode, where

    return after.backchannel_token_delivery_mode != POLL and told(after) != told(before)


def _new_keys(before: Agent, after: Agent) -> bool:
    def keys(registered: Agent) -> set[str]:
        return set(thumbprints(json.loads(registered.jwks))) if registered.jwks else set()

    return after.secret_digest != before.secret_digest or not keys(after) <= keys(before)
