"""Signing keys: RS256, in the database so that all workers share them, encrypted with a
key derived from `secret_key`. A key that was read stays in memory: its `kid` never means
another key. Whether it may sign or verify is read each time.
"""

import base64
import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app
from joserfc.jwk import RSAKey
from sqlalchemy import JSON, ScalarSelect, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, aliased, mapped_column

from .clock import now
from .database import Base, db, rowcount
from .settings import current_settings

ALGORITHM = "RS256"
BITS = 2048
#: Seconds for which clients may keep the key set.
KEYS_MAX_AGE = 300
#: Seconds from a key's publication to its first signature: whoever keeps the set has it by then.
NOTICE = 2 * KEYS_MAX_AGE


class SigningKey(Base):
    """One key pair. The newest whose time has come signs; it is published before, and until
    the last ID token that it signed is over. A retired one verifies nothing any more."""

    __tablename__ = "signing_key"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kid: Mapped[str] = mapped_column(unique=True)
    public_jwk: Mapped[dict[str, Any]] = mapped_column(JSON)
    private_jwk: Mapped[bytes]
    created_at: Mapped[int]
    signs_from: Mapped[int]
    retired_at: Mapped[int | None]


class NoSuchKeyError(LookupError):
    """There is no key with this `kid` that is not retired."""


def signing_key() -> RSAKey:
    """The key that signs now."""
    kid = signing_kid()
    cache: dict[str, RSAKey] = current_app.extensions["deputize_idp.keys"]
    if kid not in cache:
        cache[kid] = _load(kid)
    return cache[kid]


def signing_kid() -> str:
    """The `kid` of the key that signs now: of those without a successor that has begun, the
    newest whose time has come, or else the newest that waits."""
    signed_until = _signed_until()
    is_ready = (SigningKey.signs_from <= now()).desc()
    candidates = select(SigningKey.kid).where(
        SigningKey.retired_at.is_(None), or_(signed_until.is_(None), signed_until > now())
    )
    newest = candidates.order_by(is_ready, SigningKey.position.desc()).limit(1)
    return db.session.scalars(newest).one()


def find_verification_key(kid: str) -> RSAKey | None:
    """The public key that verifies what was signed with `kid`, however long ago; None once it
    is retired."""
    named = select(SigningKey.public_jwk).filter_by(kid=kid, retired_at=None)
    found = db.session.scalars(named).one_or_none()
    return RSAKey.import_key(found) if found else None


def jwks() -> dict[str, list[dict[str, Any]]]:
    """The public keys, as a JWK Set (:rfc:`7517#section-5`)."""
    return {"keys": [key.public_jwk for key in published_keys()]}


def published_keys() -> list[SigningKey]:
    """Those that sign, will sign, or have signed what is not over; oldest first."""
    signed_until = _signed_until()
    oldest = now() - current_settings().id_token_lifetime
    published = select(SigningKey).where(
        SigningKey.retired_at.is_(None), or_(signed_until.is_(None), signed_until > oldest)
    )
    return list(db.session.scalars(published.order_by(SigningKey.position)))


def all_keys() -> list[SigningKey]:
    """Every key that there ever was, oldest first."""
    return list(db.session.scalars(select(SigningKey).order_by(SigningKey.position)))


def ensure_signing_key() -> None:
    """Make the first key if there is none; commits.

    :raises RuntimeError: if the keys were encrypted with another `secret_key`.
    """
    if db.session.scalars(select(SigningKey.kid).limit(1)).first() is None:
        try:
            rotate_signing_key()
        except IntegrityError:  # another machine was first
            db.session.rollback()
    signing_key()


def rotate_signing_key(notice: int = 0) -> SigningKey:
    """Make a key that signs in `notice` seconds, and is published at once. Commits.

    Two rotations at once want the same position, so one of them fails.
    """
    key = _make(now() + notice)
    db.session.commit()
    return key


def retire_signing_key(kid: str) -> SigningKey | None:
    """Drop a key at once: what it signed is good no more. Commits.

    :returns: the key that was made in its place, where it was the newest; it signs at once if
        the other already did.
    :raises NoSuchKeyError: if there is none that is not retired.
    """
    live = (SigningKey.kid == kid, SigningKey.retired_at.is_(None))
    if not rowcount(update(SigningKey).where(*live).values(retired_at=now())):
        db.session.rollback()
        raise NoSuchKeyError(kid)
    newest = all_keys()[-1]
    made = _make(max(now(), newest.signs_from)) if newest.kid == kid else None
    db.session.commit()
    return made


def _make(signs_from: int) -> SigningKey:
    position = db.session.scalars(select(func.max(SigningKey.position))).one() or 0
    key = RSAKey.generate_key(BITS, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    made = SigningKey(
        position=position + 1,
        kid=key.kid,
        public_jwk=key.as_dict(private=False),
        private_jwk=_cipher().encrypt(json.dumps(key.as_dict(private=True)).encode()),
        created_at=now(),
        signs_from=signs_from,
    )
    db.session.add(made)
    return made


def _signed_until() -> ScalarSelect[int]:
    """When a key's first successor began to sign, or will; one that was retired before it
    did succeeds nobody."""
    later = aliased(SigningKey)
    succeeds = or_(later.retired_at.is_(None), later.retired_at >= later.signs_from)
    return (
        select(func.min(later.signs_from))
        .where(later.position > SigningKey.position, succeeds)
        .scalar_subquery()
    )


def _load(kid: str) -> RSAKey:
    row = db.session.scalars(select(SigningKey).where(SigningKey.kid == kid)).one()
    try:
        return RSAKey.import_key(json.loads(_cipher().decrypt(row.private_jwk)))
    except InvalidToken:
        raise RuntimeError(
            "secret_key: the signing keys in the database were encrypted with another one"
        ) from None


def _cipher() -> Fernet:
    """A key of its own, so that what signs cookies opens nothing else."""
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"deputize_idp signing keys")
    secret: str = current_app.config["SECRET_KEY"]
    return Fernet(base64.urlsafe_b64encode(derive.derive(secret.encode())))
