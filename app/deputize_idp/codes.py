"""Authorization codes and refresh tokens, and the family that ties them together.

A family is what one grant gave: the code, every refresh token and every access token that
came of it. Codes and refresh tokens are spent by one compare-and-set; whoever comes second
ends the family (:rfc:`6749#section-4.1.2`, :rfc:`9700#section-4.14.2`). Whether a token is
alive is read through its family, so that nothing born under an ending lives.
"""

# mypy: disable-error-code="override, no-untyped-call"
# (the stubs know the abstract classes of Authlib, not what its hooks may return)

from typing import TYPE_CHECKING, Any, Optional

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, TokenMixin
from sqlalchemy import ForeignKey, update
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .clock import now
from .database import Base, db, rowcount
from .secrets_at_rest import hashed, random_token
from .settings import current_settings

if TYPE_CHECKING:
    from .clients import Client
    from .people import Person


class Family(Base):
    """What a client was given: by a person, and how they were signed in, or for itself."""

    __tablename__ = "family"

    id: Mapped[str] = mapped_column(primary_key=True, default=random_token)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.client_id"), index=True)
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"), index=True)
    scope: Mapped[str]
    auth_time: Mapped[int | None]
    acr: Mapped[str | None]
    amr: Mapped[str | None]
    ended_at: Mapped[int | None]
    client: Mapped["Client"] = relationship(lazy="joined", innerjoin=True)
    person: Mapped[Optional["Person"]] = relationship(lazy="joined")

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended, and those whom it concerns are still active."""
        return bool(
            self.ended_at is None
            and self.client.active
            and (self.person_id is None or (self.person and self.person.active))
        )


class AuthorizationCode(AuthorizationCodeMixin, Base):
    """A code on its way through the browser; kept when spent, so that a replay is known."""

    __tablename__ = "authorization_code"

    code_hash: Mapped[str] = mapped_column(primary_key=True)
    family_id: Mapped[str] = mapped_column(ForeignKey("family.id"), index=True)
    redirect_uri: Mapped[str | None]
    nonce: Mapped[str | None]
    code_challenge: Mapped[str]
    expires_at: Mapped[int] = mapped_column(index=True)
    redeemed_at: Mapped[int | None]
    family: Mapped[Family] = relationship(lazy="joined", innerjoin=True)

    def get_redirect_uri(self) -> str | None:
        """The `redirect_uri` of the authorization request, None if it had none."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What the person consented to."""
        return self.family.scope


class RefreshToken(TokenMixin, Base):
    """One link of a family's chain of refresh tokens."""

    __tablename__ = "refresh_token"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    family_id: Mapped[str] = mapped_column(ForeignKey("family.id"), index=True)
    issued_at: Mapped[int]
    expires_at: Mapped[int] = mapped_column(index=True)
    used_at: Mapped[int | None]
    family: Mapped[Family] = relationship(lazy="joined", innerjoin=True)

    def check_client(self, client: Any) -> bool:
        """Whether it was issued to this client."""
        return bool(self.family.client_id == client.get_client_id())

    def get_scope(self) -> str:
        """What the person consented to."""
        return self.family.scope

    def is_expired(self) -> bool:
        """Whether it waited too long."""
        return self.expires_at <= now()

    def is_revoked(self) -> bool:
        """Whether it was used, or its family has ended."""
        return self.used_at is not None or not self.family.is_alive


def add_code(value: str, *, family: Family, **request: str | None) -> None:
    """Add a code and its family; `request` has `redirect_uri`, `nonce`, `code_challenge`."""
    db.session.add(
        AuthorizationCode(
            code_hash=hashed(value),
            family=family,
            expires_at=now() + current_settings().code_lifetime,
            **request,
        )
    )
    db.session.commit()


def find_code(value: str) -> AuthorizationCode | None:
    """The code, spent ones included: only the compare-and-set tells whether it is."""
    code = db.session.get(AuthorizationCode, hashed(value))
    if code is None or (code.redeemed_at is None and code.expires_at <= now()):
        return None
    return code


def redeem_code(code: AuthorizationCode) -> bool:
    """Spend a code, once ever: False if somebody was first. The caller commits."""
    unspent = (
        AuthorizationCode.code_hash == code.code_hash,
        AuthorizationCode.redeemed_at.is_(None),
    )
    return rowcount(update(AuthorizationCode).where(*unspent).values(redeemed_at=now())) == 1


def add_refresh_token(value: str, family: Family) -> None:
    """Add the next link of a family's chain to the session; the caller commits."""
    issued_at = now()
    db.session.add(
        RefreshToken(
            token_hash=hashed(value),
            family_id=family.id,
            issued_at=issued_at,
            expires_at=issued_at + current_settings().refresh_token_lifetime,
        )
    )


def find_refresh_token(value: str) -> RefreshToken | None:
    """The refresh token with this value, good or not."""
    return db.session.get(RefreshToken, hashed(value))


def use_refresh_token(token: RefreshToken) -> bool:
    """Spend a refresh token, once ever: False if somebody was first. The caller commits."""
    unused = (RefreshToken.token_hash == token.token_hash, RefreshToken.used_at.is_(None))
    return rowcount(update(RefreshToken).where(*unused).values(used_at=now())) == 1


def end_families(**whose: str) -> None:
    """End the families with this `id`, `person_id` or `client_id`; the caller commits.

    What has ended keeps the time of its first ending.
    """
    rowcount(
        update(Family).filter_by(**whose).where(Family.ended_at.is_(None)).values(ended_at=now())
    )
