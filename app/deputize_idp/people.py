"""People: who can sign in. A person's `id` is random and never used again, for it is the
`sub` that other systems keep; user name, name and e-mail may change.
"""

import secrets
import unicodedata
from collections.abc import Iterable

from sqlalchemy import JSON, select
from sqlalchemy.orm import Mapped, mapped_column

from . import passwords
from .clock import now
from .codes import end_families
from .database import Base, db
from .declared import DeclarationError, Declared, declare
from .sessions import end_sessions

MAX_USERNAME = 100


class Person(Base):
    """One person. Without a password hash, or inactive, nobody signs in as them."""

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(primary_key=True, default=lambda: f"p-{secrets.token_hex(6)}")
    username: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    email: Mapped[str | None]
    password_hash: Mapped[str | None]
    groups: Mapped[list[str]] = mapped_column(JSON, default=list)
    roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[int] = mapped_column(default=now)

    def get_user_id(self) -> str:
        """The subject identifier (OpenID Connect Core, section 2: `sub`)."""
        return self.id


def declare_person(
    username: str,
    *,
    name: str | None = None,
    email: str | None = None,
    password: str | None = None,
    groups: Iterable[str] = (),
    roles: Iterable[str] = (),
    active: bool = True,
) -> Declared:
    """Make a person, or bring them to what is written here; commits.

    `password` is a password or an argon2 hash; without it the one they have stays. Someone
    who becomes inactive, or whose password changes, is signed out everywhere and their
    applications lose what they were given.

    :raises DeclarationError: for a user name or a password that can't be.
    """
    username = validate_username(username)
    person = find_by_username(username)
    declared = declare(
        Person,
        person,
        username=username,
        name=name or username,
        email=email,
        password_hash=_password_hash(person, password),
        groups=sorted(set(groups)),
        roles=sorted(set(roles)),
        active=active,
    )
    if person and not {"active", "password_hash"}.isdisjoint(declared.changed):
        end_sessions(person.id)
        end_families(person_id=person.id)
    db.session.commit()
    return declared


def authenticate_person(username: str, password: str) -> Person | None:
    """The active person with this user name and password, or None, in the same time."""
    person = find_by_username(username)
    stored = person.password_hash if person else None
    if not passwords.verify_password(stored, password) or not (person and person.active):
        return None
    if stored and passwords.needs_rehash(stored):
        person.password_hash = passwords.hash_password(password)
        db.session.commit()
    return person


def find_by_username(username: str) -> Person | None:
    """The person who signs in with this name."""
    query = select(Person).where(Person.username == normalize_username(username))
    return db.session.scalars(query).one_or_none()


def find_person(person_id: str | None) -> Person | None:
    """The active person with this id."""
    person = db.session.get(Person, person_id) if person_id else None
    return person if person and person.active else None


def normalize_username(username: str) -> str:
    """One spelling of a user name: case and width do not make another person."""
    return unicodedata.normalize("NFKC", username.strip()).casefold()


def validate_username(username: str) -> str:
    """The normalized user name.

    :raises DeclarationError: if it is empty, too long, or has spaces or control characters.
    """
    name = normalize_username(username)
    if not 0 < len(name) <= MAX_USERNAME or not name.isprintable() or " " in name:
        raise DeclarationError(
            f"username {username!r}: 1 to {MAX_USERNAME} characters without spaces"
        )
    return name


def _password_hash(person: Person | None, password: str | None) -> str | None:
    stored = person.password_hash if person else None
    if password is None or password == stored:
        return stored
    if password.startswith("$argon2"):
        return _validated_hash(password)
    if not 0 < len(password) <= passwords.MAX_LENGTH:
        raise DeclarationError(f"password: 1 to {passwords.MAX_LENGTH} characters")
    matches = stored is not None and passwords.verify_password(stored, password)
    return stored if matches else passwords.hash_password(password)


def _validated_hash(password: str) -> str:
    if not passwords.is_hash(password):
        raise DeclarationError("password: starts like an argon2 hash, but is none")
    return password
