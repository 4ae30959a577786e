"""People and ordinary clients as a declaration's `[[people]]` and `[[clients]]` say them.

They are declared in one transaction, before the plugin's entries, so that the owners of
agents are found, and nothing of them is kept when anything in the file is wrong.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import select

from deputize.declaration.apply import Action, Change, Difference
from deputize.declaration.form import Table
from deputize.declaration.members import Digest, FileName
from deputize.declaration.read import CLIENTS, PEOPLE, Declaration, read_entries
from deputize.part import ConfigurationError
from deputize.typed_toml import raise_mistakes

from .clients import Client, declare_client
from .database import Base, db
from .declared import DeclarationError, Declared
from .people import Person, declare_person, find_by_username

SECRET = ("password_hash", "secret_hash")
ROLES = ("admin", "security")


class PersonTable(Table):
    """`[[people]]`."""

    username: str
    name: str | None = None
    email: str | None = None
    password: Annotated[str | None, Field(repr=False)] = None
    password_file: FileName | None = None
    groups: list[str] = Field(default=[])
    roles: list[str] = Field(default=[])
    active: bool = True


class ClientTable(Table):
    """`[[clients]]`."""

    client_id: str
    name: str | None = None
    client_secret: Annotated[str | None, Field(repr=False)] = None
    client_secret_file: FileName | None = None
    client_secret_sha256: Digest | None = None
    token_endpoint_auth_method: str | None = None
    redirect_uris: list[str] = Field(default=[])
    post_logout_redirect_uris: list[str] = Field(default=[])
    scopes: list[str] = Field(default=[])
    grant_types: list[str] | None = None
    may_introspect: bool = False
    active: bool = True


@contextmanager
def one_transaction(*, keep: bool) -> Iterator[None]:
    """Commit all that is declared inside at once; without `keep`, or on an error, nothing.

    Declaring one thing commits by itself: here that only reaches the database's
    transaction, so that a dry run computes with the very code that would write.
    """
    session = db.session()
    session.commit = session.flush  # type: ignore[method-assign]
    try:
        yield
    except BaseException:
        session.rollback()
        raise
    finally:
        del session.commit
    if keep:
        session.commit()
    else:
        session.rollback()


def declare_people_and_clients(declaration: Declaration, *, prune: bool) -> list[Change]:
    """Declare both; what became of each.

    A prune makes inactive whom the file no longer names; a file without `[[people]]` says
    nothing about people, and likewise for clients.

    :raises ConfigurationError: with file, entry and key.
    """
    lines: list[str] = []
    file = declaration.file
    people = read_entries(file, PEOPLE, declaration.people, PersonTable, lines)
    clients = read_entries(file, CLIENTS, declaration.clients, ClientTable, lines)
    raise_mistakes(lines)
    changes = [_person(declaration, table) for table in people]
    raise_mistakes([*_twice(declaration, changes)])
    changes += [_client(declaration, table) for table in clients]
    if prune and PEOPLE in declaration.kinds:
        changes += _prune_people({change.name for change in changes if change.kind == "person"})
    if prune and CLIENTS in declaration.kinds:
        changes += _prune_clients({table.client_id for table in clients})
    return changes


def _person(declaration: Declaration, table: PersonTable) -> Change:
    for role in table.roles:
        if role not in ROLES:
            text = f"roles: expected some of {', '.join(ROLES)}"
            raise ConfigurationError(declaration.line(PEOPLE, table.username, text))
    try:
        found = find_by_username(table.username)
        before = _values(found) if found else {}
        declared = declare_person(**table.model_dump(exclude={"password_file"}))
    except DeclarationError as error:
        raise ConfigurationError(declaration.line(PEOPLE, table.username, str(error))) from None
    person = find_by_username(table.username)
    return _change("person", person.username if person else "", declared, before, person)


def _twice(declaration: Declaration, changes: list[Change]) -> Iterator[str]:
    """Case and width do not make another person: `Ana` and `ana` are one."""
    for name, times in Counter(change.name for change in changes).items():
        if times > 1:
            yield declaration.line(PEOPLE, name, "username: is declared twice")


def _client(declaration: Declaration, table: ClientTable) -> Change:
    found = db.session.get(Client, table.client_id)
    before = _values(found) if found else {}
    values = table.model_dump(exclude={"client_secret_file", "client_secret_sha256"})
    try:
        declared = declare_client(**values)
    except DeclarationError as error:
        raise ConfigurationError(declaration.line(CLIENTS, table.client_id, str(error))) from None
    client = db.session.get(Client, table.client_id)
    changed = declared.changed
    if client and table.client_secret_sha256 and client.secret_hash != table.client_secret_sha256:
        client.secret_hash = table.client_secret_sha256
        changed = (*changed, "secret_hash")
    elif client and client.is_public and client.token_endpoint_auth_method != "none":  # noqa: S105
        text = 'needs client_secret, or token_endpoint_auth_method = "none"'
        raise ConfigurationError(declaration.line(CLIENTS, table.client_id, text))
    whole = Declared(declared.created, changed)
    return _change("client", table.client_id, whole, before, client)


def _prune_people(declared: set[str]) -> list[Change]:
    gone = [p for p in all_people() if p.active and p.username not in declared]
    for person in gone:
        declare_person(
            person.username,
            name=person.name,
            email=person.email,
            groups=person.groups,
            roles=person.roles,
            active=False,
        )
    return [Change("person", person.username, Action.RETIRED) for person in gone]


def _prune_clients(declared: set[str]) -> list[Change]:
    gone = [c for c in _all_clients() if c.active and c.client_id not in declared]
    for client in gone:
        declare_client(
            client.client_id,
            name=client.name,
            token_endpoint_auth_method=client.token_endpoint_auth_method,
            redirect_uris=client.redirect_uris,
            post_logout_redirect_uris=client.post_logout_redirect_uris,
            scopes=client.scopes,
            grant_types=client.grant_types,
            may_introspect=client.may_introspect,
            active=False,
        )
    return [Change("client", client.client_id, Action.RETIRED) for client in gone]


def exported_people() -> list[dict[str, Any]]:
    """The people as entries; passwords never."""
    return [
        {
            "username": person.username,
            "name": person.name,
            "email": person.email,
            "groups": person.groups,
            "roles": person.roles,
            "active": None if person.active else False,
        }
        for person in all_people()
    ]


def exported_clients() -> list[dict[str, Any]]:
    """The clients as entries; of a secret its SHA-256."""
    return [
        {
            "client_id": client.client_id,
            "name": client.name,
            "client_secret_sha256": client.secret_hash,
            "token_endpoint_auth_method": client.token_endpoint_auth_method,
            "redirect_uris": client.redirect_uris,
            "post_logout_redirect_uris": client.post_logout_redirect_uris or None,
            "scopes": client.scopes,
            "grant_types": client.grant_types,
            "may_introspect": client.may_introspect or None,
            "active": None if client.active else False,
        }
        for client in _all_clients()
    ]


def all_people() -> list[Person]:
    """Everyone, active or not, by user name."""
    return list(db.session.scalars(select(Person).order_by(Person.username)))


def _all_clients() -> list[Client]:
    return list(db.session.scalars(select(Client).order_by(Client.client_id)))


def _values(row: Base) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}


def _change(
    kind: str, name: str, declared: Declared, before: dict[str, Any], after: Base | None
) -> Change:
    if declared.created or after is None:
        return Change(kind, name, Action.ADDED)
    now = _values(after)
    differences = tuple(
        Difference(key, "…", "another")
        if key in SECRET
        else Difference(key, str(before[key]), str(now[key]))
        for key in declared.changed
    )
    return Change(kind, name, Action.CHANGED if differences else Action.UNCHANGED, differences)
