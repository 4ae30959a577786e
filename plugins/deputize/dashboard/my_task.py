"""One running task of mine: accept the end that its agent proposes or not, and give it more time.

What is pressed is what was shown: the form holds what the agent said, and an answer to anything
else is none.
"""

from collections.abc import Callable

from flask import Blueprint, Response, request, url_for
from sqlalchemy import select

from ..agents.models import find_agent, find_agents
from ..audit.seal import Sealer
from ..core.db import Transaction
from ..core.values import is_id
from ..delegation.consent_page import durations_within
from ..delegation.context import Context
from ..delegation.models import person
from ..delegation.sign_in import sign_in_url
from ..delegation.wording import face_of
from ..endings.answer_end import accept_end, extend_task, reopen_task
from ..host import Person
from ..receipts.make import NoReceipt, make_receipt
from ..tasks.models import Task, task
from ..web.pages import MessagePage, Onward, State, TaskPage, UntilChoice
from ..web.shell import is_own_form, render, see_other
from ..web.words import at_most, since_tag, until_tag, utc

TASK_PAGE = "/deputize/agents/tasks/<task_id>"


def my_task(context: Context, sealer: Sealer) -> Blueprint:
    """Return the page on which people answer what an agent says of its task, and what it left."""
    pages = Blueprint("deputize_my_task", __name__)

    @pages.get(TASK_PAGE)
    def shown(task_id: str) -> Response:
        return _on_mine(
            context, task_id, lambda me, of: render("task.html", _page(context, me, of))
        )

    @pages.post(TASK_PAGE)
    def answered(task_id: str) -> Response:
        return _on_mine(context, task_id, lambda me, of: _answer(context, me, of))

    @pages.get(f"{TASK_PAGE}/receipt")
    def receipt(task_id: str) -> Response:
        return _on_mine(context, task_id, lambda me, of: _receipt(sealer, me, of), is_over=True)

    return pages


def _receipt(sealer: Sealer, me: Person, of: Task) -> Response:
    try:
        text = make_receipt(sealer, of.id)
    except NoReceipt:
        return _over(me)
    headers = {
        "Content-Disposition": f'attachment; filename="receipt-{of.id}.jws"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(text, headers=headers, mimetype="text/plain")


def _on_mine(
    context: Context,
    task_id: str,
    answer: Callable[[Person, Task], Response],
    *,
    is_over: bool = False,
) -> Response:
    """Answer about a task of whoever is signed in: one that runs, or one that is over."""
    me = context.host.current_person()
    if me is None:
        return see_other(sign_in_url(context, request.path))
    with context.db.read() as tx:
        of = _find(tx, task_id, me.key)
        runs = of is not None and of.runs_at(tx.now)
    return answer(me, of) if of and runs != is_over else _over(me)


def _find(tx: Transaction, task_id: str, key: str) -> Task | None:
    if not is_id(task_id):
        return None
    mine = (
        select(task)
        .join(person, person.c.id == task.c.person_id)
        .where(task.c.id == task_id, person.c.host_key == key)
    )
    row = tx.execute(mine).mappings().first()
    return Task(**row) if row else None


def _answer(context: Context, me: Person, of: Task) -> Response:
    if not is_own_form():
        return see_other(request.path)
    pressed, was_shown = request.form.get("decision"), request.form.get("proposed", "")
    if was_shown != (of.proposed or ""):
        return see_other(request.path)
    done: object = None
    if pressed == "accept":
        done = accept_end(context.db, of)
    elif pressed == "reopen":
        done = reopen_task(context.db, of)
    elif pressed == "extend":
        done = _extend(context, of)
    return see_other(url_for("deputize_agents.agents")) if done else _over(me)


def _extend(context: Context, of: Task) -> bool:
    with context.db.read() as tx:
        offered = _longer(context, tx, of)
    seconds = request.form.get("seconds", "")
    return seconds in map(str, offered) and extend_task(context.db, of, int(seconds))


def _longer(context: Context, tx: Transaction, of: Task) -> list[int]:
    """Return for how many seconds from now it can go on, where that is longer than it would."""
    known = find_agent(tx, of.agent)
    longest = min(
        context.settings.delegation.max_duration, known.expires_at - tx.now if known else 0
    )
    return [seconds for seconds in durations_within(longest) if tx.now + seconds > of.deadline]


def _page(context: Context, me: Person, of: Task) -> TaskPage:
    with context.db.read() as tx:
        faces, now = find_agents(tx, frozenset({of.agent})), tx.now
        longer = _longer(context, tx, of)
    return TaskPage(
        person=me.name,
        agents_url=url_for("deputize_agents.agents"),
        agent=face_of(of.agent, faces),
        purpose=of.purpose,
        started=since_tag(of.started_at, now),
        until=until_tag(of.deadline, now),
        proposed=of.proposed or "",
        longer=tuple(UntilChoice(s, at_most(s, utc(now)), s == longer[0]) for s in longer),
        action=request.path,
    )


def _over(me: Person) -> Response:
    page = MessagePage(
        person=me.name,
        title="There is nothing to answer here",
        state=State.ENDED,
        sentences=("That task is over, or has changed meanwhile, or was never yours.",),
        onward=(Onward(url_for("deputize_agents.agents"), "Agents acting for me"),),
    )
    return render("message.html", page, status=404)
