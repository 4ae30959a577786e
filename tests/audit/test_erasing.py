"""A person is erased: nothing of them is left in any byte, and the trail stays as it was."""

import hashlib
import hmac
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import insert, select

from deputize.agents.models import find_agent
from deputize.approvals.choices import choice, set_quiet_hours, switch
from deputize.approvals.quiet import QuietHours
from deputize.approvals.user_code import set_user_code, user_code
from deputize.audit.models import event
from deputize.cli import deputize
from deputize.core.db import Database, Kind, Lock, Transaction
from deputize.core.db import metadata as tables
from deputize.core.sealed import Box
from deputize.core.secrets import digest, new_id
from deputize.delegation.models import ERASED, archived, delegation, person
from deputize.delegation.persons import find_person_id
from deputize.endings.archive import archive
from deputize.endings.erase_person import erase_person
from deputize.endings.stop_agent import start_agent
from deputize.host import Person
from deputize.passkeys.models import evidence, passkey
from deputize.settings import WebPush
from deputize.tasks.models import task
from deputize.web_push.add import add_browser
from deputize.web_push.application_server import ApplicationServer
from deputize.web_push.models import browser
from support.agents_http import outcome
from support.asking import Asking
from support.details import declare, folders, spelled
from support.push_service import PushBrowser
from support.world import CALENDAR, World, running_world

WHO = "wren-of-marsh-lane"
MESSAGE = "Lunch at Hawthorn cottage"
FOLDER = "diary-of-last-summer"
PHONE = "wrens-old-telephone"
PERSONAL = (WHO, MESSAGE, FOLDER, PHONE)
BY = "command line"

#: Tables that hold nothing of a person: catalogue, keys, counters, and hashes of random secrets.
IMPERSONAL = {
    "deputize_audit_key",
    "deputize_seal",
    "deputize_details_type",
    "deputize_quota",
    "deputize_resource_server",
    "deputize_scope",
    "deputize_signing_key",
    "deputize_used_once",
    "deputize_vapid_key",
    "deputize_version",
}

#: Tables that are erased from, or written over.
ERASED_FROM = {
    "deputize_agent",
    "deputize_approval",
    "deputize_approval_group",
    "deputize_approval_vote",
    "deputize_archived_delegation",
    "deputize_auth_request",
    "deputize_browser",
    "deputize_code",
    "deputize_delegation",
    "deputize_evidence",
    "deputize_notify_choice",
    "deputize_outbox",
    "deputize_passkey",
    "deputize_passkey_challenge",
    "deputize_person",
    "deputize_pushed_request",
    "deputize_refresh_token",
    "deputize_single_use",
    "deputize_spawn_token",
    "deputize_task",
    "deputize_user_code",
    "deputize_user_code_try",
}


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    with running_world(database_url, tmp_path) as running:
        declare(running)
        running.host.people[WHO] = Person(WHO, "Wren")
        yield running


@pytest.fixture
def wren(world: World) -> Asking:
    """Somebody on whose behalf much was done, some of it long ago."""
    details = {
        "scope": "files:read calendar:read tasks",
        "authorization_details": spelled(folders(FOLDER)),
    }
    old = world.hold("planner", WHO, **details)
    world.agent("planner").revoke(old)
    archive(world.context.db, before=now(world))
    asking = Asking(world, world.agent("planner"), world.hold("planner", WHO, **details), WHO)
    answered = asking.asked(binding_message=MESSAGE)
    asking.say_yes()
    assert asking.poll(answered).status_code == 200
    asking.asked(binding_message=f"{MESSAGE}, again")
    set_user_code(world.context.db, WHO, "a code of wren's")
    keep_keys(world, asking.cards()[-1].decision_hash or "")
    return asking


