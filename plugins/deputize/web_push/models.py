"""The rows of browsers that are subscribed: whose each is, what it is called, where it is reached.

An endpoint is as good as a secret (RFC 8030 §8.3): it is found by its hash, and sealed with the
keys of the subscription. What is removed is deleted: nothing of it is needed again.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, String, Table, Text, select

from ..core.db import Transaction, metadata
from ..core.sealed import Box
from ..core.secrets import digest
from ..core.web_push import Receiver

browser = Table(
    "deputize_browser",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("person_id", String(16), nullable=False, index=True),
    Column("endpoint_hash", String(64), nullable=False, unique=True),
    Column("subscription", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_sent", String(16)),
    Column("last_sent_at", BigInteger),
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a browser is reached, and how to write to it.

    :param endpoint: URL of the push resource (RFC 8030 §2)
    """

    endpoint: str
    receiver: Receiver

    @property
    def hash(self) -> str:
        """What it is found by."""
        return digest(self.endpoint)

    def seal(self, box: Box) -> str:
        """Return it as it is stored."""
        members = {
            "endpoint": self.endpoint,
            "p256dh": _encode(self.receiver.p256dh),
            "auth": _encode(self.receiver.auth),
        }
        return box.seal(members)


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser of one person.

    :param sealed: its subscription
    :param name: what the person calls it
    :param last_sent: id of the message that arrived at it last
    """

    id: str
    person_id: str
    sealed: str
    name: str
    created_at: int
    last_sent: str | None
    last_sent_at: int | None

    def open(self, box: Box) -> Subscription:
        """Return its subscription."""
        members = box.open(self.sealed)
        receiver = Receiver(_decode(members["p256dh"]), _decode(members["auth"]))
        return Subscription(members["endpoint"], receiver)


def browsers_of(tx: Transaction, person_id: str | None) -> list[Browser]:
    """Return what this person has, the oldest first."""
    theirs = select(browser).where(browser.c.person_id == person_id)
    rows = tx.execute(theirs.order_by(browser.c.created_at, browser.c.id)).mappings()
    return [_from_row(row) for row in rows]


def find_by_endpoint(tx: Transaction, endpoint_hash: str) -> Browser | None:
    """Return the browser that is reached there."""
    there = select(browser).where(browser.c.endpoint_hash == endpoint_hash)
    row = tx.execute(there).mappings().first()
    return _from_row(row) if row else None


def _from_row(row: Mapping[Any, Any]) -> Browser:
    return Browser(
        id=row["id"],
        person_id=row["person_id"],
        sealed=row["subscription"],
        name=row["name"],
        created_at=row["created_at"],
        last_sent=row["last_sent"],
        last_sent_at=row["last_sent_at"],
    )


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
