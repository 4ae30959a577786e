"""The people of this app, in a dictionary: where yours has a table, a directory or a file.

What matters to Deputize is the `id`. It was made at random when the person came, it stays
when their user name changes, and nobody else will ever have it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from werkzeug.security import check_password_hash

#: Everybody's password here is "correct horse battery".
_PASSWORD = (
    "scrypt:32768:8:1$AlfVKADgvf5CqnhF$61a14f8edae8ea77a352062cbb2a1d76163cf196c3b67804acc90291"
    "f9c0248dfef8084daaa1b303c3d3dd3127e18f5ae98fbf84909736d4aa9a466e3254a760"
)


@dataclass
class User:
    """One person."""

    id: str
    username: str
    name: str
    groups: frozenset[str] = frozenset()
    password_hash: str = _PASSWORD
    is_active: bool = True


DEMONSTRATION = (
    User("u-7d41c0", "ana", "Ana Ruiz", frozenset({"finance"})),
    User("u-19be52", "ben", "Ben Okafor"),
    User("u-e3f8aa", "eve", "Eve Lund"),
)


class People:
    """Those who can sign in to one app."""

    def __init__(self, users: Iterable[User]) -> None:
        self._by_id = {user.id: replace(user) for user in users}

    def find(self, user_id: str) -> User | None:
        """The user of that id, active or not."""
        return self._by_id.get(user_id)

    def find_by_username(self, username: str) -> User | None:
        """The user who types this name."""
        return next((user for user in self._by_id.values() if user.username == username), None)

    def authenticate(self, username: str, password: str) -> User | None:
        """The active user of that name and password; an unknown name takes as long."""
        user = self.find_by_username(username)
        right = check_password_hash(user.password_hash if user else _PASSWORD, password)
        return user if user and right and user.is_active else None