def keep_keys(world: World, decided: str) -> None:
    """Store a passkey, what it signed, and a browser, as their pages do."""
    with world.context.db.write() as tx:
        mine = {
            "id": new_id(),
            "person_id": find_person_id(tx, WHO),
            "name": PHONE,
            "created_at": 1,
        }
        key = {"credential_id": PHONE, "public_key": b"", "sign_count": 0, "counts_from": 1}
        tx.execute(insert(passkey), mine | key)
        signed = {"id": new_id(), "passkey_id": mine["id"], "decision_hash": decided, "at": 1}
        proof = {"client_data": PHONE.encode(), "authenticator_data": b"", "signature": b""}
        tx.execute(insert(evidence), signed | proof | {"nonce": "n"})
        sealed = {"endpoint_hash": digest(PHONE), "subscription": "sealed"}
        tx.execute(insert(browser), mine | sealed)


def now(world: World) -> int:
    with world.context.db.read() as tx:
        return tx.now


def id_of(world: World, key: str = WHO) -> str:
    with world.context.db.read() as tx:
        return str(find_person_id(tx, key))


def erase(world: World) -> str:
    person_id = id_of(world)
    erase_person(world.context.db, person_id, by=BY)
    return person_id


def everything(world: World) -> str:
    """Return all that the tables hold, as text."""
    with world.context.db.read() as tx:
        rows = [dict(row) for t in tables.sorted_tables for row in tx.execute(select(t)).mappings()]
    return repr(rows)


class TestWhatIsPersonal:
    def test_was_there_before(self, world: World, wren: Asking) -> None:
        assert wren.cards()
        assert all(words in everything(world) for words in PERSONAL)

    def test_is_in_no_row_afterwards(self, world: World, wren: Asking) -> None:
        code_of = hashlib.sha256(wren.cards()[0].content_hash.encode()).hexdigest()
        shown = [card.content_hash for card in wren.cards()]
        erase(world)
        left = everything(world)
        assert not [words for words in (*PERSONAL, code_of, *shown) if words in left]

    @pytest.mark.sqlite_only
    def test_is_in_no_byte_of_the_files(self, world: World, wren: Asking) -> None:
        person_id = erase(world)
        assert world.context.db.rewrite()
        database = Path(str(world.context.db.url.database))
        files = [f for f in database.parent.iterdir() if f.name.startswith(database.name)]
        kept = b"".join(file.read_bytes() for file in files)
        assert person_id.encode() in kept
        assert not [words for words in PERSONAL if words.encode() in kept]

    @pytest.mark.postgresql_only
    def test_is_never_rewritten_by_us_on_postgresql(self, world: World) -> None:
        assert not world.context.db.rewrite()

    def test_is_looked_for_in_every_table(self) -> None:
        """A new table is erased from, or holds nothing of a person: somebody has to say which."""
        assert {t.name for t in tables.sorted_tables} == IMPERSONAL | ERASED_FROM | {event.name}

    def test_stays_of_others(self, world: World, wren: Asking) -> None:
        anas = Asking(world, world.agent("planner"), world.hold(), "ana")
        anas.asked(binding_message="Of ana")
        erase(world)
        (card,) = anas.cards()
        assert card.binding_message == "Of ana"
        assert anas.say_yes(card) == "done"


class TestTheTrail:
    def test_stays_as_it_was_byte_by_byte(self, world: World, wren: Asking) -> None:
        before = bodies(world)
        erase(world)
        after = bodies(world)
        assert before.items() <= after.items()

    def test_tells_of_it_under_the_same_id(self, world: World, wren: Asking) -> None:
        person_id = erase(world)
        (told,) = world.events("person.erased")
        assert (told["person_id"], told["facts"]["by"]) == (person_id, BY)

    def test_binds_content_until_then_and_tells_it_to_nobody_after(
        self, world: World, wren: Asking
    ) -> None:
        card = wren.cards()[-1]
        (told,) = world.events("approval.approved")
        with world.context.db.read() as tx:
            salt = tx.execute(select(person.c.salt).where(person.c.id == id_of(world))).scalar_one()
        bound = hmac.new(salt, card.content_hash.encode(), "sha256").hexdigest()
        assert told["facts"]["content"] == bound
        person_id = erase(world)
        with world.context.db.read() as tx:
            left = tx.execute(select(person.c.salt).where(person.c.id == person_id)).scalar_one()
        assert left != salt
        assert len(left) == len(salt)


