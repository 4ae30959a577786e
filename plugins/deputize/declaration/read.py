"""Reads a declaration: TOML in, typed entries out, all mistakes told at once.

What a file can be wrong in by itself is found here; what only the database and the
host can know, in `resolve`. People and ordinary clients are the host's: their tables
are handed back as they are.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..part import ConfigurationError
from ..typed_toml import mistakes, raise_mistakes, read_toml, unknown_key
from .form import AgentTable, DetailsTypeTable, ScopeTable, ServerTable

M = TypeVar("M", bound=BaseModel)

SERVERS, SCOPES, AGENTS = "resource_servers", "scopes", "agents"
PEOPLE, CLIENTS = "people", "clients"
DETAILS_TYPES = "authorization_details_types"

#: The key that names an entry of each table.
_NAMED_BY = {
    PEOPLE: "username",
    SERVERS: "identifier",
    SCOPES: "name",
    AGENTS: "client_id",
    DETAILS_TYPES: "type",
    CLIENTS: "client_id",
}

Entries = tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Declaration:
    """What one file declares.

    :param people: the host's, as written
    :param clients: the host's, as written
    :param kinds: the tables that the file has at all
    """

    file: Path
    servers: tuple[ServerTable, ...] = ()
    scopes: tuple[ScopeTable, ...] = ()
    agents: tuple[AgentTable, ...] = ()
    details_types: tuple[DetailsTypeTable, ...] = ()
    people: Entries = ()
    clients: Entries = ()
    kinds: frozenset[str] = field(default=frozenset())

    def line(self, kind: str, name: str, text: str) -> str:
        """Return one mistake in the entry of that name."""
        return f'{self.file}: [[{kind}]] "{name}": {text}'


def read_declaration(file: Path) -> Declaration:
    """Return what `file` declares.

    :raises ConfigurationError: one line for each mistake, with file, entry and key
    """
    tables = read_toml(file)
    lines = [f"{file}: {n}: {unknown_key(n, [*_NAMED_BY])}" for n in tables if n not in _NAMED_BY]
    entries = {kind: _entries(file, kind, tables.get(kind, []), lines) for kind in _NAMED_BY}
    declaration = Declaration(
        file=file,
        servers=read_entries(file, SERVERS, entries[SERVERS], ServerTable, lines),
        scopes=read_entries(file, SCOPES, entries[SCOPES], ScopeTable, lines),
        details_types=read_entries(
            file, DETAILS_TYPES, entries[DETAILS_TYPES], DetailsTypeTable, lines
        ),
        agents=read_entries(file, AGENTS, entries[AGENTS], AgentTable, lines),
        people=entries[PEOPLE],
        clients=entries[CLIENTS],
        kinds=frozenset(tables),
    )
    raise_mistakes([*lines, *_doubles(file, entries), *_two_kinds(declaration)])
    return declaration


def read_entries(
    file: Path, kind: str, entries: Entries, model: type[M], lines: list[str]
) -> tuple[M, ...]:
    """Return the entries of one kind; add a line to `lines` for each mistake."""
    read = []
    for number, entry in enumerate(entries, 1):
        try:
            read.append(model.model_validate(_with_files(entry, file.parent)))
        except ValidationError as error:
            place = f"{file}: [[{kind}]] {_name(kind, entry, number)}"
            for location, text in mistakes(error, model):
                key = ".".join(map(str, location))
                lines.append(f"{place}: {key}: {text}" if key else f"{place}: {text}")
        except ConfigurationError as error:
            lines.append(f"{file}: [[{kind}]] {_name(kind, entry, number)}: {error}")
    return tuple(read)


def _entries(file: Path, kind: str, value: Any, lines: list[str]) -> Entries:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        lines.append(f"{file}: {kind}: expected tables: write [[{kind}]]")
        return ()
    return tuple(value)


def _name(kind: str, entry: Mapping[str, Any], number: int) -> str:
    name = entry.get(_NAMED_BY[kind])
    return f'"{name}"' if isinstance(name, str) and name.isprintable() else f"number {number}"


def _with_files(entry: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the entry with what lies in files beside the declaration in its place."""
    whole = dict(entry)
    for key, (becomes, parse) in _FILES.items():
        name = whole.get(key)
        if not isinstance(name, str):
            continue
        if becomes != key and becomes in whole:
            raise ConfigurationError(f"{key} and {becomes} exclude each other")
        whole[becomes] = _parsed(folder / whole.pop(key), key, parse)
    return whole


_FILES: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "client_secret_file": ("client_secret", str.strip),
    "password_file": ("password", str.strip),
    "jwks_file": ("jwks", json.loads),
    "schema": ("schema", json.loads),
}


def _parsed(file: Path, key: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{key}: {file}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise ConfigurationError(f"{key}: {file}: cannot be read as what it should hold") from None


def _doubles(file: Path, entries: Mapping[str, Entries]) -> Iterator[str]:
    """Yield the entries that one file has twice."""
    for kind, of_kind in entries.items():
        names = Counter(str(e[_NAMED_BY[kind]]) for e in of_kind if _NAMED_BY[kind] in e)
        for name in (n for n, times in names.items() if times > 1):
            yield f'{file}: [[{kind}]] "{name}": {_NAMED_BY[kind]}: is declared twice'


def _two_kinds(declaration: Declaration) -> Iterator[str]:
    """Yield what one namespace forbids: comparisons are typed (RFC 9068 §5)."""
    owners: dict[str, str] = {server.identifier: SERVERS for server in declaration.servers}
    named = [
        *((SERVERS, server.client_id) for server in declaration.servers),
        *((AGENTS, agent.client_id) for agent in declaration.agents),
        *((CLIENTS, str(client.get("client_id"))) for client in declaration.clients),
    ]
    for kind, client_id in named:
        other = owners.setdefault(client_id, kind)
        if other != kind or (kind == SERVERS and _is_shared(declaration, client_id)):
            text = f"client_id: {client_id} is already declared under [[{other}]]"
            yield declaration.line(kind, client_id, text)


def _is_shared(declaration: Declaration, client_id: str) -> bool:
    return sum(server.client_id == client_id for server in declaration.servers) > 1
