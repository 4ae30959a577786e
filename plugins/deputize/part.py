"""A part: what a room contributes, so that all contributions are checked as one set.

The metadata's grants, `deputize plugins` and the documentation read the same list, so
what is advertised is what is on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import click
from flask import Blueprint
from sqlalchemy import Table


class ConfigurationError(Exception):
    """The plugin cannot start as it is configured; the message says what to change."""


@dataclass(frozen=True)
class Part:
    """The contributions of one room.

    :param grants: grant types of the token endpoint
    :param endpoints: names of the OAuth endpoints that it answers
    :param metadata: members of the server's metadata
    :param listeners: kinds of events, each with what makes from the context what hears of one: it
        is called with the event's transaction and the event, stores what it has to tell, such as
        a line of the outbox, and asks nobody
    :param deliveries: by kind of line in the outbox, what makes its delivery from the context
    """

    name: str
    tables: tuple[Table, ...] = ()
    grants: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    pages: tuple[Blueprint, ...] = ()
    commands: tuple[click.Command, ...] = ()
    listeners: tuple[tuple[str, Callable[[Any], Callable[[Any, Any], None]]], ...] = ()
    deliveries: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)


def check_parts(parts: Sequence[Part]) -> None:
    """Refuse two parts that contribute the same thing.

    :raises ConfigurationError: naming the thing and both parts
    """
    claimed: dict[tuple[str, str], str] = {}
    for part in parts:
        for kind, name in _claims(part):
            other = claimed.setdefault((kind, name), part.name)
            if other != part.name:
                raise ConfigurationError(f"{kind} {name!r} is claimed by {other} and {part.name}")


def _claims(part: Part) -> list[tuple[str, str]]:
    claims = []
    for kind in fields(part):
        if kind.name != "name":
            for contributed in getattr(part, kind.name):
                claims.append((kind.name, getattr(contributed, "name", contributed)))
    return claims
