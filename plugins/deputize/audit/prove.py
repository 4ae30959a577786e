"""Shows one event to somebody who may see no other, with what proves that it was sealed.

The proof holds the event's bytes, its path up the tree (RFC 6962 §2.1.1) and the signed statement
of its seal. Whoever has the trail's public keys can check it, without the database.
"""

import json
from dataclasses import dataclass
from typing import Any

from joserfc.jwk import ECKey
from sqlalchemy import select

from ..core.db import Transaction
from .merkle import SIZE, audit_path, is_in_tree, leaf_hash
from .models import event, seal
from .statement import NotAStatement, Statement, decoded, encoded, read


class NotProved(ValueError):  # noqa: N818 - it is told in one line
    """There is no proof, or it proves nothing. The message says why."""


@dataclass(frozen=True, slots=True)
class Proved:
    """An event that was sealed, and where."""

    event: dict[str, Any]
    position: int
    statement: Statement


def prove(tx: Transaction, event_id: str) -> dict[str, Any]:
    """Return the proof of one event, as it is written down.

    :raises NotProved: where there is no such event, or it is not sealed yet
    """
    asked = select(event.c.body, event.c.position).where(event.c.id == event_id)
    found = tx.execute(asked).first()
    if found is None:
        raise NotProved("there is no such event")
    if found.position is None:
        raise NotProved("it is not sealed yet")
    before = seal.c.first_position <= found.position
    newest = select(seal).where(before).order_by(seal.c.first_position.desc()).limit(1)
    of_it = tx.execute(newest).first()
    index = found.position - of_it.first_position if of_it else 0
    if of_it is None or not index < len(of_it.leaves) // SIZE:
        raise NotProved("no seal has its position: see deputize audit verify")
    leaves = [of_it.leaves[at : at + SIZE] for at in range(0, len(of_it.leaves), SIZE)]
    return {
        "event": encoded(found.body),
        "position": found.position,
        "path": [encoded(node) for node in audit_path(leaves, index)],
        "statement": of_it.statement,
    }


def check(proof: Any, keys: dict[str, ECKey]) -> Proved:
    """Return what a proof proves.

    :raises NotProved: where it proves nothing
    """
    try:
        body, position = decoded(proof["event"]), int(proof["position"])
        path, signed = [decoded(node) for node in proof["path"]], str(proof["statement"])
        told = json.loads(body)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        raise NotProved("is no proof") from None
    try:
        statement, _ = read(signed, keys)
    except NotAStatement as error:
        raise NotProved(f"its statement {error}") from None
    index, tree = position - statement.first_position, decoded(statement.tree)
    if not is_in_tree(leaf_hash(body), index, statement.events, path, tree):
        raise NotProved("the event is not what was sealed there")
    return Proved(told, position, statement)
