"""The rows of passkeys: the keys themselves, what they are asked to sign, and what they signed.

A passkey is never deleted: what was signed with it can be verified after it was removed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import BigInteger, Column, LargeBinary, String, Table, Text, select

from ..core.db import Transaction, metadata
from ..core.values import is_id

passkey = Table(
    "deputize_passkey",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("person_id", String(16), nullable=False, index=True),
    Column("credential_id", Text, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("counts_from", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("removed_at", BigInteger),
)

#: By the hash of the challenge, which nobody has but who was asked.
challenge = Table(
    "deputize_passkey_challenge",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("person_id", String(16), nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("about", String(16), nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("used_at", BigInteger),
)

#: What was signed, and by which key: enough for anybody to verify it.
evidence = Table(
    "deputize_evidence",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("passkey_id", String(16), nullable=False, index=True),
    Column("decision_hash", String(64), nullable=False),
    Column("nonce", String(43), nullable=False),
    Column("client_data", LargeBinary, nullable=False),
    Column("authenticator_data", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey of one person.

    :param credential_id: base64url, as browsers name it
    :param public_key: a COSE key (:rfc:`9052#section-7`)
    :param sign_count: what its authenticator counted last; 0 where it does not count
    :param counts_from: NumericDate from which it is good for approvals
    """

    id: str
    person_id: str
    credential_id: str
    public_key: bytes
    sign_count: int
    name: str
    created_at: int
    counts_from: int
    last_used_at: int | None = None
    removed_at: int | None = None

    def counts(self, now: int) -> bool:
        """Tell whether it is good for approvals."""
        return self.removed_at is None and now >= self.counts_from


_NAMES = tuple(f.name for f in fields(Passkey))


def passkey_from_row(row: Mapping[Any, Any]) -> Passkey:
    """Return the passkey that `row` holds."""
    return Passkey(**{name: row[name] for name in _NAMES})


def passkeys_of(tx: Transaction, person_id: str | None) -> list[Passkey]:
    """Return what this person has, the oldest first."""
    theirs = (passkey.c.person_id == person_id) & passkey.c.removed_at.is_(None)
    found = select(passkey).where(theirs).order_by(passkey.c.created_at, passkey.c.id)
    return [passkey_from_row(row) for row in tx.execute(found).mappings()]


def counting_passkeys(tx: Transaction, person_id: str | None) -> list[Passkey]:
    """Return those of this person that are good for approvals."""
    return [one for one in passkeys_of(tx, person_id) if one.counts(tx.now)]


def find_passkey(tx: Transaction, passkey_id: str) -> Passkey | None:
    """Return the passkey of that id, removed or not."""
    if not is_id(passkey_id):
        return None
    by_id = select(passkey).where(passkey.c.id == passkey_id)
    row = tx.execute(by_id).mappings().first()
    return passkey_from_row(row) if row else None
