"""What a passkey is asked to sign, once: by one person, for one purpose, about one thing.

The challenge is the hash of a nonce and of what is decided, so that the signature is about
that and nothing else. Its own hash is stored; who posts the answer posts the nonce with it.
"""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import delete, insert, update

from ..core.db import Transaction
from ..core.refusal import Refusal
from ..core.secrets import new_secret
from ..core.values import is_thumbprint
from .models import challenge as table

#: Seconds in which it can be answered.
LIFETIME = 300


class Purpose(StrEnum):
    """What the signature is for: no answer to one is an answer to another."""

    ENROL = "enrol"
    SHOW = "show"
    REMOVE = "remove"
    APPROVE = "approve"
    VOTE = "vote"


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge.

    :param about: id of what it is about; empty where that is the person alone
    :param decided: hash of the decision that is signed; empty where there is none
    :param nonce: 256 random bits as base64url
    :raises Refusal: `passkey.challenge`, for a nonce that cannot be ours
    """

    person_id: str
    purpose: Purpose
    about: str = ""
    decided: str = ""
    nonce: str = field(default_factory=new_secret)

    def __post_init__(self) -> None:
        # Of one length, so that nonce and hash have one seam.
        if not is_thumbprint(self.nonce):
            raise Refusal("passkey.challenge", "That was not asked.")

    @property
    def value(self) -> bytes:
        """What the authenticator signs: SHA-256 of the nonce, then the hash, as ASCII."""
        return hashlib.sha256((self.nonce + self.decided).encode()).digest()

    @property
    def digest(self) -> str:
        """What is stored of it."""
        return hashlib.sha256(self.value).hexdigest()


def store_challenge(tx: Transaction, asked: Challenge) -> None:
    """Store what is asked, so that it can be answered once, and soon."""
    row = {
        "digest": asked.digest,
        "person_id": asked.person_id,
        "purpose": asked.purpose,
        "about": asked.about,
        "expires_at": tx.now + LIFETIME,
        "used_at": None,
    }
    tx.execute(insert(table), row)


def use_challenge(tx: Transaction, answered: Challenge) -> None:
    """Use it up.

    :raises Refusal: `passkey.challenge`, where it was not asked, not of this person and for
        this, is too old, or was answered before
    """
    this = (
        (table.c.digest == answered.digest)
        & (table.c.person_id == answered.person_id)
        & (table.c.purpose == answered.purpose)
        & (table.c.about == answered.about)
        & (table.c.used_at.is_(None))
        & (table.c.expires_at > tx.now)
    )
    if tx.execute(update(table).where(this).values(used_at=tx.now)).rowcount != 1:
        raise Refusal("passkey.challenge", "That was not asked, or not lately.")


def forget_challenges(tx: Transaction) -> int:
    """Delete what can't be answered any more; return how many."""
    return tx.execute(delete(table).where(table.c.expires_at <= tx.now)).rowcount
