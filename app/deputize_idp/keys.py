"""Signing keys: RS256, in the database so that all workers share them, encrypted with a
key derived from `secret_key`. A key that was read stays in memory: its `kid` never means
another key.
"""

import base64
import json
from typing import Any, cast

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app
from joserfc.jwk import RSAKey
from sqlalchemy import JSON, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from .clock import now
from .database import Base, db
from .settings import current_settings

ALGORITHM = "RS256"
BITS = 2048


class SigningKey(Base):
    """One key pair. The newest signs; a predecessor is published while its tokens live."""

    __tablename__ = "signing_key"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kid: Mapped[str] = mapped_column(unique=True)
    public_jwk: Mapped[dict[str, Any]] = mapped_column(JSON)
    private_jwk: Mapped[bytes]
    created_at: Mapped[int]
    retired_at: Mapped[int | None]


def signing_key() -> RSAKey:
    """The key that signs now."""
    kid = db.session.scalars(
        select(SigningKey.kid).order_by(SigningKey.position.desc()).limit(1)
    ).one()
    cache: dict[str, RSAKey] = current_app.extensions["deputize_idp.keys"]
    if kid not in cache:
        cache[kid] = _load(kid)
    return cache[kid]


def jwks() -> dict[str, list[dict[str, Any]]]:
    """The public keys, as a JWK Set (:rfc:`7517#section-5`)."""
    oldest = now() - current_settings().id_token_lifetime
    published = select(SigningKey.public_jwk).where(
        or_(SigningKey.retired_at.is_(None), SigningKey.retired_at > oldest)
    )
    return {"keys": list(db.session.scalars(published.order_by(SigningKey.position)))}


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


def rotate_signing_key() -> str:
    """Sign with a new key from now on; its `kid`. Commits.

    Two rotations at once want the same position, so one of them fails.
    """
    newest = select(SigningKey.position).order_by(SigningKey.position.desc()).limit(1)
    position = (db.session.scalars(newest).first() or 0) + 1
    key = RSAKey.generate_key(BITS, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    db.session.execute(
        update(SigningKey).where(SigningKey.retired_at.is_(None)).values(retired_at=now())
    )
    db.session.add(
        SigningKey(
            position=position,
            kid=key.kid,
            public_jwk=key.as_dict(private=False),
            private_jwk=_cipher().encrypt(json.dumps(key.as_dict(private=True)).encode()),
            created_at=now(),
        )
    )
    db.session.commit()
    return cast(str, key.kid)


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
