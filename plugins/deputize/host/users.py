"""Hosts whose users are objects: what is left to say is how to load one, and by what name.

A subclass names its paths, and defines `load_user` and `find_user`.
"""

from typing import Any, ClassVar

from flask import session, url_for

from .protocol import Authentication, Paths, Person, PersonToken


class UserHost:
    """A `Host` over user objects that have an `id` or another key that is never used again.

    :cvar paths: where the host answers
    """

    paths: Paths = Paths()

    def load_user(self, key: str) -> Any:
        """Return the user of that key, active or not; None where there is none."""
        raise NotImplementedError

    def find_user(self, username: str) -> Any:
        """Return the user who signs in as `username`; None where there is none."""
        raise NotImplementedError

    def current_user(self) -> Any:
        """Return the user who is signed in on this request, or None."""
        raise NotImplementedError

    def key_of(self, user: Any) -> str:
        """Return what never changes and is never used again: no user name, no e-mail."""
        return str(user.id)

    def name_of(self, user: Any) -> str:
        """Return what other people call the user."""
        return str(getattr(user, "name", None) or getattr(user, "username", self.key_of(user)))

    def groups_of(self, user: Any) -> frozenset[str]:
        """Return the names of the user's groups."""
        return frozenset()

    def roles_of(self, user: Any) -> frozenset[str]:
        """Return which of `security` and `admin` the user is, beside the owners of agents."""
        return frozenset()

    def is_user_active(self, user: Any) -> bool:
        """Tell whether the user may act now."""
        return bool(getattr(user, "is_active", True))

    def authentication(self) -> Authentication | None:
        """Return how the current person signed in; None where the host does not keep it."""
        return None

    def current_person(self) -> Person | None:
        """Return who is signed in on this request; somebody locked out is nobody."""
        user = self.current_user()
        return self._person(user) if user is not None and self.is_user_active(user) else None

    def find_person(self, key: str) -> Person | None:
        """Return the person of that key, active or not."""
        return self._person(self.load_user(key))

    def find_person_by_name(self, username: str) -> Person | None:
        """Return the person who signs in as `username`."""
        return self._person(self.find_user(username))

    def person_from_token(self, token: str) -> PersonToken | None:
        """Return whose token of the host's own it is; this host does not tell."""
        return None

    def is_active(self, key: str) -> bool:
        """Tell whether the person may act now."""
        user = self.load_user(key)
        return user is not None and self.is_user_active(user)

    def _person(self, user: Any) -> Person | None:
        if user is None:
            return None
        return Person(
            self.key_of(user), self.name_of(user), self.groups_of(user), self.roles_of(user)
        )


class SessionHost(UserHost):
    """A host that keeps its user's key in Flask's session.

    :cvar session_key: under which key
    :cvar sign_in_endpoint: the sign-in page, for `url_for`
    :cvar next_parameter: where that page reads the way back from
    """

    session_key: ClassVar[str] = "user_id"
    sign_in_endpoint: ClassVar[str] = "sign_in"
    next_parameter: ClassVar[str] = "next"

    def current_user(self) -> Any:
        """Return the user whose key the session holds."""
        key = session.get(self.session_key)
        return None if key is None else self.load_user(str(key))

    def sign_in_url(self, next_url: str) -> str:
        """Return the sign-in page's address."""
        way_back: dict[str, Any] = {self.next_parameter: next_url}
        return url_for(self.sign_in_endpoint, **way_back)
