"""What the database holds of what can be declared, read at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from ..agents.lifecycle import Status
from ..agents.models import Agent, agent, agent_from_row
from ..catalogue.details import DetailsType
from ..catalogue.models import ResourceServer, Scope, details_type, resource_server, scope
from ..core.db import Database

#: How an agent came here whose registration is nobody's to declare: it dies with its task.
SPAWNED_ORIGIN = "spawned"


@dataclass(frozen=True)
class Stored:
    """The rows, the retired ones included.

    :param now: seconds since the epoch
    """

    now: int
    servers: Mapping[str, ResourceServer]
    scopes: Mapping[str, Scope]
    agents: Mapping[str, Agent]
    details_types: Mapping[str, DetailsType]

    @property
    def live_servers(self) -> dict[str, ResourceServer]:
        return {key: row for key, row in self.servers.items() if row.retired_at is None}

    @property
    def live_scopes(self) -> dict[str, Scope]:
        return {key: row for key, row in self.scopes.items() if row.retired_at is None}

    @property
    def live_details_types(self) -> dict[str, DetailsType]:
        return {key: row for key, row in self.details_types.items() if row.retired_at is None}

    @property
    def standing_agents(self) -> dict[str, Agent]:
        """Those that an administrator let in: what an export writes, and a prune looks at."""
        let_in = (Status.ACTIVE, Status.SUSPENDED)
        return {
            client_id: row
            for client_id, row in self.agents.items()
            if row.status in let_in and row.origin != SPAWNED_ORIGIN
        }


def read_stored(db: Database) -> Stored:
    """Read everything that can be declared."""
    with db.read() as tx:
        servers = [ResourceServer(**r) for r in tx.execute(select(resource_server)).mappings()]
        scopes = [Scope(**r) for r in tx.execute(select(scope)).mappings()]
        types = [DetailsType(**r) for r in tx.execute(select(details_type)).mappings()]
        agents = [agent_from_row(r) for r in tx.execute(select(agent)).mappings()]
        return Stored(
            now=tx.now,
            servers={s.identifier: s for s in servers},
            scopes={s.name: s for s in scopes},
            agents={a.client_id: a for a in agents},
            details_types={t.type: t for t in types},
        )
