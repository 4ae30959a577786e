"""The trail as an operator sees it: sealed by the server, verified by a command, on each engine."""

import json
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from cli.running import DEMO, Inside, Operator, Served
from support.agents_http import decode


@pytest.fixture
def operator(served: Served) -> Iterator[Operator]:
    """The operator of a server in which planner acts; what they touched is put back."""
    served.hold()
    served.operator.done("audit", "seal")
    yield served.operator
    verified = served.operator.run("audit", "verify")
    assert verified.returncode == 0, verified.stdout


def write(operator: Operator, sql: str) -> int:
    """Write to the database as somebody who holds it."""
    if operator.database is None:
        with closing(sqlite3.connect(operator.data / "deputize.sqlite3")) as connection:
            changed = connection.execute(sql).rowcount
            connection.commit()
            return changed
    url = make_url(operator.database).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        return connection.execute(sql.encode()).rowcount


def found(operator: Operator, *args: str) -> list[dict[str, Any]]:
    """Return what a verification that fails has found."""
    ended = operator.run("audit", "verify", "--json", *args)
    assert ended.returncode == 1, (ended.stdout, ended.stderr)
    told = json.loads(ended.stdout)
    assert told["intact"] is False
    return list(told["findings"])


class TestVerifying:
    def test_an_untouched_trail_is_intact_in_one_line(self, operator: Operator) -> None:
        (line,) = operator.done("audit", "verify").splitlines()
        assert line.startswith("intact: ")

    def test_an_edited_event_is_named(self, operator: Operator) -> None:
        told = operator.done("audit", "list", "--kind", "consent.granted", "--json", "--limit", "1")
        name = json.loads(told)["id"]
        edit = f"UPDATE deputize_event SET agent = '%s' WHERE id = '{name}'"
        assert write(operator, edit % "mallory") == 1
        (finding,) = found(operator)
        assert (finding["kind"], finding["event_id"]) == ("copy_edited", name)
        ended = operator.run("audit", "verify")
        assert name in ended.stdout
        assert ended.stdout.splitlines()[-1].startswith("not intact: 1 finding; ")
        write(operator, edit % "planner")

    def test_against_a_checkpoint_that_lay_elsewhere(
        self, operator: Operator, tmp_path: Path
    ) -> None:
        kept = tmp_path / "checkpoint.json"
        kept.write_text(operator.done("audit", "checkpoint"))
        assert operator.done("audit", "verify", "--against", str(kept)).startswith("intact: ")

    def test_a_checkpoint_of_another_trail_is_none_of_this(
        self, operator: Operator, tmp_path: Path
    ) -> None:
        other, kept = Inside(tmp_path / "other"), tmp_path / "checkpoint.json"
        kept.write_text(other.done("audit", "checkpoint"))
        assert {f["kind"] for f in found(operator, "--against", str(kept))} == {"checkpoint"}

    @pytest.mark.parametrize("text", ["", "\n\n"])
    def test_a_file_without_a_checkpoint_is_said_so(
        self, operator: Operator, tmp_path: Path, text: str
    ) -> None:
        kept = tmp_path / "checkpoint.json"
        kept.write_text(text)
        line = operator.failed("audit", "verify", "--against", str(kept))
        assert line == f"{kept}: no checkpoint in it"

    def test_a_file_that_is_not_there(self, operator: Operator) -> None:
        line = operator.failed("audit", "verify", "--against", "absent")
        assert line == "absent: No such file or directory"


class TestKeys:
    def test_a_new_key_signs_from_now_on(self, operator: Operator) -> None:
        said = operator.done("audit", "rotate-key")
        kid = said.split()[0]
        assert kid in operator.done("audit", "keys")
        operator.done("audit", "seal")
        checkpoint = json.loads(operator.done("audit", "checkpoint"))
        assert operator.done("audit", "verify").startswith("intact: ")
        # The new key's own event may still be in the old one's seal.
        header = decode(checkpoint["statement"])[0]
        assert header["typ"] == "audit-seal+jwt"


class TestProofs:
    def test_one_event_is_shown_to_who_may_see_no_other(
        self, operator: Operator, tmp_path: Path
    ) -> None:
        told = json.loads(operator.done("audit", "list", "--json", "--limit", "1"))
        operator.done("audit", "seal")
        proof = tmp_path / "proof.json"
        proof.write_text(operator.done("audit", "prove", told["id"]))
        first, shown = operator.done("audit", "verify-proof", str(proof)).splitlines()
        assert first.startswith("sealed 20")
        assert json.loads(shown) == told

    def test_what_proves_nothing_is_one_line(self, operator: Operator, tmp_path: Path) -> None:
        proof = tmp_path / "proof.json"
        proof.write_text("{}")
        assert operator.failed("audit", "verify-proof", str(proof)) == f"{proof}: is no proof"
        assert operator.failed("audit", "prove", "none") == "none: there is no such event"


class TestAServerThatStops:
    @pytest.mark.sqlite_only
    def test_all_it_did_is_sealed_when_it_has_stopped(self, tmp_path: Path) -> None:
        operator = Inside(tmp_path / "data")
        operator.done("apply", str(DEMO))
        with operator.serving() as url:
            Served(url, operator).hold()
        told = operator.run("audit", "verify", "--json")
        assert json.loads(told.stdout)["waiting"] == 0

    def test_its_checkpoints_are_its_users_alone(self, served: Served) -> None:
        file = served.operator.data / "audit-checkpoints.jsonl"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
