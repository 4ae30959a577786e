"""What an approval is about, as hashes: of what was asked, of what was shown, of what is
decided. Each is of one canonical spelling, so that a word about anything else is none.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.values import Words, canonical_json
from ..delegation.details import Details, write_details
from .models import Approval


def request_hash(opened: Approval) -> str:
    """Return the hash of what the client asks: the same again is the same card."""
    return _hash(_request(opened))


def content_hash(asking: Sequence[Approval]) -> str:
    """Return the hash of everything that a card shows, and so what a decision is about.

    :param asking: the approvals that are shown as one
    """
    return _hash({"asking": [_shown(one) for one in asking]})


def decision_hash(
    card: Approval, scope: Words, details: Details, lifetime: int, *, for_task: bool
) -> str:
    """Return the hash of a yes as it is given: of the card as shown, and of what of it is granted.

    :param lifetime: seconds that the token may live
    :param for_task: whether it is for the same again, until the task is over
    """
    return _hash(
        {
            "content": card.content_hash,
            "scope": sorted(scope),
            "details": write_details(details),
            "lifetime": lifetime,
            "for_task": for_task,
        }
    )


def _shown(opened: Approval) -> Mapping[str, Any]:
    return {
        **_request(opened),
        "id": opened.id,
        "person": opened.person_id,
        "chain": list(opened.chain),
        "task": opened.task_id,
        "held": sorted(opened.held),
        "lifetime": opened.lifetime,
        "expires_at": opened.expires_at,
    }


def _request(opened: Approval) -> Mapping[str, Any]:
    return {
        "delegation": opened.delegation_id,
        "agent": opened.client_id,
        "scope": sorted(opened.scope),
        "details": write_details(opened.details),
        "target": opened.target,
        "message": opened.binding_message,
    }


def _hash(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(value)).hexdigest()
