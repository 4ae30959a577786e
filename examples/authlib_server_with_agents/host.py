"""The server of Authlib's guide as Deputize sees it: its users, its sign-in page, its paths."""

from examples.authlib_server.models import User, db
from examples.authlib_server.routes import current_user
from flask import url_for

from deputize.host import Authentication, Paths, Person


class AuthlibServerHost:
    """What `deputize.host.Host` asks for.

    What the server has is named in `paths`; what it lacks (metadata, keys, registration)
    Deputize serves.
    """

    paths = Paths(
        authorize="/oauth/authorize",
        token="/oauth/token",
        introspection="/oauth/introspect",
        revocation="/oauth/revoke",
    )

    def current_person(self) -> Person | None:
        """Who is signed in on this request."""
        return _person(current_user())

    def sign_in_url(self, next_url: str) -> str:
        """The guide signs people in on its home page."""
        return url_for("home.home", next=next_url)

    def authentication(self) -> Authentication | None:
        """The guide's session does not keep when and how."""
        return None

    def find_person(self, key: str) -> Person | None:
        """The user with this id. This server deletes no user, so no id is used again."""
        return _person(db.session.get(User, int(key))) if _is_id(key) else None

    def find_person_by_name(self, username: str) -> Person | None:
        """The user who types this name."""
        return _person(User.query.filter_by(username=username).first())

    def is_active(self, key: str) -> bool:
        """The guide has no way to lock a user out: whoever exists is active."""
        return self.find_person(key) is not None


def _is_id(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) < 10


def _person(user: User | None) -> Person | None:
    return Person(str(user.id), user.username) if user else None
