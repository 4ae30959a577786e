"""The authorization code: what a person consented to, redeemed once (RFC 6749 §4.1.3).

Redeeming it makes the root delegation and its task. The subject is the person and the
agent is the actor from the first hop.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from ..agents.authenticate import caller_of
from ..agents.models import AUTHORIZATION_CODE, REFRESH_TOKEN, Agent, agent
from ..catalogue.models import OWN_SCOPES
from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.secrets import digest, new_id, new_secret
from ..core.values import Words, line, words
from ..oauth.errors import InvalidRequestError
from ..oauth.grant import TokenGrant
from ..tasks.lifecycle import TaskStatus
from ..tasks.models import Task, task
from .attenuation import Asked, attenuate
from .context import Context
from .details import fit_details, read_details
from .issue import (
    REFRESH_TOKEN_PREFIX,
    Decision,
    Mint,
    Write,
    insertion,
    issue,
    mint_delegated,
)
from .liveness import TEXTS
from .models import ACTIVE, code, person, refresh_token
from .narrow import current_agent, limits_of
from .node import Delegation

#: RFC 7636 §4.1: 43 to 128 unreserved characters.
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")

_BAD_CODE = "The authorization code is not good: it is used once, within a minute."


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person agreed to for one agent.

    :param granted_until: NumericDate: the task's deadline
    :param redirect_uri: as the authorization request named it; None where it named none
    :param details: as a node keeps them
    """

    client_id: str
    person_id: str
    redirect_uri: str | None
    code_challenge: str
    scope: Words
    details: str | None
    resources: Words
    pass_on: Words
    purpose: str
    granted_until: int
    auth_time: int | None
    acr: str | None
    amr: tuple[str, ...]


def store_code(tx: Transaction, consent: Consent, lifetime: int) -> str:
    """Store the consent under a new code that can be redeemed for `lifetime` seconds."""
    secret = new_secret()
    row = {name: getattr(consent, name) for name in consent.__slots__}
    for name in ("scope", "resources", "pass_on"):
        row[name] = line(row[name])
    row |= {"amr": " ".join(consent.amr), "digest": digest(secret), "expires_at": tx.now + lifetime}
    tx.execute(insert(code).values(**row))
    return secret


@dataclass(frozen=True, slots=True)
class Redemption:
    """One request that redeems a code."""

    code: str
    redirect_uri: str | None
    code_verifier: str
    resource: str | None = None

    def decide(self, decision: Decision) -> Mint:
        """Return the first token of a new tree.

        :raises Refusal: `code.*`, `person.inactive`, `target.*`, `scope.*`
        """
        row = self._find(decision)
        agent = current_agent(decision, row["revision"], row["host_key"])
        if row["person_status"] != ACTIVE or not decision.context.host.is_active(row["host_key"]):
            raise Refusal("person.inactive", TEXTS["person.inactive"])
        root = _root(row, agent, decision)
        node = self._node(root, agent, decision)
        secret = new_secret(REFRESH_TOKEN_PREFIX) if _may_refresh(agent) else None
        return mint_delegated(
            decision,
            node,
            subject=row["host_key"],
            started_at=None,
            deadline=row["granted_until"],
            is_still_so=partial(_is_unchanged, row),
            new_nodes=(root,) if node is root else (root, node),
            writes=(
                partial(_redeem, row=row, root=root),
                insertion(task, asdict(_task(row, agent, root, decision))),
                *_refreshing(root, secret, decision.moment.now),
            ),
            refresh_token=secret,
        )

    def _find(self, decision: Decision) -> Any:
        asked = {"digest": digest(self.code), "client_id": decision.caller.client_id}
        row = decision.tx.execute(_CODE, asked).mappings().first()
        if row is not None:
            decision.reading.shown = row["delegation_id"]
            decision.reading.shown_person = row["person_id"]
        if row is None or not self._is_proven(row):
            raise Refusal("code.unknown", _BAD_CODE)
        now = decision.moment.now
        if row["used_at"] is not None:
            _end_what_it_gave(decision.context, row, now)
            raise Refusal("code.used", _BAD_CODE)
        if now >= min(row["expires_at"], row["granted_until"]):
            raise Refusal("code.expired", _BAD_CODE)
        return row

    def _is_proven(self, row: Any) -> bool:
        # RFC 6749 §4.1.3: redirect_uri "REQUIRED, if the redirect_uri parameter was included
        # in the authorization request ..., and their values MUST be identical."
        challenge = challenge_of(self.code_verifier)
        same_uri = self.redirect_uri == row["redirect_uri"]
        return hmac.compare_digest(challenge, row["code_challenge"]) and same_uri

    def _node(self, root: Delegation, agent: Agent, decision: Decision) -> Delegation:
        rules = decision.moment.rules
        if self.resource is None or self.resource == decision.context.issuer:
            return root
        if self.resource not in rules.scopes_by_resource:
            raise Refusal("target.unknown", "That resource is not known here.")
        asked = Asked(None, self.resource)
        changes = attenuate(root, root.scope, limits_of(agent), asked, rules)
        return root.child(new_id(), decision.moment.now, **changes)


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier. :rfc:`7636#section-4.2`."""
    hashed = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def _end_what_it_gave(context: Context, row: Any, now: int) -> None:
    # RFC 6749 §4.1.2: "If an authorization code is used more than once, the authorization
    # server MUST deny the request and SHOULD revoke (when possible) all tokens previously
    # issued". A repeat at once is a lost reply, or the loser of a race: only refused.
    if now > row["used_at"] + context.settings.tokens.refresh_grace and row["delegation_id"]:
        context.ends.end_delegation(row["delegation_id"], why="code_reused")


def _root(row: Any, agent: Agent, decision: Decision) -> Delegation:
    node_id, catalogue = new_id(), decision.moment.catalogue
    known = (catalogue.scopes.keys() - catalogue.sensitive) | OWN_SCOPES.keys()
    granted = words(row["scope"]) & agent.scope & known
    scope, details = fit_details(granted, row["details"], catalogue.types, is_approved=False)
    if not scope:
        raise Refusal("scope.empty", "Nothing of what was granted is left.")
    return Delegation(
        id=node_id,
        root_id=node_id,
        parent_id=None,
        path=f"{node_id}/",
        depth=1,
        chain=(agent.client_id,),
        actor=agent.client_id,
        person_id=row["person_id"],
        task_id=new_id(),
        scope=scope,
        details=details,
        target=decision.context.issuer,
        resources=words(row["resources"]) & agent.resources & catalogue.servers.keys(),
        pass_on=words(row["pass_on"]) & agent.delegates_to,
        max_depth=min(agent.max_delegation_depth, decision.moment.rules.max_depth),
        lease_hash=None,
        created_at=decision.moment.now,
        expires_at=agent.expires_at,
        auth_time=row["auth_time"],
        acr=row["acr"],
        amr=tuple(row["amr"].split()),
    )


def _may_refresh(agent: Agent) -> bool:
    return agent.check_grant_type(REFRESH_TOKEN)


def _redeem(tx: Transaction, *, row: Any, root: Delegation) -> None:
    unused = (code.c.digest == row["digest"]) & code.c.used_at.is_(None)
    values = {"used_at": tx.now, "delegation_id": root.id}
    if tx.execute(update(code).where(unused).values(**values)).rowcount != 1:
        raise Refusal("code.used", _BAD_CODE)


def _task(row: Any, agent: Agent, root: Delegation, decision: Decision) -> Task:
    """Return what the tree is for, with what the agent's registration says of its tasks."""
    heartbeat = agent.task_heartbeat
    return Task(
        id=root.task_id,
        person_id=root.person_id,
        agent=root.actor,
        purpose=row["purpose"],
        status=TaskStatus.OPEN,
        started_at=root.created_at,
        deadline=row["granted_until"],
        exchanges=agent.task_exchanges,
        spawned=agent.task_spawned,
        elevated=agent.task_elevated,
        heartbeat=heartbeat,
        heard_by=root.created_at + heartbeat if heartbeat else None,
        completion=agent.task_completion or decision.context.settings.tasks.completion,
    )


