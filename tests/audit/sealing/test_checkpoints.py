"""Checkpoints lie where whoever changes the database does not reach: in a file of this machine."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audit.sealing.trails import Trail, kinds, only
from deputize.audit.checkpoint_file import EVERY
from deputize.audit.findings import Found
from deputize.audit.keys import SEALING


class TestTheFileOfThisMachine:
    def test_it_is_readable_by_the_servers_user_alone(self, trail: Trail) -> None:
        trail.sealed(1)
        for path in (trail.file.path, trail.file.newest):
            assert path.stat().st_mode & 0o777 == 0o600

    def test_it_grows_by_one_line_a_minute_and_the_newest_stands_beside(self, trail: Trail) -> None:
        trail.sealed(1, 1, 1)
        assert [line["seal"] for line in lines(trail.file.path)] == [1]
        assert [line["seal"] for line in lines(trail.file.newest)] == [3]
        a_minute_later(trail.file.path)
        trail.sealed(1, 1)
        assert [line["seal"] for line in lines(trail.file.path)] == [1, 4]
        assert [line["seal"] for line in lines(trail.file.newest)] == [5]

    def test_what_was_kept_and_rewritten_since_stays_as_a_line(self, trail: Trail) -> None:
        trail.sealed(1)
        backup = trail.copied()
        trail.sealed(1)
        trail.put_back(backup)
        trail.clock.time += 9
        trail.sealed(1, 1, 1)
        assert [line["seal"] for line in lines(trail.file.path)] == [1, 2]
        assert [line["seal"] for line in lines(trail.file.newest)] == [4]
        assert only(trail.verify_here())[:2] == (Found.CHECKPOINT, 2)

    def test_a_worker_that_comes_late_takes_no_newer_one_away(self, trail: Trail) -> None:
        with trail.db.write([SEALING]) as tx:
            late = trail.sealer.seal_in(tx)
        assert late is not None
        trail.sealed(1)
        trail.sealer.keep(late)
        assert [line["seal"] for line in lines(trail.file.newest)] == [2]

    @pytest.mark.parametrize(
        "torn", ["", "{", "[]", '{"seal": 1}', '{"seal": "x", "statement": 1}']
    )
    def test_a_torn_newest_is_written_anew(self, trail: Trail, torn: str) -> None:
        trail.sealed(1)
        trail.file.newest.write_text(torn)
        trail.sealed(1)
        assert [line["seal"] for line in lines(trail.file.newest)] == [2]

    def test_a_torn_line_swallows_no_other(self, trail: Trail) -> None:
        trail.sealed(1)
        with trail.file.path.open("a") as file:
            file.write('{"seal": 2, "statem')
        a_minute_later(trail.file.path)
        trail.sealed(1)
        *_, torn, whole = trail.file.path.read_text().splitlines()
        assert (torn, json.loads(whole)["seal"]) == ('{"seal": 2, "statem', 2)

    def test_a_line_that_somebody_wrote_there_is_said_to_be_none(self, trail: Trail) -> None:
        trail.sealed(1)
        with trail.file.path.open("a") as file:
            file.write("x\n")
        assert kinds(trail.verify_here()) == {Found.CHECKPOINT}

    def test_a_file_that_cannot_be_written_stops_no_sealing(
        self, trail: Trail, tmp_path: Path
    ) -> None:
        trail.happen()
        elsewhere = replace(trail.sealer, file=type(trail.file)(tmp_path / "none" / "file"))
        assert elsewhere.seal() == 2


def a_minute_later(path: Path) -> None:
    before = path.stat().st_mtime - EVERY
    os.utime(path, (before, before))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
