"""Reading the server's audit trail, beside the server: refusals, answers, endings."""

import json
from pathlib import Path

from sqlalchemy import select

from deputize.audit.models import event
from deputize.core.clock import SystemClock
from deputize.core.db import Database

from ..configuration import PLUGIN_DATABASE


class Trail:
    """The events in the plugin's database in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._db = Database(f"sqlite:///{folder.resolve() / PLUGIN_DATABASE}", SystemClock())
        self._told = {id_ for id_, _ in self._refusals()}

    def new_rules(self, agent: str) -> list[str]:
        """Return the rules by which `agent` was refused since this was last asked."""
        new = [(id_, rule) for id_, rule in self._refusals(agent) if id_ not in self._told]
        self._told |= {id_ for id_, _ in new}
        return [rule for _, rule in new]

    def has_happened(self, kind: str, task_id: str) -> bool:
        """Tell whether an event of this kind is there about the task."""
        happened = select(event.c.id).where(event.c.kind == kind, event.c.task_id == task_id)
        with self._db.read() as tx:
            return tx.execute(happened).first() is not None

    def newest_of(self, agent: str) -> str:
        """Return the id of the newest event that was sealed of `agent`."""
        sealed = select(event.c.id).where(event.c.agent == agent, event.c.position.is_not(None))
        with self._db.read() as tx:
            newest = tx.execute(sealed.order_by(event.c.position.desc())).scalars().first()
        return str(newest)

    def card_of(self, agent: str) -> str:
        """Return the id of what `agent` asked the person last."""
        opened = select(event.c.body).where(
            event.c.kind == "approval.opened", event.c.agent == agent
        )
        with self._db.read() as tx:
            body = tx.execute(opened.order_by(event.c.at.desc())).scalars().first()
        return str(json.loads(body or "{}").get("approval_id", ""))

    def is_decided(self, approval_id: str) -> bool:
        """Tell whether somebody has said yes or no."""
        decided = select(event.c.body).where(
            event.c.kind.in_(("approval.approved", "approval.denied"))
        )
        with self._db.read() as tx:
            told = [json.loads(body) for body in tx.execute(decided).scalars()]
        return approval_id in [facts["approval_id"] for facts in told]

    def close(self) -> None:
        """Close the connections."""
        self._db.close()

    def _refusals(self, agent: str | None = None) -> list[tuple[str, str]]:
        refused = select(event.c.id, event.c.rule).where(event.c.kind == "token.refused")
        by_agent = refused.where(event.c.agent == agent) if agent else refused
        with self._db.read() as tx:
            return [(row.id, row.rule) for row in tx.execute(by_agent)]
