"""`policy`: are the policies sound, do they say what they should, and what would they say of this?

Nothing is written, and nobody's token is touched.
"""

from pathlib import Path

import click
from sqlalchemy import select

from ..agents.models import Agent, find_agent
from ..audit.lately import find_lately
from ..core.db import Transaction
from ..core.values import words
from ..delegation.context import Context
from ..delegation.models import person
from ..policy.cases import differing, read_cases
from ..policy.find import open_point
from ..policy.judge import facts_of, kind_of
from ..policy.point import DecisionPoint, Outcome, Verdict
from ..policy.question import Question, TaskFacts
from ..tasks.models import task
from .shared import Failure, console, get_context, on_the_app, person_by_name, safe


@click.group("policy")
def policy() -> None:
    """Ask the policies, and try them."""


@policy.command("check")
@click.argument("directory", required=False, type=click.Path(path_type=Path))
@on_the_app
def check(directory: Path | None) -> None:
    """Read the policies of DIRECTORY, or those that the settings name; exit 1 for a mistake."""
    click.echo(f"● {_point(directory).where}")


@policy.command("test")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--directory", type=click.Path(path_type=Path), help="Of policies to try instead.")
@on_the_app
def test(file: Path, directory: Path | None) -> None:
    """Ask each case of FILE (TOML); name those that come out otherwise, and exit 1."""
    cases = read_cases(file)
    differ = list(differing(_point(directory), cases))
    for line in differ:
        console().print(safe(f"✕ {line}"))
    click.echo(f"{len(cases) - len(differ)} of {len(cases)} as expected")
    if differ:
        raise click.exceptions.Exit(1)


@policy.command("try")
@click.option("--agent", "client_id", required=True, help="Client id of who would ask.")
@click.option("--resource", required=True, help="Where the token would be good.")
@click.option("--scope", default="", help="Separated by spaces.")
@click.option("--chain", default="", help="Client ids, the first deputized first, with commas.")
@click.option("--person", "username", help="User name of on whose behalf.")
@click.option("--task", "task_id", help="Id of the task that it is for.")
@click.option("--action", type=click.Choice(["issue", "approve", "introspect"]), default="issue")
@click.option("--grant-type", default="", help="By which it would be asked for.")
@click.option("--approved", is_flag=True, help="As if the person had just approved it.")
@on_the_app
def try_policy(
    client_id: str,
    resource: str,
    scope: str,
    chain: str,
    username: str | None,
    task_id: str | None,
    action: str,
    grant_type: str,
    approved: bool,
) -> None:
    """Tell what the policies would say now, of an agent as it is registered; exit 1 for a no."""
    context, point = get_context(), _point(None)
    with context.reading() as reading:
        agents = _chain(reading.tx, chain, client_id)
        question = Question(
            action=action,
            agent=facts_of(agents[-1], find_lately(reading.tx, client_id)),
            resource=resource,
            kind=kind_of(reading, resource),
            scope=words(scope),
            chain=tuple(agent.client_id for agent in agents),
            now=reading.moment.now,
            grant_type=grant_type,
            person=_person_id(context, reading.tx, username) if username else None,
            task=_task(reading.tx, task_id) if task_id else None,
            approved=approved,
        )
    verdict = point.find(question) or point.ask(question)
    console().print(safe(_said(verdict, approved)))
    if verdict.outcome is not Outcome.ALLOW and not _is_met(verdict, approved):
        raise click.exceptions.Exit(1)


def _said(verdict: Verdict, approved: bool) -> str:
    by = ", ".join(verdict.policies) or "nothing permits it"
    met = ", and the person has approved it" if _is_met(verdict, approved) else ""
    return f"{verdict.outcome}: {by}{met}"


def _is_met(verdict: Verdict, approved: bool) -> bool:
    return verdict.outcome is Outcome.STEP_UP and approved


def _point(directory: Path | None) -> DecisionPoint:
    settings = get_context().settings.policy
    if directory is not None:
        settings = settings.model_copy(update={"engine": "cedar", "directory": str(directory)})
    point = open_point(settings)
    if point is None:
        raise Failure("no policy is asked: set engine in [deputize.policy], or name a directory")
    return point


def _chain(tx: Transaction, chain: str, client_id: str) -> list[Agent]:
    names = [name.strip() for name in chain.split(",") if name.strip()] or [client_id]
    if names[-1] != client_id:
        raise Failure(f"--chain ends with who asks: {client_id}")
    return [_agent(tx, name) for name in names]


def _agent(tx: Transaction, client_id: str) -> Agent:
    found = find_agent(tx, client_id)
    if found is None:
        raise Failure(f"{client_id}: there is no such agent")
    return found


def _person_id(context: Context, tx: Transaction, username: str) -> str:
    key = person_by_name(context, username).key
    found = tx.execute(select(person.c.id).where(person.c.host_key == key)).scalar()
    if found is None:
        raise Failure(f"{username}: has let no agent act yet")
    return str(found)


def _task(tx: Transaction, task_id: str) -> TaskFacts:
    columns = (task.c.id, task.c.started_at, task.c.deadline)
    row = tx.execute(select(*columns).where(task.c.id == task_id)).first()
    if row is None:
        raise Failure(f"{task_id}: there is no such task")
    return TaskFacts(row.id, row.started_at, row.deadline)
