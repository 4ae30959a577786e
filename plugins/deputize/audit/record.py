"""Writes one event, in the transaction of the decision that it tells.

A refusal would roll back with what it refuses, so it is written in a transaction of
its own; refusals of nobody in particular are only counted, lest anyone fill the disk.
"""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert

from ..core.db import Prepared, Transaction
from ..core.secrets import new_id
from ..core.values import canonical_json
from .models import event

_INSERT = Prepared(insert(event))


@dataclass(frozen=True, slots=True)
class Event:
    """What happened.

    :param kind: past and dotted, e.g. `delegation.issued`
    :param person_id: the person on whose behalf
    :param agent: the client id of the agent that acted, or was acted upon
    :param rule: for a refusal, the name of the rule that said no
    :param facts: what else there is to say; no secret, no personal data
    """

    kind: str
    person_id: str | None = None
    agent: str | None = None
    task_id: str | None = None
    delegation_id: str | None = None
    rule: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def record(tx: Transaction, happened: Event) -> None:
    """Write `happened` at the transaction's time."""
    _INSERT.run(tx, _row(tx, happened))


def record_all(tx: Transaction, happened: Iterable[Event]) -> None:
    """Write many at once."""
    _INSERT.run_many(tx, [_row(tx, each) for each in happened])


def _row(tx: Transaction, happened: Event) -> dict[str, Any]:
    columns = {
        "id": f"{tx.now:x}-{new_id()}",
        "at": tx.now,
        "kind": happened.kind,
        "rule": happened.rule,
        "person_id": happened.person_id,
        "agent": happened.agent,
        "task_id": happened.task_id,
        "delegation_id": happened.delegation_id,
    }
    body = canonical_json({**happened.facts, **{k: v for k, v in columns.items() if v is not None}})
    return {**columns, "body": body, "position": None}


class Tally:
    """Counts refusals of nobody in particular by rule, for the metrics of this worker."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, rule: str) -> None:
        with self._lock:
            self._counts[rule] += 1

    def counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._counts)
