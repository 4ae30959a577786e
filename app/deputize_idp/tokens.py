"""Access tokens: random values, of which the database keeps the hash. Whether one is good
is asked each time: its client, its person and its family may have ended meanwhile.
"""

from typing import Any

from authlib.oauth2.rfc6749 import TokenMixin
from sqlalchemy import ForeignKey, update
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .clock import now
from .codes import Family
from .database import Base, db, rowcount
from .secrets_at_rest import hashed


class AccessToken(TokenMixin, Base):
    """A token that was handed out: a person's, or a client's own."""

    __tablename__ = "token"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    family_id: Mapped[str] = mapped_column(ForeignKey("family.id"), index=True)
    scope: Mapped[str]
    issued_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)
    revoked_at: Mapped[int | None]
    family: Mapped[Family] = relationship(lazy="joined", innerjoin=True)

    def check_client(self, client: Any) -> bool:
        """Whether it was issued to this client."""
        return bool(self.family.client_id == client.get_client_id())

    def get_scope(self) -> str:
        """What it is good for."""
        return self.scope

    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires_at <= now()

    def is_revoked(self) -> bool:
        """Whether it, or anything that it hangs on, has ended."""
        return self.revoked_at is not None or not self.family.is_alive


def add_access_token(value: str, *, family: Family, scope: str, expires_in: int) -> None:
    """Add a new token to the session; the caller commits."""
    issued_at = now()
    db.session.add(
        AccessToken(
            token_hash=hashed(value),
            family=family,
            scope=scope,
            issued_at=issued_at,
            expires_at=issued_at + expires_in,
        )
    )


def find_access_token(value: str) -> AccessToken | None:
    """The token with this value, good or not."""
    return db.session.get(AccessToken, hashed(value))


def revoke_access_token(token: AccessToken) -> None:
    """End one token; the caller commits."""
    valid = (AccessToken.token_hash == token.token_hash, AccessToken.revoked_at.is_(None))
    rowcount(update(AccessToken).where(*valid).values(revoked_at=now()))
