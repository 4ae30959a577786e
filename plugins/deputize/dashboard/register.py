"""The register: every agent that somebody answers for or looks after, and which need a look.

Last used is when it last got a token, found in the trail by the index of agent and time:
one step for each agent that is shown, and no write for each token.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for
from markupsafe import Markup
from sqlalchemy import ColumnElement, Select, and_, or_, select

from ..agents.lifecycle import Status
from ..agents.models import agent, agent_from_row
from ..agents.register import SELF
from ..core.values import is_client_id
from ..delegation.context import Context
from ..delegation.models import LEFT, person
from ..host import Person
from ..web.pages import AgentCard, AgentFace, Filter, RegisterPage
from ..web.shell import render
from ..web.words import since_tag
from .agent_facts import said_expiry, said_owner, standing_of
from .agent_page import add_agent_page
from .happenings import got_token_since, newest_token_of
from .may_see import sees_all
from .names import Names
from .visit import signed_in

REGISTER = "/deputize/register"

#: Cards of one page; days that can be chosen.
SHOWN, DAYS = 50, (7, 30, 90)
DAY = 86_400

_ALL = {
    "": "In use",
    "ownerless": "Nobody answers for",
    "unused": "Unused",
    "expiring": "Expire soon",
    "pending": "Wait to be adopted",
    "suspended": "Suspended",
    "helpers": "Helpers",
    "retired": "Retired",
}
_BY_DAYS = ("unused", "expiring")


def register(context: Context) -> Blueprint:
    """Return the pages on which agents are looked after."""
    pages = Blueprint("deputize_register", __name__)

    @pages.get(REGISTER)
    def agents() -> Response:
        return signed_in(context, lambda me: _shown(context, me))

    add_agent_page(pages, context, REGISTER)
    return pages


@dataclass(frozen=True)
class Wanted:
    """What the address asks to see; anything unknown in it is as if it were not there.

    :param may_choose: whether the person sees more than what they answer for
    """

    may_choose: bool
    mine: bool
    state: str
    days: int
    after: str

    def url(self, **changes: Any) -> str:
        """Return the address of the list with this, but for `changes`."""
        asked = replace(self, **({"after": ""} | changes))
        told = {
            "mine": "1" if asked.may_choose and asked.mine else "",
            "state": asked.state,
            "days": asked.days if asked.state in _BY_DAYS else "",
            "after": asked.after,
        }
        query = urlencode({name: value for name, value in told.items() if value})
        return f"{url_for('.agents')}{'?' if query else ''}{query}"


def _shown(context: Context, me: Person) -> Response:
    wanted = _wanted(me)
    with context.db.read() as tx:
        found = tx.execute(_listed(me, wanted, tx.now).limit(SHOWN + 1)).mappings().all()
        now = tx.now
    names = Names(context.host)
    cards = [_card(names, row, now) for row in found[:SHOWN]]
    after = found[SHOWN - 1]["client_id"] if len(found) > SHOWN else ""
    page = RegisterPage(
        person=me.name,
        agents_url=url_for("deputize_agents.agents"),
        graph_url=url_for("deputize_graph.graph"),
        whose=_whose(wanted) if wanted.may_choose else (),
        filters=tuple(
            Filter(wanted.url(state=state), words, wanted.state == state)
            for state, words in _ALL.items()
        ),
        days=_days(wanted),
        agents=tuple(cards),
        next_url=wanted.url(after=after) if after else "",
    )
    return render("register.html", page)


def _wanted(me: Person) -> Wanted:
    asked, may_choose = request.args, sees_all(me)
    state, days, after = (asked.get(name, "") for name in ("state", "days", "after"))
    return Wanted(
        may_choose=may_choose,
        mine=not may_choose or "mine" in asked,
        state=state if state in _ALL else "",
        days=int(days) if days in map(str, DAYS) else DAYS[1],
        after=after if is_client_id(after) else "",
    )


def _whose(wanted: Wanted) -> tuple[Filter, ...]:
    choices = {False: "All", True: "Those that I answer for"}
    return tuple(
        Filter(wanted.url(mine=mine), said, wanted.mine is mine) for mine, said in choices.items()
    )


def _days(wanted: Wanted) -> tuple[Filter, ...]:
    if wanted.state not in _BY_DAYS:
        return ()
    said = "since {} days" if wanted.state == "unused" else "within {} days"
    return tuple(Filter(wanted.url(days=n), said.format(n), wanted.days == n) for n in DAYS)


def _listed(me: Person, wanted: Wanted, now: int) -> Select[Any]:
    """Return the agents asked for, a page at a time by their client ids."""
    used = newest_token_of(agent.c.client_id).scalar_subquery().label("last_used")
    shown = select(agent, used).where(agent.c.client_id > wanted.after)
    if wanted.mine:
        shown = shown.where(or_(agent.c.owner == me.key, agent.c.sponsor == me.key))
    return shown.where(_in_state(wanted, now)).order_by(agent.c.client_id)


def _in_state(wanted: Wanted, now: int) -> ColumnElement[bool]:
    not_helpers = agent.c.origin != "spawned"
    in_use = not_helpers & (agent.c.status != Status.RETIRED)
    far = wanted.days * DAY
    states: Mapping[str, ColumnElement[bool]] = {
        "": in_use,
        "ownerless": in_use & or_(agent.c.owner.is_(None), _owner_left()),
        "unused": and_(
            in_use,
            agent.c.created_at < now - far,
            ~got_token_since(agent.c.client_id, now - far),
        ),
        "expiring": in_use & (agent.c.expires_at <= now + far),
        "pending": not_helpers & (agent.c.status == Status.PENDING),
        "suspended": agent.c.status == Status.SUSPENDED,
        "helpers": (agent.c.origin == "spawned") & (agent.c.status != Status.RETIRED),
        "retired": not_helpers & (agent.c.status == Status.RETIRED),
    }
    return states[wanted.state]


def _owner_left() -> ColumnElement[bool]:
    gone = (person.c.host_key == agent.c.owner) & (person.c.status == LEFT)
    return select(person.c.id).where(gone).exists()


def _card(names: Names, row: Mapping[Any, Any], now: int) -> AgentCard:
    values = dict(row)
    used = values.pop("last_used")
    known = agent_from_row(values)
    state, status = standing_of(known, now)
    return AgentCard(
        agent=AgentFace(known.client_id, known.name),
        state=state,
        status=status,
        url=url_for(".agent", client_id=known.client_id),
        facts=(
            Markup("{}").format(said_owner(names, known)),
            said_expiry(known, now),
            Markup("last used {}").format(since_tag(used, now)) if used else Markup("never used"),
            *((Markup("registered itself"),) if known.origin == SELF else ()),
        ),
    )
