"""A task's receipt: a JWS of a type of its own, by the key that seals the trail.

It holds every event of the task until its end that was sealed up to a position of the trail, with
what proves that, and what people signed with a passkey. Whoever has the trail's public keys can
check it, without the server. It names people by our ids alone.
"""

import json
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from ..audit.keys import SigningKey
from ..audit.prove import NotProved, Proved, check
from ..core.values import canonical_json
from .evidence import is_signed_by_a_passkey

ALGORITHM = "ES256"
TYP = "task-receipt+jwt"

#: What a receipt tells of a task, and where the event of its end says the same.
_END = {"status": "status", "agent": "agent", "person_id": "person_id", "ended_at": "at"}


class NotAReceipt(ValueError):  # noqa: N818 - it is told in one line
    """It proves nothing, or not what it says. The message says why."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a receipt proves.

    :param task: as the receipt tells it; the end stands in the events, too
    :param events: what was sealed, in order
    :param signed: ids of the evidence that was verified
    :param made_at: NumericDate
    :param sealed_through: the trail's position up to which the server says that it is whole
    """

    issuer: str
    task: dict[str, Any]
    events: tuple[Proved, ...]
    signed: tuple[str, ...]
    made_at: int
    sealed_through: int


def sign(claims: dict[str, Any], key: SigningKey) -> str:
    """Return the receipt as it is handed out."""
    header = {"alg": ALGORITHM, "typ": TYP, "kid": key.kid}
    return jws.serialize_compact(header, canonical_json(claims), key.key)


def check_receipt(text: str, keys: dict[str, ECKey]) -> Checked:
    """Return what the receipt proves.

    :param keys: the public keys of the trail, by their id
    :raises NotAReceipt: where anything in it is not as it was
    """
    claims = _claims(text, keys)
    try:
        task, proofs, evidence = claims["task"], claims["events"], claims["evidence"]
        events = tuple(_event(proof, task["task_id"], keys) for proof in proofs)
        through = int(claims["sealed_through"])
        _require_whole(task, events, through)
        signed = tuple(_evidence(one, events) for one in evidence)
        _require_all_evidence(events, signed)
        return Checked(str(claims["iss"]), task, events, signed, int(claims["iat"]), through)
    except (TypeError, LookupError, ValueError, AttributeError, OverflowError) as error:
        raise NotAReceipt(str(error) if isinstance(error, NotAReceipt) else "is none") from None


def _claims(text: str, keys: dict[str, ECKey]) -> dict[str, Any]:
    try:
        header = jws.extract_compact(text.strip().encode()).headers()
        kid = header.get("kid")
        # One type per verifier: a seal's statement is signed by the same key, and is no receipt.
        if header.get("typ") != TYP or kid not in keys:
            raise NotAReceipt("is no receipt that one of these keys signed")
        claims = json.loads(jws.deserialize_compact(text.strip(), keys[kid], [ALGORITHM]).payload)
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        told = str(error) if isinstance(error, NotAReceipt) else "its signature is not good"
        raise NotAReceipt(told) from None
    if not isinstance(claims, dict):
        raise NotAReceipt("is none")
    return claims


def _event(proof: Any, task_id: str, keys: dict[str, ECKey]) -> Proved:
    try:
        proved = check(proof, keys)
    except NotProved as error:
        raise NotAReceipt(f"an event of it {error}") from None
    if proved.event.get("task_id") != task_id:
        raise NotAReceipt(f"the event {proved.event.get('id')} is of another task")
    return proved


def _require_whole(task: dict[str, Any], events: tuple[Proved, ...], through: int) -> None:
    """Refuse what has no end, another end, the same event twice, or one of after the end."""
    ends = [one.event for one in events if one.event.get("kind") == "task.ended"]
    if len(ends) != 1 or any(ends[0].get(told) != task[name] for name, told in _END.items()):
        raise NotAReceipt("what was sealed does not say that the task ended so")
    if len({one.position for one in events}) != len(events):
        raise NotAReceipt("an event stands in it twice")
    if any(one.position > through or one.event["at"] > task["ended_at"] for one in events):
        raise NotAReceipt("it holds an event of later than it says")


def _evidence(one: dict[str, Any], events: tuple[Proved, ...]) -> str:
    """Return the id of what a passkey signed, having verified it."""
    if not is_signed_by_a_passkey(one):
        raise NotAReceipt(f"the evidence {one['id']} is not signed by its passkey")
    if one["id"] not in _named(events):
        raise NotAReceipt(f"no event of it speaks of the evidence {one['id']}")
    return str(one["id"])


def _require_all_evidence(events: tuple[Proved, ...], signed: tuple[str, ...]) -> None:
    missing = _named(events) - set(signed)
    if missing:
        raise NotAReceipt(f"the evidence {', '.join(sorted(missing))} is missing")


def _named(events: tuple[Proved, ...]) -> set[str]:
    """Return the ids of the evidence that events speak of."""
    named = (one.event.get("evidence_id") for one in events)
    return {str(evidence_id) for evidence_id in named if evidence_id is not None}
