"""Agents acting for me: who acts for me now, and stop it.

My delegations as trees by task, newest first. Each live node has a stop, which first
says what ends with it, and then is a POST.
"""

from flask import Blueprint, Response, request, url_for

from ..approvals.find_cards import count_open
from ..delegation.context import Context
from ..delegation.liveness import find_standing, may_live
from ..delegation.sign_in import sign_in_url
from ..endings.end_delegation import end_delegation
from ..host import Person
from ..web.pages import AgentsPage, MessagePage, Onward, State
from ..web.shell import is_own_form, render, see_other
from .graph import answers_for_any
from .may_see import sees_all
from .trees import BY_PERSON, Trees

AGENTS_PAGE = "/deputize/agents"


def acting_for_me(context: Context) -> Blueprint:
    """Return the pages on which people see and stop their agents."""
    pages = Blueprint("deputize_agents", __name__)

    @pages.get(AGENTS_PAGE)
    def agents() -> Response:
        me = context.host.current_person()
        if me is None:
            return _sign_in(context)
        with context.db.read() as tx:
            live, finished = Trees(context, tx, me).all()
            waiting = count_open(tx, me.key)
            looks_after = sees_all(me) or answers_for_any(tx, me)
        page = AgentsPage(
            person=me.name,
            agents_url=url_for("deputize_agents.agents"),
            live=live,
            finished=finished,
            inbox_url=url_for("deputize_approvals.approvals"),
            waiting=waiting + sum(task.waits for task in live),
            code_url=url_for("deputize_user_code.shown"),
            graph_url=url_for("deputize_graph.graph") if live else "",
            register_url=url_for("deputize_register.agents") if looks_after else "",
        )
        return render("agents.html", page)

    @pages.get(f"{AGENTS_PAGE}/<delegation_id>/end")
    def confirm(delegation_id: str) -> Response:
        me = context.host.current_person()
        if me is None:
            return _sign_in(context)
        with context.db.read() as tx:
            trees = Trees(context, tx, me)
            node = trees.find(delegation_id)
            if node is None or not may_live(find_standing(tx, node.id), tx.now):
                return _gone(me)
            return render("end.html", trees.end_page(node, AGENTS_PAGE))

    @pages.post(f"{AGENTS_PAGE}/<delegation_id>/end")
    def end(delegation_id: str) -> Response:
        me = context.host.current_person()
        if me is None:
            return _sign_in(context)
        if not is_own_form():
            return see_other(url_for(".confirm", delegation_id=delegation_id))
        with context.db.read() as tx:
            node = Trees(context, tx, me).find(delegation_id)
        if node is None:
            return _gone(me)
        end_delegation(context.db, node.id, why=BY_PERSON, by=node.person_id)
        return see_other(url_for(".agents"))

    return pages


def _sign_in(context: Context) -> Response:
    return see_other(sign_in_url(context, request.path))


def _gone(me: Person) -> Response:
    page = MessagePage(
        person=me.name,
        title="There is nothing to stop here",
        state=State.ENDED,
        sentences=("It has ended already, or it was never yours.",),
        onward=(Onward(url_for("deputize_agents.agents"), "Agents acting for me"),),
    )
    return render("message.html", page, status=404)
