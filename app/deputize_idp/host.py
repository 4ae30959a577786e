"""This identity provider as the plugin sees it: people, their sessions, and its paths.

Inside a request the request's own database session is used; from the command line each
question opens the app for itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from flask import Flask, has_app_context
from sqlalchemy import Engine, bindparam, select

from deputize.host import Authentication, Paths, PersonToken
from deputize.host import Person as HostPerson

from . import sign_in
from .database import db
from .people import Person, find_by_username, normalize_username
from .tokens import find_access_token

PATHS = Paths(
    authorize="/oauth/authorize",
    token="/oauth/token",  # noqa: S106 - a path
    introspection="/oauth/introspect",
    revocation="/oauth/revoke",
    jwks="/oauth/jwks",
    oauth_metadata="/.well-known/oauth-authorization-server",
    openid_metadata="/.well-known/openid-configuration",
)


#: Asked at each token: on a connection of its own, without the session's bookkeeping.
_ACTIVE = select(Person.active).where(Person.id == bindparam("key"))


class IdpHost:
    """What `deputize.host.Host` asks for. Registration is left to the plugin: it serves it."""

    paths = PATHS

    def __init__(self, app: Flask) -> None:
        self._app = app

    def current_person(self) -> HostPerson | None:
        """Who is signed in on this request."""
        return _told(sign_in.current_person())

    def sign_in_url(self, next_url: str) -> str:
        """Where to sign in and come back to `next_url`."""
        return sign_in.sign_in_url(next_url)

    def authentication(self) -> Authentication | None:
        """When and how the current person signed in."""
        session = sign_in.current_session()
        if session is None:
            return None
        return Authentication(session.auth_time, session.acr, tuple(session.get_amr()))

    def find_person(self, key: str) -> HostPerson | None:
        """The person of that key, active or not."""
        with self._opened():
            return _told(db.session.get(Person, key))

    def find_person_by_name(self, username: str) -> HostPerson | None:
        """The person who signs in with this name."""
        with self._opened():
            return _told(find_by_username(username))

    def find_person_by_hint(self, hint: str) -> HostPerson | None:
        """The one person of this user name or e-mail address; None where it is two people's."""
        called = (Person.username == normalize_username(hint)) | (Person.email == hint)
        with self._opened():
            found = db.session.scalars(select(Person).where(called).limit(2)).all()
            return _told(found[0]) if len(found) == 1 else None

    def find_address(self, key: str, channel: str) -> str | None:
        """The e-mail address of the person: people are reached in no other way."""
        with self._opened():
            person = db.session.get(Person, key) if channel == "email" else None
            return person.email if person else None

    def person_from_token(self, token: str) -> PersonToken | None:
        """Whose access token of ours it is: a person's own, by one of their applications."""
        with self._opened():
            found = find_access_token(token)
            if found is None or found.is_expired() or found.is_revoked():
                return None
            given = found.family
            person = _told(given.person)
            how = Authentication(given.auth_time, given.acr, tuple((given.amr or "").split()))
            scope = frozenset(found.scope.split())
            return PersonToken(person, given.client_id, scope, how) if person else None

    def is_active(self, key: str) -> bool:
        """Whether the person may act now: read each time, never from the session's memory."""
        with self._engine.connect() as connection:
            return connection.scalar(_ACTIVE, {"key": key}) is True

    def username_of(self, key: str) -> str:
        """The name that a declaration calls the person by; the key where there is nobody."""
        with self._opened():
            person = db.session.get(Person, key)
            return person.username if person else key

    @cached_property
    def _engine(self) -> Engine:
        with self._opened():
            return db.engine

    @contextmanager
    def _opened(self) -> Iterator[None]:
        if has_app_context():
            yield
        else:
            with self._app.app_context():
                yield


def _told(person: Person | None) -> HostPerson | None:
    if person is None:
        return None
    groups, roles = frozenset(person.groups), frozenset(person.roles)
    return HostPerson(person.id, person.name, groups, roles)
