"""No statement of the daily business reads a table from end to end, on either database.

The statements are those that the drivers were given, and their plans those of a database
that has been used by many for a day.
"""

import pytest

from deputize.audit.query import Search, find_events
from storage.hearing import Ear, Statement
from storage.operations import OPERATIONS, done
from storage.plans import scanned
from support.world import World

Heard = dict[str, list[Statement]]

#: Tables that may be read whole, for they are small by nature; the catalogue and the keys
#: are read whole on purpose, once, when their number in `deputize_version` has changed.
SMALL = {
    "deputize_version": "two rows: the numbers of the catalogue and of the keys",
    "deputize_scope": "the catalogue: tens of rows that an administrator declared",
    "deputize_resource_server": "the catalogue likewise",
    "deputize_signing_key": "the keys: one signs, a few still verify",
    "deputize_audit_key": "the keys of seals: one signs, of the older ones the public half",
    "due": "no table, but what of the outbox is due at this moment, found by its index",
    "oldest": "no table, but the events of one seal, found by their index",
    "placed": "the same, with their positions",
}

#: What looks at everything: PostgreSQL reads these whole as long as one page holds most of them.
#: SQLite, which is asked likewise, finds each by its index.
OF_ALL = {
    "looking_at_the_graph": {f"deputize_{of}" for of in ("person", "task", "delegation", "agent")},
    "looking_at_agents": {"deputize_agent"},
    "looking_at_agents_of_mine": {"deputize_agent"},
}


@pytest.fixture(scope="module")
def heard(world: World) -> Heard:
    """What each operation asks, by its name."""
    ear, heard = Ear(world.context.db), Heard()
    for prepare in OPERATIONS:
        act = prepare(world)
        with ear.hearing() as statements:
            done(act)
        heard[prepare.__name__] = statements
    return heard


@pytest.mark.parametrize("name", [operation.__name__ for operation in OPERATIONS])
def test_no_table_that_grows_is_read_from_end_to_end(world: World, heard: Heard, name: str) -> None:
    assert heard[name]
    whole = set() if world.context.db.is_sqlite else OF_ALL.get(name, set())
    for statement in heard[name]:
        assert scanned(world.context.db, statement) <= SMALL.keys() | whole, statement


@pytest.mark.parametrize(
    "search",
    [
        Search(),
        Search(person_id="somebody"),
        Search(agent="planner"),
        Search(task_id="one"),
        Search(task_id="one", delegation_id="another"),
        Search(rule="quota.nodes"),
        Search(person_id="somebody", kind="delegation", since=1, until=2),
    ],
)
def test_a_search_of_the_trail_reads_no_more_than_it_shows(world: World, search: Search) -> None:
    with Ear(world.context.db).hearing() as statements, world.context.db.read() as tx:
        find_events(tx, search, 100, before="6525a0b0-x")
    assert statements
    for statement in statements:
        assert not scanned(world.context.db, statement), statement


def test_a_scan_would_be_seen(world: World) -> None:
    unindexed = Statement("SELECT id FROM deputize_event WHERE kind = 'token.used'")
    assert scanned(world.context.db, unindexed) == {"deputize_event"}


def test_a_scan_in_what_is_written_would_be_seen(world: World) -> None:
    unindexed = Statement("UPDATE deputize_task SET purpose = '' WHERE ended_why = 'overdue'")
    assert scanned(world.context.db, unindexed) == {"deputize_task"}
