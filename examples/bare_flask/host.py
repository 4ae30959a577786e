"""This app as Deputize sees it: its people, and its sign-in page. It has no OAuth endpoint."""

from flask import session

from deputize.host import Authentication, SessionHost

from .people import People, User


class BareFlaskHost(SessionHost):
    """What `deputize.host.Host` asks for; no path is named, so Deputize serves every endpoint."""

    session_key = "user_id"
    sign_in_endpoint = "pages.sign_in"

    def __init__(self, people: People) -> None:
        self._people = people

    def load_user(self, key: str) -> User | None:
        """The user of that id, active or not."""
        return self._people.find(key)

    def find_user(self, username: str) -> User | None:
        """The user who types this name."""
        return self._people.find_by_username(username)

    def groups_of(self, user: User) -> frozenset[str]:
        """The names of the user's groups."""
        return user.groups

    def authentication(self) -> Authentication | None:
        """When the password was typed."""
        at = session.get("signed_in_at")
        return None if at is None else Authentication(auth_time=at, amr=("pwd",))
