"""What pages say of an agent's registration: who answers for it, how it stands, how it proves
itself. Nothing secret is in it.
"""

import json
from typing import Any

from joserfc.jwk import JWKRegistry
from markupsafe import Markup

from ..agents.lifecycle import Status
from ..agents.models import Agent
from ..catalogue.models import Catalogue
from ..web.pages import Fact, KeyLine, State
from ..web.words import count_of, host_of, list_of, since_tag, until_tag
from .names import Names

_STATES = {
    Status.ACTIVE: State.ACTIVE,
    Status.PENDING: State.WAITING,
    Status.SUSPENDED: State.REFUSED,
    Status.RETIRED: State.ENDED,
}


def standing_of(known: Agent, now: int) -> tuple[State, str]:
    """Return how the agent stands, as shape and word."""
    if known.status == Status.ACTIVE and not known.is_live(now):
        return State.ENDED, "expired"
    return _STATES[Status(known.status)], known.status


def said_owner(names: Names, known: Agent) -> str:
    """Say who answers for the agent."""
    return f"owner {names.of(known.owner)}" if known.owner else "nobody answers for it"


def said_expiry(known: Agent, now: int) -> Markup:
    """Say until when it may act at all, or when that ended."""
    if known.expires_at <= now:
        return Markup("expired {}").format(since_tag(known.expires_at, now))
    return until_tag(known.expires_at, now)


def overview_of(
    known: Agent, names: Names, catalogue: Catalogue, now: int, used: int | None
) -> tuple[Fact, ...]:
    """Return the registration line by line; what was never said is left out."""
    people = {"Owner": known.owner, "Sponsor": known.sponsor, "Acts only for": known.only_for}
    model = ", ".join(filter(None, (known.model, known.vendor, known.software_version)))
    lines: dict[str, str | Markup] = {
        **{name: names.of(key) for name, key in people.items() if key},
        "Client id": known.client_id,
        "Started by": known.parent or "",
        "Model": model,
        "Registered": since_tag(known.created_at, now),
        "Registered for": said_expiry(known, now),
        "Last used": since_tag(used, now) if used else "never",
        "May at most": list_of([catalogue.describe(name) for name in sorted(known.scope)]),
        "At": list_of([host_of(uri) for uri in sorted(known.resources)]),
        "May pass on to": list_of(sorted(known.delegates_to)),
        "Agents in a chain": f"at most {count_of(known.max_delegation_depth, 'agent')}",
    }
    return tuple(Fact(name, told) for name, told in lines.items() if told)


def keys_of(known: Agent) -> tuple[KeyLine, ...]:
    """Return the public keys by which the agent proves itself."""
    return tuple(map(_key, json.loads(known.jwks)["keys"])) if known.jwks else ()


def said_proof(known: Agent) -> str:
    """Say how the agent proves itself."""
    if known.is_public:
        return "By nothing of its own: it runs on somebody's device, and shows what it was given."
    if known.jwks_uri:
        return f"By a key of the set that it keeps at {host_of(known.jwks_uri)}."
    if known.jwks:
        return "By a signature with one of these keys."
    return "By a client secret, of which only the hash is kept."


def _key(jwk: dict[str, Any]) -> KeyLine:
    kind = " ".join(filter(None, (jwk.get("kty"), jwk.get("crv"))))
    return KeyLine(
        kid=str(jwk.get("kid", "")),
        kind=", ".join(filter(None, (kind, jwk.get("alg")))),
        thumbprint=JWKRegistry.import_key(jwk).thumbprint(),
    )
