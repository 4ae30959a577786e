"""What a good token says: on whose behalf, who acts, through whom, for what, until when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Actor:
    """One agent of a chain. Two are the same only if both members are (RFC 8693 §4.1)."""

    issuer: str
    subject: str

    def __str__(self) -> str:
        return self.subject


@dataclass(frozen=True, slots=True)
class Access:
    """What a request may do.

    :param subject: the person on whose behalf; the agent itself where it acts for itself
    :param client_id: who authenticated for the token: the chain's first
    :param chain: who acts, through whom: the current actor first, the first agent that was
        deputized last; empty where an agent acts for itself
    :param authorization_details: what exactly, in more than a word (:rfc:`9396`): each a JSON
        object with a `type`. What is not within one of them, its API does not do
    :param claims: all that the server said, `acr` and `auth_time` included
    """

    subject: str
    client_id: str
    chain: tuple[Actor, ...]
    scope: frozenset[str]
    expires_at: datetime
    authorization_details: tuple[Mapping[str, Any], ...] = field(repr=False, compare=False)
    claims: Mapping[str, Any] = field(repr=False, compare=False)

    def allows(self, scope: str) -> bool:
        """Tell whether every scope named in `scope` is held."""
        return frozenset(scope.split()) <= self.scope

    def __str__(self) -> str:
        """Say it as a log line would: `booker acts for p-81f0c2 through planner`."""
        if not self.chain:
            return f"{self.client_id} acts for itself"
        through = " and ".join(str(actor) for actor in reversed(self.chain[1:]))
        return f"{self.chain[0]} acts for {self.subject}" + (
            f" through {through}" if through else ""
        )


def read_access(claims: Mapping[str, Any]) -> Access:
    """Return what an active introspection answer says. :rfc:`7662#section-2.2`.

    :raises KeyError, TypeError, ValueError: when a member that decides is missing or malformed
    """
    return Access(
        subject=_text(claims["sub"]),
        client_id=_text(claims["client_id"]),
        chain=tuple(_actors(claims.get("act"))),
        scope=frozenset(_text(claims["scope"]).split()),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        authorization_details=tuple(_details(claims.get("authorization_details", []))),
        claims=claims,
    )


def _actors(act: Any) -> Iterator[Actor]:
    while act is not None:
        yield Actor(_text(act["iss"]), _text(act["sub"]))
        act = act.get("act")


def _details(told: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(told, list):
        raise TypeError("not a list")
    for detail in told:
        _text(detail["type"])
        yield detail


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
