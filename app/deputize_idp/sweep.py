"""Deleting what is over, so that the database does not grow with every sign-in.

Nothing depends on it: what has expired is refused whether its row is there or not. A spent
code stays as long as anything that came of it can live, so that its replay is recognised.
"""

from sqlalchemy import ColumnElement, delete, exists, not_, or_

from .clock import now
from .codes import AuthorizationCode, Family, RefreshToken
from .database import Base, db, rowcount
from .sessions import BrowserSession
from .settings import current_settings
from .throttle import SignInAttempts
from .tokens import AccessToken

CHILDREN = (AccessToken, RefreshToken, AuthorizationCode)


def sweep() -> int:
    """Delete what has expired; how many rows that were. Commits."""
    time = now()
    codes = AuthorizationCode.expires_at <= time - current_settings().refresh_token_lifetime
    over: dict[type[Base], ColumnElement[bool]] = {
        AccessToken: AccessToken.expires_at <= time,
        RefreshToken: RefreshToken.expires_at <= time,
        AuthorizationCode: codes,
        BrowserSession: BrowserSession.expires_at <= time,
        SignInAttempts: SignInAttempts.ends_at <= time,
    }
    deleted = sum(rowcount(delete(table).where(is_over)) for table, is_over in over.items())
    in_use = [exists().where(child.family_id == Family.id) for child in CHILDREN]
    deleted += rowcount(delete(Family).where(not_(or_(*in_use))))
    db.session.commit()
    return deleted
