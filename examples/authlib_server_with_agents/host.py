"""The server of Authlib's guide as Deputize sees it: its users, its sign-in page, its paths."""

from examples.authlib_server.models import User, db

from deputize.host import Paths, SessionHost


class AuthlibServerHost(SessionHost):
    """What `deputize.host.Host` asks for.

    What the server has is named in `paths`; what it lacks (metadata, keys, registration)
    Deputize serves. The guide keeps a user's id in the session, signs people in on its home
    page, and has no way to lock anyone out: whoever exists is active.
    """

    paths = Paths(
        authorize="/oauth/authorize",
        token="/oauth/token",
        introspection="/oauth/introspect",
        revocation="/oauth/revoke",
    )
    session_key = "id"
    sign_in_endpoint = "home.home"

    def load_user(self, key: str) -> User | None:
        """The user with this id. This server deletes no user, so no id is used again."""
        is_id = key.isascii() and key.isdigit() and len(key) < 10
        return db.session.get(User, int(key)) if is_id else None

    def find_user(self, username: str) -> User | None:
        """The user who types this name."""
        return User.query.filter_by(username=username).first()
