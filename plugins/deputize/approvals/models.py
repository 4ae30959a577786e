"""The rows of an approval: one question to one person, and the ids by which clients ask for it.

The id by which a person decides is another than the one that the client holds, of which
only the hash is kept: a client can never approve for itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, String, Table, Text, text

from ..core.db import metadata
from ..core.values import Words, line, words
from ..delegation.details import Details, read_details, write_details


class Status(StrEnum):
    """Where an approval stands. Expiry is true by reading; every end is final."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    REDEEMED = "redeemed"


approval = Table(
    "deputize_approval",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("person_id", String(16), nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("delegation_id", String(16), nullable=False),
    Column("root_agent", String(64), nullable=False),
    Column("task_id", String(16), nullable=False, index=True),
    Column("chain", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("details", Text),
    Column("held", Text, nullable=False),
    Column("target", String(512), nullable=False),
    Column("binding_message", Text, nullable=False),
    Column("lifetime", BigInteger, nullable=False),
    Column("request_hash", String(64), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger),
    Column("granted_scope", Text),
    Column("granted_details", Text),
    Column("granted_lifetime", BigInteger),
    Column("for_task", Boolean, nullable=False, default=False),
    Column("repeats", String(16)),
    Column("decision_hash", String(64)),
    Column("auth_time", BigInteger),
    Column("acr", Text),
    Column("amr", Text),
    Column("evidence_id", String(16)),
    Column("node_id", String(16)),
    Column("jti", String(16)),
    Column("token_expires_at", BigInteger),
    Column("redeemed_at", BigInteger),
    Index("ix_deputize_approval_person_id", "person_id", "status", "expires_at"),
    Index("ix_deputize_approval_client_id", "client_id", "status"),
    Index("ix_deputize_approval_decision_hash", "decision_hash"),
)
Index(
    "uq_deputize_approval_request_hash",
    approval.c.request_hash,
    unique=True,
    sqlite_where=text("status = 'pending'"),
    postgresql_where=text("status = 'pending'"),
)
Index(
    "ix_deputize_approval_expires_at",
    approval.c.expires_at,
    sqlite_where=text("status = 'pending'"),
    postgresql_where=text("status = 'pending'"),
)
#: Of all that waits, what waits for others than the person: few, whom each inbox looks for.
Index(
    "ix_deputize_approval_decision_hash",
    approval.c.status,
    approval.c.expires_at,
    sqlite_where=text("decision_hash IS NOT NULL AND status = 'pending'"),
    postgresql_where=text("decision_hash IS NOT NULL AND status = 'pending'"),
)

#: The yes of somebody else, to exactly one content.
vote = Table(
    "deputize_approval_vote",
    metadata,
    Column("decision_hash", String(64), primary_key=True),
    Column("person_id", String(16), primary_key=True),
    Column("voted_at", BigInteger, nullable=False),
    Column("auth_time", BigInteger),
    Column("acr", Text),
    Column("evidence_id", String(16)),
)

#: By which group of the host's a decision that waits for it is found.
asked_group = Table(
    "deputize_approval_group",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("decision_hash", String(64), primary_key=True),
    Column("asked_from", BigInteger, nullable=False),
)

auth_request = Table(
    "deputize_auth_request",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("approval_id", String(16), nullable=False, index=True),
    Column("client_id", String(64), nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("interval", BigInteger, nullable=False),
    Column("polled_at", BigInteger),
    Column("delivery_mode", String(4)),
    Column("notification_endpoint", Text),
    Column("sealed", Text),
)


@dataclass(frozen=True, slots=True)
class Approval:
    """One question.

    :param chain: who asks, through whom: the first agent that was deputized first
    :param scope: all that the token would carry
    :param details: the authorization details that it would hold
    :param held: which of it the asker holds already; the rest is what this adds
    :param lifetime: seconds that the token would live
    :param request_hash: of what the client asks: the same again is the same card
    :param content_hash: of what is shown: a decision about anything else is none; those of
        siblings that are shown as one card have one
    :param expires_at: NumericDate until which it can be decided, and redeemed
    :param for_task: whether the yes is for the same again, until the task is over
    :param repeats: id of the approval whose yes this one rests on, where nobody was asked anew
    :param decision_hash: of what the person said yes to; while it is pending, others are
        asked for theirs to the same
    :param evidence_id: of what the person signed with a passkey, where they did
    """

    id: str
    person_id: str
    client_id: str
    delegation_id: str
    root_agent: str
    task_id: str
    chain: tuple[str, ...]
    scope: Words
    details: Details
    held: Words
    target: str
    binding_message: str
    lifetime: int
    request_hash: str
    content_hash: str
    status: str
    created_at: int
    expires_at: int
    decided_at: int | None = None
    granted_scope: Words = frozenset()
    granted_details: Details = ()
    granted_lifetime: int | None = None
    for_task: bool = False
    repeats: str | None = None
    decision_hash: str | None = None
    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    evidence_id: str | None = None
    node_id: str | None = None
    jti: str | None = None
    token_expires_at: int | None = None
    redeemed_at: int | None = None

    @property
    def adding(self) -> Words:
        """What it asks for that the asker does not hold."""
        return self.scope - self.held

    def is_open(self, now: int) -> bool:
        """Tell whether it can still be decided."""
        return self.status == Status.PENDING and now < self.expires_at


_NAMES = tuple(f.name for f in fields(Approval))
_SETS = ("scope", "held", "granted_scope")
_LISTS = ("chain", "amr")
_DETAILS = ("details", "granted_details")


def approval_from_row(row: Mapping[Any, Any]) -> Approval:
    """Return the approval that `row` holds."""
    values: dict[str, Any] = {name: row[name] for name in _NAMES}
    for name in _SETS:
        values[name] = words(values[name])
    for name in _LISTS:
        values[name] = tuple((values[name] or "").split())
    for name in _DETAILS:
        values[name] = read_details(values[name])
    values["for_task"] = bool(values["for_task"])
    return Approval(**values)


def approval_to_row(opened: Approval) -> dict[str, Any]:
    """Return the row that holds `opened`."""
    values = {name: getattr(opened, name) for name in _NAMES}
    for name in _SETS:
        values[name] = line(values[name])
    for name in _LISTS:
        values[name] = " ".join(values[name])
    for name in _DETAILS:
        values[name] = write_details(values[name])
    return values