class TestAuthority:
    def test_ends_with_all_that_hung_on_it(self, world: World, wren: Asking) -> None:
        used = wren.agent.exchange(wren.hold, resource=CALENDAR).json()["access_token"]
        assert world.is_active(used)
        erase(world)
        assert not world.is_active(used)
        assert outcome(wren.agent.exchange(wren.hold)) == (400, "invalid_request")
        assert world.events("task.ended")[-1]["facts"]["why"] == "erased"

    def test_a_question_that_waits_is_withdrawn(self, world: World, wren: Asking) -> None:
        waiting = wren.asked(binding_message="Another")
        erase(world)
        assert world.events("approval.withdrawn")
        assert outcome(wren.poll(waiting)) == (400, "invalid_grant")

    def test_ends_whatever_is_made_at_that_moment(self, world: World, wren: Asking) -> None:
        made: list[str] = []

        def make() -> None:
            while (answer := wren.agent.exchange(wren.hold, resource=CALENDAR)).status_code == 200:
                made.append(answer.json()["access_token"])

        makers = [threading.Thread(target=make) for _ in range(3)]
        for maker in makers:
            maker.start()
        erase(world)
        for maker in makers:
            maker.join()
        assert not [token for token in made if world.is_active(token)]
        assert not [words for words in PERSONAL if words in everything(world)]

    def test_rows_stay_for_what_leads_to_them(self, world: World, wren: Asking) -> None:
        person_id = erase(world)
        with world.context.db.read() as tx:
            row = tx.execute(select(person).where(person.c.id == person_id)).one()
            nodes = tx.execute(select(delegation).where(delegation.c.person_id == person_id)).all()
            put_away = tx.execute(select(archived).where(archived.c.person_id == person_id)).all()
            of = tx.execute(select(task).where(task.c.person_id == person_id)).all()
        assert row.status == ERASED
        assert nodes
        assert put_away
        assert {one.purpose for one in of} == {""}

    def test_who_comes_again_is_somebody_else(self, world: World, wren: Asking) -> None:
        before = erase(world)
        hold = world.hold("planner", WHO)
        assert id_of(world) != before
        assert wren.agent.exchange(hold, resource=CALENDAR).status_code == 200

    def test_once_more_is_done_again(self, world: World, wren: Asking) -> None:
        person_id = erase(world)
        erase_person(world.context.db, person_id, by=BY)
        assert len(world.events("person.erased")) == 2


class TestAgents:
    """Whoever answers for one is named in its registration."""

    def test_one_that_they_answered_for_is_suspended(self, world: World, wren: Asking) -> None:
        world.register("courier", owner=WHO, sponsor="ben")
        hold = world.hold("courier", "ana")
        erase(world)
        known = registered(world, "courier")
        assert (known.owner, known.sponsor, known.status) == (None, "ben", "suspended")
        assert world.agent("courier").introspect(hold).status_code == 401
        assert not start_agent(world.context.db, "courier"), "nobody answers for it"

    def test_one_that_they_sponsored_goes_on(self, world: World, wren: Asking) -> None:
        world.register("courier", owner="ben", sponsor=WHO)
        erase(world)
        known = registered(world, "courier")
        assert (known.owner, known.sponsor, known.status) == ("ben", None, "active")

    def test_one_that_registered_itself_and_was_adopted_is_suspended(
        self, world: World, wren: Asking
    ) -> None:
        world.register("porter", owner=WHO, origin="self")
        erase(world)
        assert registered(world, "porter").status == "suspended"

    def test_one_that_was_theirs_alone_is_retired(self, world: World, wren: Asking) -> None:
        world.register("butler", owner=WHO, only_for=WHO, origin="self", name=PHONE)
        erase(world)
        known = registered(world, "butler")
        assert (known.owner, known.only_for, known.status) == (None, None, "retired")
        assert known.name == ""

    def test_a_helper_for_their_task_says_no_more_what_it_was_for(
        self, world: World, wren: Asking
    ) -> None:
        child = world.spawn("planner", world.hold("planner", WHO), "calendar:read")
        erase(world)
        known = registered(world, child)
        assert (known.status, known.purpose) == ("retired", "")