def _refreshing(root: Delegation, secret: str | None, now: int) -> tuple[Write, ...]:
    if secret is None:
        return ()
    row = {
        "digest": digest(secret),
        "delegation_id": root.id,
        "client_id": root.actor,
        "issued_at": now,
    }
    return (insertion(refresh_token, row),)


def _is_unchanged(row: Any, tx: Transaction) -> bool:
    asked = {"digest": row["digest"], "client_id": row["client_id"]}
    again = tx.execute(_CODE, asked).mappings().first()
    names = ("revision", "person_status")
    return again is not None and all(again[name] == row[name] for name in names)


class AgentCodeGrant(TokenGrant):
    """The authorization code grant of agents, with PKCE S256. :rfc:`7636`."""

    GRANT_TYPE = AUTHORIZATION_CODE
    UNAUTHORIZED = "The client may not redeem codes."
    context: Context

    def read_request(self) -> None:
        code, verifier = self.required("code"), self.form.get("code_verifier", "")
        if not _VERIFIER.fullmatch(verifier):
            raise InvalidRequestError("code_verifier is 43 to 128 unreserved characters.")
        uri, resource = self.form.get("redirect_uri"), self.single("resource")
        self.redemption = Redemption(code, uri, verifier, resource)

    def issue_token(self) -> dict[str, Any]:
        return bearer_response(issue_for(self.request, self.context, self.redemption.decide))


def issue_for(request: Any, context: Context, decide: Callable[[Decision], Mint]) -> Mint:
    """Issue what `decide` decides, for the caller and on the reading of `request`."""
    grant_type = request.form["grant_type"]
    return issue(context, caller_of(request), request.reading, decide, grant_type)


def bearer_response(mint: Mint) -> dict[str, Any]:
    """Return a token response. :rfc:`6749#section-5.1`."""
    response = {
        "access_token": mint.token,
        "token_type": "Bearer",
        "expires_in": mint.expires_in,
        "scope": line(mint.scope),
    } | details_member(mint.details)
    return response | ({"refresh_token": mint.refresh_token} if mint.refresh_token else {})


def details_member(details: str | None) -> dict[str, Any]:
    """Return what a token response says of the details granted. :rfc:`9396#section-7`."""
    return {"authorization_details": read_details(details)} if details else {}


_CODE = (
    select(
        code,
        person.c.host_key,
        person.c.status.label("person_status"),
        agent.c.revision,
    )
    .join(person, person.c.id == code.c.person_id)
    .join(agent, agent.c.client_id == code.c.client_id)
    .where(code.c.digest == bindparam("digest"), code.c.client_id == bindparam("client_id"))
)
