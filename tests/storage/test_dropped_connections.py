"""PostgreSQL may drop connections that wait in the pool: nobody notices."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from support.agents_http import decode
from support.world import CALENDAR, World, running_world

pytestmark = pytest.mark.postgresql_only


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with running_world(database_url, tmp_path) as running:
        yield running


def drop_connections(world: World) -> None:
    url = world.context.db.url.render_as_string(hide_password=False)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        dropped = connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        assert all(dropped.scalars())
    engine.dispose()


def test_reads_and_writes_go_on(world: World) -> None:
    hold, planner = world.hold(), world.agent("planner")
    drop_connections(world)
    assert planner.introspect(hold).json()["active"] is True
    drop_connections(world)
    assert planner.exchange(hold, resource=CALENDAR).status_code == 200


def test_what_is_written_after_that_is_still_one_transaction(world: World) -> None:
    """The new connection has the isolation of a writing transaction, not that of a read."""
    hold, planner = world.hold(), world.agent("planner")
    task_id = decode(hold)[1]["task_id"]
    drop_connections(world)
    with pytest.raises(RuntimeError):
        delete_and_fail(world, task_id)
    assert planner.introspect(hold).json()["active"] is True


def delete_and_fail(world: World, task_id: str) -> None:
    with world.context.db.write() as tx:
        tx.execute(text("DELETE FROM deputize_task WHERE id = :id"), {"id": task_id})
        raise RuntimeError