class ErasedFirst(Database):
    """A database on which somebody is erased just before whoever waits for their lock has it."""

    def __init__(self, of: Database, person_id: str) -> None:
        vars(self).update(vars(of))
        self._of, self._waiting = of, [person_id]

    @contextmanager
    def write(self, locks: Iterable[Lock] = ()) -> Iterator[Transaction]:
        locks = list(locks)
        while self._waiting and Kind.PERSON in {lock.kind for lock in locks}:
            erase_person(self._of, self._waiting.pop(), by=BY)
        with self._of.write(locks) as tx:
            yield tx


def add(db: Database) -> None:
    said = PushBrowser("https://push.example.com/1").subscription()
    server = ApplicationServer(db, Box(None, "browsers"), WebPush(services=("push.example.com",)))
    add_browser(server, WHO, said, PHONE)


class TestWhatComesAtTheSameTime:
    """Whoever keeps something of a person holds their lock, and looks at who they are under it."""

    @pytest.mark.parametrize(
        "keep",
        [
            add,
            lambda db: switch(db, WHO, "chat", is_on=False),
            lambda db: set_quiet_hours(db, WHO, QuietHours(0, 60, "Europe/Lisbon")),
            lambda db: set_user_code(db, WHO, "another code"),
        ],
        ids=["a browser", "a channel", "quiet hours", "a code"],
    )
    def test_is_of_somebody_new(self, world: World, keep: Callable[[Database], None]) -> None:
        world.hold("planner", WHO)
        before = id_of(world)
        keep(ErasedFirst(world.context.db, before))
        assert id_of(world) != before
        with world.context.db.read() as tx:
            for table in (browser, choice, user_code):
                owners = set(tx.execute(select(table.c.person_id)).scalars())
                assert owners <= {id_of(world)}, table.name


def registered(world: World, client_id: str) -> Any:
    with world.context.db.read() as tx:
        known = find_agent(tx, client_id)
    assert known is not None
    return known


def bodies(world: World) -> dict[str, bytes]:
    with world.context.db.read() as tx:
        return {row.id: bytes(row.body) for row in tx.execute(select(event.c.id, event.c.body))}


class TestTheCommand:
    def run(self, world: World, *args: str, said: str = "") -> Result:
        asked = ["people", "erase", *args]
        return world.app.test_cli_runner().invoke(deputize, asked, input=said)

    def test_asks_first(self, world: World, wren: Asking) -> None:
        told = self.run(world, WHO, said="n\n")
        assert told.exit_code == 1
        assert "Erase Wren?" in told.output
        assert wren.cards()

    def test_erases_by_name_and_rewrites_the_file(self, world: World, wren: Asking) -> None:
        person_id = id_of(world)
        told = self.run(world, "--yes", WHO)
        assert told.exit_code == 0, told.output
        assert f"the trail calls them {person_id}" in told.output
        assert ("was rewritten" in told.output) == world.context.db.is_sqlite
        assert not [words for words in PERSONAL if words in everything(world)]

    def test_knows_them_by_our_id_afterwards(self, world: World, wren: Asking) -> None:
        person_id = erase(world)
        assert self.run(world, "--yes", WHO).exit_code == 1
        assert self.run(world, "--yes", "--", person_id).exit_code == 0
        listed = world.app.test_cli_runner().invoke(deputize, ["delegations", "list", "--all"])
        assert f"erased:{person_id}" in listed.output
