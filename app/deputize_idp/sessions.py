"""Browser sessions: a person signed in here, until they sign out, are signed out, or the
time is over. The cookie holds a random value and the database its hash, so that signing
out is final for every copy of the cookie.
"""

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from sqlalchemy import ForeignKey, update
from sqlalchemy.orm import Mapped, mapped_column

from .clock import now
from .database import Base, db, rowcount
from .secrets_at_rest import hashed, random_token
from .settings import current_settings


class CookieSessions(SecureCookieSessionInterface):
    """Flask's own, but programs, which have no cookie, do not wait for a signer to be made."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)


class BrowserSession(Base):
    """One sign-in: who, when, and how they proved it."""

    __tablename__ = "browser_session"

    id_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    auth_time: Mapped[int]
    acr: Mapped[str]
    amr: Mapped[str]
    expires_at: Mapped[int] = mapped_column(index=True)
    ended_at: Mapped[int | None]

    def get_amr(self) -> list[str]:
        """The authentication methods (:rfc:`8176`)."""
        return self.amr.split()


def start_session(person_id: str, *, acr: str, amr: str) -> str:
    """Sign a person in; the value for the cookie. Commits."""
    session_id, auth_time = random_token(), now()
    db.session.add(
        BrowserSession(
            id_hash=hashed(session_id),
            person_id=person_id,
            auth_time=auth_time,
            acr=acr,
            amr=amr,
            expires_at=auth_time + current_settings().session_lifetime,
        )
    )
    db.session.commit()
    return session_id


def find_session(session_id: str | None) -> BrowserSession | None:
    """The session of a cookie, if it has not ended."""
    session = db.session.get(BrowserSession, hashed(session_id)) if session_id else None
    if session is None or session.ended_at is not None or session.expires_at <= now():
        return None
    return session


def end_session(session: BrowserSession) -> None:
    """Sign out of one browser. Commits."""
    session.ended_at = now()
    db.session.commit()


def end_sessions(person_id: str) -> None:
    """Sign a person out everywhere; the caller commits."""
    rowcount(
        update(BrowserSession)
        .where(BrowserSession.person_id == person_id, BrowserSession.ended_at.is_(None))
        .values(ended_at=now())
    )
