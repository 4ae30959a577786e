"""What every grant and endpoint of the plugin works with, made once at start."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.exc import DBAPIError

from ..agents.authenticate import Caller
from ..agents.models import Agent, agent, find_agent
from ..agents.remote_keys import RemoteKeys
from ..audit.record import Tally
from ..catalogue.models import Catalogue, ResourceServer, resource_server
from ..core.db import Database, Prepared, Transaction
from ..core.refusal import Refusal
from ..core.sealed import Box
from ..core.values import is_client_id
from ..core.versions import Cached, read_versions
from ..host import Host
from ..outbox.channel import Channel
from ..settings import Settings
from .attenuation import Rules
from .gates import MOST_ASKED, Gate, Judge, Undecided
from .keys import KeySet, KeyStore

#: What judges outside have answered already, by question.
Known = dict[Hashable, object]

T = TypeVar("T")


class Asks(Protocol):
    """Asking a person, which an exchange may have to: it is composed above delegation."""

    def ask(self, context: "Context", caller: Caller, reading: "Reading", needed: Any) -> Any:
        """Put the question; return the members of the client's answer."""
        ...


class Holds(Protocol):
    """Holding polls until there is an answer: it is composed above delegation."""

    def has_room(self, client_id: str) -> bool: ...

    def wait(self, approval_id: str, client_id: str, seconds: float) -> bool: ...

    def end(self) -> None: ...


class Ends(Protocol):
    """The endings that a grant may have to call: they are composed above delegation."""

    def end_delegation(self, delegation_id: str, *, why: str) -> bool:
        """End the node and all below it; tell whether it was live."""
        ...


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known at one moment: read together, so that one answer has one truth.

    :param versions: of the catalogue and the keys
    """

    versions: Mapping[str, int]
    catalogue: Catalogue
    keys: KeySet
    rules: Rules
    now: int


class Reading:
    """What one request reads: over one connection, each thing once, of one moment.

    :param known: what judges have answered to this request, in readings before
    :ivar shown: id of the delegation that a credential of the request stands for, once verified
    :ivar shown_person: id of the person who made the code that it brings
    """

    def __init__(self, tx: Transaction, moment: Moment, known: Known | None = None) -> None:
        self.tx = tx
        self.moment = moment
        self.shown: str | None = None
        self.shown_person: str | None = None
        self.known: Known = {} if known is None else known
        self._clients: dict[str, Agent | ResourceServer | None] = {}

    def find_client(self, client_id: str) -> Agent | ResourceServer | None:
        """Return the agent or resource server of that client id, whatever its status."""
        if client_id not in self._clients:
            server = self.moment.catalogue.callers.get(client_id)
            self._clients[client_id] = server or find_agent(self.tx, client_id)
        return self._clients[client_id]


@dataclass(frozen=True)
class Context:
    """The plugin's parts, as its rooms share them.

    :param box: seals what has to be told again: what notifies a client
    :param registration_endpoint: absolute; as a `resource`, it asks for a spawn token
    :param channels: by name: how people are told that an agent waits for their word
    """

    settings: Settings
    db: Database
    host: Host
    catalogue: Cached[Catalogue]
    keys: Cached[KeySet]
    key_store: KeyStore
    box: Box
    remote_keys: RemoteKeys
    registration_endpoint: str
    ends: Ends
    asks: Asks
    holding: Holds
    gates: tuple[Gate, ...]
    tally: Tally
    channels: Mapping[str, Channel] = field(default_factory=dict)
    judges: tuple[Judge, ...] = ()

    @property
    def issuer(self) -> str:
        return self.settings.issuer

    @contextmanager
    def reading(self, known: Known | None = None) -> Iterator[Reading]:
        """Open what one request reads from."""
        with self.db.read() as tx:
            yield Reading(tx, self.moment(tx), known)

    def settled(self, answer: Callable[[Reading], T]) -> T:
        """Return what `answer` finds on a reading, once no judge has to ask outside any more.

        :raises Refusal: what `answer` raises; `server.contended`, where it never is
        """
        known: Known = {}
        for _ in range(MOST_ASKED + 1):
            try:
                with self.reading(known) as reading:
                    return answer(reading)
            except Undecided as undecided:
                asked = undecided
            known[asked.question] = asked.ask()
        raise contended()

    def is_ours(self, client_id: str) -> bool:
        """Tell whether it names an agent or a resource server of ours.

        Asked about each request of a host's own clients: one narrow statement, and nothing else.
        """
        if not is_client_id(client_id):
            return False
        try:
            return self.db.glance(_KNOWN, {"client_id": client_id}) is not None
        except DBAPIError:
            # Perhaps a connection that was dropped: a reading replaces it, or says what it is.
            with self.reading() as reading:
                return reading.find_client(client_id) is not None

    def validate_ready(self) -> None:
        """Read what every answer needs.

        :raises SQLAlchemyError: when the database does not answer
        """
        with self.reading():
            pass

    def moment(self, tx: Transaction) -> Moment:
        """Read what is cached, reloading what has changed since."""
        versions = read_versions(tx)
        catalogue = self.catalogue.get(tx, versions)
        keys = self.keys.get(tx, versions)
        return Moment(versions, catalogue, keys, self._rules(catalogue), tx.now)

    def _rules(self, catalogue: Catalogue) -> Rules:
        return Rules(
            issuer=self.issuer,
            scopes_by_resource=catalogue.scopes_by_resource,
            sensitive=catalogue.sensitive,
            delegable=catalogue.delegable,
            types=catalogue.types,
            bound=catalogue.bound,
            max_depth=self.settings.delegation.max_depth,
        )


def contended() -> Refusal:
    """Return the refusal of what was overtaken again and again."""
    return Refusal("server.contended", "Too much is changing at once: try again.")


_KNOWN = Prepared(
    select(literal_column("1"))
    .where(agent.c.client_id == bindparam("client_id"))
    .union_all(
        select(literal_column("1")).where(
            resource_server.c.client_id == bindparam("client_id"),
            resource_server.c.retired_at.is_(None),
        )
    )
)
