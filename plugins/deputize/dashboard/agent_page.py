"""One agent's page: its registration, keys, what it holds, what it asked, what it did; stop it.

Questions are counted. What they were about is told to the person whom they were put to,
in their own inbox, and to nobody here.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, Response, url_for
from sqlalchemy import func, select

from ..agents.models import Agent, find_agent
from ..approvals.models import Status as Asked
from ..approvals.models import approval
from ..catalogue.models import Catalogue
from ..core.db import Transaction
from ..delegation.context import Context
from ..delegation.liveness import Standing, find_standings_where, may_live
from ..delegation.models import delegation
from ..delegation.persons import find_person_id
from ..host import Person
from ..web.pages import (
    AgentFace,
    AgentPage,
    Fact,
    HappenedLine,
    HeldLine,
    Onward,
    State,
)
from ..web.shell import render
from ..web.words import since_tag, until_tag
from .agent_facts import keys_of, overview_of, said_proof, standing_of
from .agent_presses import PRESSES, add_presses
from .happenings import Happening, last_used, newest_of_agent, state_of, words_of
from .may_see import may_see_agent
from .names import Names
from .visit import nothing_here, signed_in

#: What one page shows of each.
HELD_READ, HELD_SHOWN, HAPPENED_SHOWN = 200, 10, 10

_ASKED = {
    Asked.PENDING: "Wait for an answer",
    Asked.APPROVED: "Said yes to, not used yet",
    Asked.REDEEMED: "Said yes to and used",
    Asked.DENIED: "Said no to",
    Asked.EXPIRED: "Not answered in time",
    Asked.WITHDRAWN: "Withdrawn",
}


@dataclass(frozen=True)
class _Read:
    """What one page is made of, read at one moment."""

    known: Agent
    now: int
    catalogue: Catalogue
    used: int | None
    held: list[Standing]
    asked: dict[str, int]
    asked_of_me: bool
    happened: list[Happening]


def add_agent_page(pages: Blueprint, context: Context, register: str) -> None:
    """Add an agent's page, and its presses, below the register's path."""

    @pages.get(f"{register}/<client_id>")
    def agent(client_id: str) -> Response:
        return signed_in(context, lambda me: _shown(context, me, client_id))

    add_presses(pages, context, f"{register}/<client_id>")


def _shown(context: Context, me: Person, client_id: str) -> Response:
    with context.db.read() as tx:
        known = find_agent(tx, client_id)
        if known is None or not may_see_agent(me, known):
            return nothing_here(me)
        read = _read(context, tx, me, known)
    return render("agent.html", _page(context, me, read))


def _read(context: Context, tx: Transaction, me: Person, known: Agent) -> _Read:
    client_id = known.client_id
    held = (delegation.c.actor == client_id) & delegation.c.ended_at.is_(None)
    return _Read(
        known=known,
        now=tx.now,
        catalogue=context.moment(tx).catalogue,
        used=last_used(tx, client_id),
        held=find_standings_where(tx, held, HELD_READ),
        asked=_counted(tx, client_id),
        asked_of_me=_was_asked(tx, find_person_id(tx, me.key), client_id),
        happened=newest_of_agent(tx, client_id, HAPPENED_SHOWN),
    )


def _counted(tx: Transaction, client_id: str) -> dict[str, int]:
    counted = select(approval.c.status, func.count().label("number")).where(
        approval.c.client_id == client_id
    )
    rows = tx.execute(counted.group_by(approval.c.status)).all()
    return {row.status: row.number for row in rows}


def _was_asked(tx: Transaction, person_id: str | None, client_id: str) -> bool:
    asked = (approval.c.person_id == person_id) & (approval.c.client_id == client_id)
    return tx.execute(select(approval.c.id).where(asked).limit(1)).first() is not None


def _page(context: Context, me: Person, read: _Read) -> AgentPage:
    known, now, names = read.known, read.now, Names(context.host)
    state, status = standing_of(known, now)
    alive = _taken(one for one in read.held if may_live(one, now))
    return AgentPage(
        person=me.name,
        agents_url=url_for("deputize_agents.agents"),
        register_url=url_for(".agents"),
        agent=AgentFace(known.client_id, known.name),
        state=state,
        status=status,
        purpose=known.purpose,
        overview=overview_of(known, names, read.catalogue, now, read.used),
        keys=keys_of(known),
        proves_itself=said_proof(known),
        held=tuple(_held(one, names, read) for one in alive[:HELD_SHOWN]),
        more_held=max(0, len(alive) - HELD_SHOWN),
        graph_url=url_for("deputize_graph.graph", agent=known.client_id),
        approvals=tuple(
            Fact(said, str(read.asked[s])) for s, said in _ASKED.items() if s in read.asked
        ),
        inbox_url=url_for("deputize_approvals.approvals") if read.asked_of_me else "",
        happened=tuple(_happened(one, context.issuer, now) for one in read.happened),
        presses=tuple(
            Onward(url_for(f".{press.name}", client_id=known.client_id), press.verb)
            for press in PRESSES
            if press.may(me, known)
        ),
    )


def _taken(held: Iterable[Standing]) -> list[Standing]:
    """Return where the agent came in; what it made of that itself lies below."""
    seen: dict[str, Standing] = {one.node.id: one for one in held}
    return [one for one in seen.values() if one.node.parent_id not in seen]


def _held(one: Standing, names: Names, read: _Read) -> HeldLine:
    node = one.node
    return HeldLine(
        person=names.of(one.subject),
        state=State.ACTIVE,
        what=tuple(read.catalogue.describe(name) for name in sorted(node.scope)),
        until=until_tag(min(node.expires_at, one.deadline), read.now),
        url=url_for("deputize_graph.graph", task=node.task_id, node=node.id),
    )


def _happened(one: Happening, issuer: str, now: int) -> HappenedLine:
    words = words_of(one, issuer)
    return HappenedLine(state=state_of(one), words=words, when=since_tag(one.at, now))
