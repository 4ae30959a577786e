"""Guessing passwords: how often it may be tried for one user name from one address.

An attempt is counted before the password is looked at, by one statement in the database,
so that a burst over all workers gets no more tries than a patient attacker.
"""

from ipaddress import ip_address, ip_network

from sqlalchemy import case, delete
from sqlalchemy.orm import Mapped, mapped_column

from .clock import now
from .database import Base, db, rowcount, upsert
from .people import normalize_username
from .secrets_at_rest import hashed
from .settings import current_settings


class SignInAttempts(Base):
    """A count for one user name and address, by hash: names of strangers are not kept."""

    __tablename__ = "sign_in_attempts"

    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    ends_at: Mapped[int] = mapped_column(index=True)


def count_attempt(username: str, address: str) -> int:
    """Count one attempt; how many seconds to wait, 0 if it may go on. Commits."""
    settings, time = current_settings(), now()
    fresh = {"count": 1, "ends_at": time + settings.sign_in_window}
    is_over = SignInAttempts.ends_at <= time
    row = upsert(SignInAttempts).values(key=_key(username, address), **fresh)
    counted = row.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "count": case((is_over, 1), else_=SignInAttempts.count + 1),
            "ends_at": case((is_over, fresh["ends_at"]), else_=SignInAttempts.ends_at),
        },
    ).returning(SignInAttempts.count, SignInAttempts.ends_at)
    count, ends_at = db.session.execute(counted).one()
    db.session.commit()
    return ends_at - time if count > settings.sign_in_attempts else 0


def forget_attempts(username: str, address: str) -> None:
    """Start again after a right password. Commits."""
    rowcount(delete(SignInAttempts).where(SignInAttempts.key == _key(username, address)))
    db.session.commit()


def _key(username: str, address: str) -> str:
    return hashed(f"{_network(address)} {normalize_username(username)}")


def _network(address: str) -> str:
    """Whoever has one IPv6 address has the 2**64 of its network."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64 if parsed.version == 6 else 32), strict=False))
