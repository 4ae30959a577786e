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
from .vocabulary import validate_words

_INSERT = Prepared(insert(event))


@dataclass(frozen=True, slots=True)
class Event:
    """What happened.

    :param kind: past and dotted, e.g. `delegation.issued`: a word of `vocabulary`
    :param person_id: the person on whose behalf
    :param agent: the client id of the agent that acted, or was acted upon
    :param rule: for a refusal, the name of the rule that said no
    :param chain: where a delegation is concerned, its agents from the person on
    :param facts: what else there is to say; no secret, and nothing personal but what
        `commitment` makes of it. `why` is a word of `vocabulary`
    """

    kind: str
    person_id: str | None = None
    agent: str | None = None
    task_id: str | None = None
    delegation_id: str | None = None
    rule: str | None = None
    chain: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


def record(tx: Transaction, happened: Event) -> None:
    """Write `happened` at the transaction's time, and let it be heard of.

    :raises ValueError: for a kind or a reason that is not in `vocabulary`
    """
    _INSERT.run(tx, _row(tx, happened))
    _let_hear(tx, happened)


def record_all(tx: Transaction, happened: Iterable[Event]) -> None:
    """Write many at once.

    :raises ValueError: as `record`
    """
    told = list(happened)
    _INSERT.run_many(tx, [_row(tx, each) for each in told])
    for each in told:
        _let_hear(tx, each)


def _let_hear(tx: Transaction, happened: Event) -> None:
    for hear in tx.listeners.get(happened.kind, ()):
        hear(tx, happened)


def _row(tx: Transaction, happened: Event) -> dict[str, Any]:
    validate_words(happened.kind, happened.facts.get("why"))
    columns: dict[str, Any] = {
        "id": f"{tx.now:x}-{new_id()}",
        "at": tx.now,
        "kind": happened.kind,
        "rule": happened.rule,
        "person_id": happened.person_id,
        "agent": happened.agent,
        "task_id": happened.task_id,
        "delegation_id": happened.delegation_id,
    }
    said = {k: v for k, v in columns.items() if v is not None}
    if happened.chain:
        said["chain"] = list(happened.chain)
    body = canonical_json({**happened.facts, **said})
    return {**columns, "chain": spelled(happened.chain), "body": body, "position": None}


def spelled(chain: tuple[str, ...]) -> str | None:
    """Return the chain as it is searched: each agent between two spaces."""
    return f" {' '.join(chain)} " if chain else None


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
