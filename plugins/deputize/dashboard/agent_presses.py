"""Suspend, start again, retire: each page says first what it does, and a POST does it.

To suspend is easy on purpose. What can't be taken back by another press, or lets an agent
act again, takes a sign-in of a moment ago.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, request, url_for

from ..agents.lifecycle import Status
from ..agents.models import Agent, find_agent
from ..delegation.context import Context
from ..endings.stop_agent import resume_agent, stop_agent
from ..host import Person
from ..passkeys.fresh import freshly
from ..web.pages import AgentFace, StopPage
from ..web.shell import is_own_form, render, see_other
from .blast_radius import Radius, radius_of_agent
from .may_see import may_resume, may_retire, may_suspend
from .visit import id_of, nothing_here, signed_in

#: Why all ended that the agent stood in.
BY_OVERSEER = "stopped_on_its_page"


@dataclass(frozen=True)
class Press:
    """One thing that is done to an agent.

    :param may: whether the person may do it to the agent as it stands
    :param takes_fresh_sign_in: a session alone does not do it
    """

    name: str
    verb: str
    may: Callable[[Person, Agent], bool]
    do: Callable[[Context, str, str], object]
    afterwards: str
    takes_fresh_sign_in: bool = False
    ends: bool = True


def _suspend(context: Context, client_id: str, by: str) -> object:
    return stop_agent(context.db, client_id, Status.SUSPENDED, why=BY_OVERSEER, by=by)


def _resume(context: Context, client_id: str, by: str) -> object:
    return resume_agent(context.db, client_id, by=by)


def _retire(context: Context, client_id: str, by: str) -> object:
    return stop_agent(context.db, client_id, Status.RETIRED, why=BY_OVERSEER, by=by)


PRESSES = (
    Press(
        "suspend",
        "Suspend",
        may_suspend,
        _suspend,
        "It gets no token until its owner or an administrator starts it again. What has ended"
        " stays ended, and what was already done stays done.",
    ),
    Press(
        "resume",
        "Start again",
        may_resume,
        _resume,
        "It can be let act anew. What ended with its suspension stays ended.",
        takes_fresh_sign_in=True,
        ends=False,
    ),
    Press(
        "retire",
        "Retire",
        may_retire,
        _retire,
        "This is for good: it can't be started again. What was already done stays done.",
        takes_fresh_sign_in=True,
    ),
)


def add_presses(pages: Blueprint, context: Context, path: str) -> None:
    """Add the page of each press below `path`, which holds `<client_id>`."""
    for press in PRESSES:
        _add(pages, context, f"{path}/{press.name}", press)


def _add(pages: Blueprint, context: Context, path: str, press: Press) -> None:
    def confirm(client_id: str) -> Response:
        return _on(context, press, client_id, lambda me, known: _confirm(context, press, me, known))

    def done(client_id: str) -> Response:
        act = _do if is_own_form() else _confirm
        return _on(context, press, client_id, lambda me, known: act(context, press, me, known))

    pages.add_url_rule(path, press.name, confirm)
    pages.add_url_rule(path, f"{press.name}_done", done, methods=["POST"])


def _on(
    context: Context, press: Press, client_id: str, act: Callable[[Person, Agent], Response]
) -> Response:
    def answer(me: Person) -> Response:
        with context.db.read() as tx:
            known = find_agent(tx, client_id)
        return act(me, known) if known and press.may(me, known) else nothing_here(me)

    if press.takes_fresh_sign_in:
        return freshly(context, request.path, answer)
    return signed_in(context, answer)


def _confirm(context: Context, press: Press, me: Person, known: Agent) -> Response:
    with context.db.read() as tx:
        ends = radius_of_agent(tx, known.client_id) if press.ends else Radius()
    page = StopPage(
        person=me.name,
        agent=AgentFace(known.client_id, known.name),
        verb=press.verb,
        sentence=ends.said() if ends.nodes else "Nothing ends with it.",
        afterwards=press.afterwards,
        action=url_for(f".{press.name}_done", client_id=known.client_id),
        cancel_url=url_for(".agent", client_id=known.client_id),
    )
    return render("stop.html", page)


def _do(context: Context, press: Press, me: Person, known: Agent) -> Response:
    press.do(context, known.client_id, id_of(context.db, me))
    return see_other(url_for(".agent", client_id=known.client_id))
