"""An agent pushes its authorization request (RFC 9126), and the page opens it.

A request is opened within a minute, by one person, and answered once. "Authorization
servers SHOULD treat request_uri values as one-time use but MAY allow for duplicate
requests due to a user reloading/refreshing their user agent" (§4): the page may be
reloaded and the person may sign in meanwhile; the decision uses it up.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from ..agents.authenticate import Caller, require_live
from ..agents.models import AUTHORIZATION_CODE, Agent
from ..core.db import Database, Prepared, Transaction
from ..core.refusal import Refusal
from ..core.secrets import digest, new_secret
from ..core.values import canonical_json, is_client_id
from ..oauth.errors import UnauthorizedClientError
from ..oauth.rfc9126 import PushedRequestEndpoint, find_reference
from ..oauth.server import Answer
from .authorize import (
    AuthorizationRequest,
    CannotRedirect,
    RedirectedError,
    may_ask,
    read_authorization_request,
)
from .context import Context, Reading
from .models import pushed_request
from .server import AgentRequest, AgentServer

#: Seconds after its expiry in which a request that was opened in time can be answered: to
#: sign in, and to read the page.
ANSWERED_WITHIN = 900

#: Stands for the reference of a request that is only being validated.
_NOT_YET_STORED = ""

_GONE = "This link was used before, or is too old. It is good for a moment only."


def answer_push(server: AgentServer, request: AgentRequest) -> Answer:
    """Answer a pushed authorization request. :rfc:`9126#section-2`."""

    def answer(request: AgentRequest, caller: Caller) -> Answer:
        if not caller.check_grant_type(AUTHORIZATION_CODE):
            raise UnauthorizedClientError("The client may not ask a person this way.")
        endpoint = _Endpoint(server.context, request.reading)
        return endpoint.create_response(caller, request.values)

    require_asker = partial(_require_asker, server.context)
    return server.create_agent_response("push", request, answer, {}, require_asker)


def _require_asker(context: Context, caller: Caller, now: int) -> None:
    # Whoever may ask a person may push: one that waits to be adopted at consent too.
    if not isinstance(caller.client, Agent) or not may_ask(caller.client, now, context.settings):
        require_live(caller, now)


@dataclass(frozen=True)
class _Endpoint(PushedRequestEndpoint):
    context: Context
    reading: Reading

    def validate_request(self, parameters: Mapping[str, list[str]]) -> None:
        try:
            read_authorization_request(
                self.context, self.reading.tx, parameters, pushed=_NOT_YET_STORED
            )
        except RedirectedError as redirected:
            # RFC 9126 §2.3: told to the client itself, whatever the redirect URI.
            raise redirected.error from None

    def store_request(self, client: Caller, parameters: Mapping[str, list[str]]) -> tuple[str, int]:
        """Keep it under the hash of its reference, and forget the agent's that are over.

        No event: a public client proves nothing, and whoever names one would fill the
        trail. What comes of it leaves one.

        :raises Refusal: `push.full` where as many wait as may
        """
        settings, secret = self.context.settings.authorize, new_secret()
        with self.context.db.write() as tx:
            client.spend(tx)
            forget_pushed(tx, client.client_id)
            waiting = _WAITING.first(tx, {"client_id": client.client_id, "now": tx.now})
            if waiting and waiting[0] >= settings.max_pushed:
                raise Refusal("push.full", "Too many requests of this agent wait to be opened.")
            row = {
                "digest": digest(secret),
                "client_id": client.client_id,
                "parameters": canonical_json(parameters).decode(),
                "expires_at": tx.now + settings.request_uri_lifetime,
            }
            tx.execute(insert(pushed_request).values(**row))
        return secret, settings.request_uri_lifetime


def read_request(
    context: Context,
    tx: Transaction,
    parameters: Mapping[str, list[str]],
    person_key: str | None,
    sent_at: int | None,
) -> AuthorizationRequest:
    """Return the request that a browser brings: pushed before, or in full.

    A pushed one is read and checked anew: registration and catalogue may have changed.

    :param person_key: the host's key of who is signed in
    :param sent_at: when they were sent to sign in for this very request
    :raises CannotRedirect: for what the person is told; a `request_uri` that is not good
        leads nowhere, for no redirect URI can be believed
    :raises RedirectedError: for what the client is told
    """
    if "request_uri" not in parameters:
        return read_authorization_request(context, tx, parameters)
    row = _find(tx, parameters)
    if row is None or row["used_at"] is not None or not _is_open(row, tx.now, person_key, sent_at):
        raise CannotRedirect("authorize.request_uri", _GONE)
    # RFC 9101 §5: "MUST only use the parameters included in the Request Object". Never mixed,
    # so that whoever brings the link adds nothing to what was pushed.
    pushed: dict[str, list[str]] = json.loads(row["parameters"])
    return read_authorization_request(context, tx, pushed, pushed=row["digest"])


def _find(tx: Transaction, parameters: Mapping[str, list[str]]) -> Any:
    reference, client_ids = find_reference(parameters), parameters.get("client_id", [])
    if reference is None or len(client_ids) != 1 or not is_client_id(client_ids[0]):
        return None
    # RFC 9126 §2.2: "The request_uri value MUST be bound to the client that posted the
    # authorization request." Another client's is told as one that is not there.
    named = {"digest": digest(reference), "client_id": client_ids[0]}
    return tx.execute(_BY_REFERENCE, named).mappings().first()


def _is_open(row: Any, now: int, person_key: str | None, sent_at: int | None) -> bool:
    """Tell whether it is opened in time, or was, by whoever has come back to it."""
    if person_key is not None and row["person_key"] not in (None, person_key):
        return False
    if now < row["expires_at"]:
        return True
    was_opened = sent_at is not None and sent_at < row["expires_at"]
    is_theirs = person_key is not None and row["person_key"] == person_key
    return (was_opened or is_theirs) and now < row["expires_at"] + ANSWERED_WITHIN


def take_pushed(db: Database, asked: AuthorizationRequest, person_key: str) -> bool:
    """Give a pushed request to the first person who sees its page; tell whether it is theirs.

    One whom somebody else sends the same link never goes on with what was begun. A request
    that was not pushed is anybody's.
    """
    if asked.pushed is None:
        return True
    theirs = or_(pushed_request.c.person_key.is_(None), pushed_request.c.person_key == person_key)
    unused = (pushed_request.c.digest == asked.pushed) & pushed_request.c.used_at.is_(None)
    taking = update(pushed_request).where(unused, theirs).values(person_key=person_key)
    with db.write() as tx:
        return tx.execute(taking).rowcount == 1


def use_pushed(tx: Transaction, asked: AuthorizationRequest) -> bool:
    """Use up a pushed request by the decision on it; tell whether this was the first."""
    if asked.pushed is None:
        return True
    unused = (pushed_request.c.digest == asked.pushed) & pushed_request.c.used_at.is_(None)
    return tx.execute(update(pushed_request).where(unused).values(used_at=tx.now)).rowcount == 1


def give_up_pushed(db: Database, asked: AuthorizationRequest) -> bool:
    """Use up a pushed request to which the person said no; tell whether this was the first."""
    if asked.pushed is None:
        return True
    with db.write() as tx:
        return use_pushed(tx, asked)


def forget_pushed(tx: Transaction, client_id: str | None = None) -> int:
    """Delete what nobody can answer any more, of one agent or of all; return how many."""
    over = delete(pushed_request).where(pushed_request.c.expires_at <= tx.now - ANSWERED_WITHIN)
    of_one = over.where(pushed_request.c.client_id == client_id)
    return tx.execute(over if client_id is None else of_one).rowcount


_BY_REFERENCE = select(pushed_request).where(
    pushed_request.c.digest == bindparam("digest"),
    pushed_request.c.client_id == bindparam("client_id"),
)
#: What can still be opened, or was. Whoever names a public client can push for it: so they keep
#: others out for a minute, and not for as long as what was opened may be answered.
_WAITING = Prepared(
    select(func.count())
    .select_from(pushed_request)
    .where(
        pushed_request.c.client_id == bindparam("client_id"),
        pushed_request.c.used_at.is_(None),
        or_(
            pushed_request.c.expires_at > bindparam("now"), pushed_request.c.person_key.is_not(None)
        ),
    )
)
