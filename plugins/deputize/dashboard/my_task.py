"""One running task of mine: accept the end that its agent proposes or not, and give it more time,
whether it asked for that or not.

What is pressed is what was shown: the form holds what the agent said, and an answer to anything
else is none.
"""

from collections.abc import Callable

from flask import Blueprint, Response, request, url_for
from sqlalchemy import select

from ..agents.models import find_agents
from ..audit.seal import Sealer
from ..core.db import Transaction
from ..core.values import is_id
from ..delegation.consent_page import durations_within
from ..delegation.context import Context
from ..delegation.models import person
from ..delegation.sign_in import sign_in_url
from ..delegation.wording import face_of
from ..endings.answer_end import (
    accept_end,
    deny_more_time,
    extend_task,
    latest_deadline,
    reopen_task,
)
from ..host import Person
from ..receipts.make import NoReceipt, make_receipt
from ..tasks.models import Task, task
from ..web.pages import MessagePage, Onward, State, TaskPage, UntilChoice
from ..web.shell import is_own_form, render, see_other
from ..web.words import at_most, since_tag, until_tag, utc

TASK_PAGE = "/deputize/agents/tasks/<task_id>"

#: What the form says in place of seconds.
AS_ASKED = "asked"


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
    pressed = request.form.get("decision")
    if request.form.get("shown") != _said_by_agent(of):
        return see_other(request.path)
    done: object = None
    if pressed == "accept":
        done = accept_end(context.db, of)
    elif pressed == "reopen":
        done = reopen_task(context.db, of)
    elif pressed == "extend":
        done = _extend(context, of)
    elif pressed == "deny":
        done = deny_more_time(context.db, of)
    return see_other(url_for("deputize_agents.agents")) if done else _over(me)


def _said_by_agent(of: Task) -> str:
    return f"{of.proposed or ''} {of.asked_until or ''}"


def _extend(context: Context, of: Task) -> bool:
    with context.db.read() as tx:
        latest, now = _latest(context, tx, of), tx.now
    deadlines = {str(seconds): now + seconds for seconds in _longer(of, latest, now)}
    if (asked := _asked_for(of, latest)) is not None:
        deadlines[AS_ASKED] = asked
    chosen = deadlines.get(request.form.get("seconds", ""))
    return chosen is not None and extend_task(context.db, of, chosen)


def _latest(context: Context, tx: Transaction, of: Task) -> int:
    return latest_deadline(tx, of, context.settings.delegation.max_duration)


def _asked_for(of: Task, latest: int) -> int | None:
    """Return the deadline that its agent asks for, where that can be given."""
    return of.asked_until if of.asked_until is not None and of.asked_until <= latest else None


def _longer(of: Task, latest: int, now: int) -> list[int]:
    """Return for how many seconds from now it can go on, where that is longer than it would."""
    return [seconds for seconds in durations_within(latest - now) if now + seconds > of.deadline]


def _page(context: Context, me: Person, of: Task) -> TaskPage:
    with context.db.read() as tx:
        faces, now = find_agents(tx, frozenset({of.agent})), tx.now
        latest = _latest(context, tx, of)
    asked, longer = _asked_for(of, latest), _longer(of, latest, now)
    return TaskPage(
        person=me.name,
        agents_url=url_for("deputize_agents.agents"),
        agent=face_of(of.agent, faces),
        purpose=of.purpose,
        started=since_tag(of.started_at, now),
        until=until_tag(of.deadline, now),
        proposed=of.proposed or "",
        asks_for_time=of.asked_until is not None,
        asked=_choice(asked - now, now, chosen=True) if asked is not None else None,
        longer=tuple(_choice(seconds, now, chosen=seconds == longer[0]) for seconds in longer),
        shown=_said_by_agent(of),
        action=request.path,
    )


def _choice(seconds: int, now: int, *, chosen: bool) -> UntilChoice:
    return UntilChoice(seconds, at_most(seconds, utc(now)), chosen)


def _over(me: Person) -> Response:
    page = MessagePage(
        person=me.name,
        title="There is nothing to answer here",
        state=State.ENDED,
        sentences=("That task is over, or has changed meanwhile, or was never yours.",),
        onward=(Onward(url_for("deputize_agents.agents"), "Agents acting for me"),),
    )
    return render("message.html", page, status=404)
