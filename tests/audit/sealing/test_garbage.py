"""Whatever somebody writes into the database, it is examined to the end, and it is a finding."""

import pytest

from audit.sealing.trails import Trail, kinds
from deputize.audit.findings import MOST, Found
from deputize.audit.statement import NotAStatement, encoded, read
from deputize.core.values import canonical_json

HIGHEST = 2**63 - 1


@pytest.fixture(autouse=True)
def sealed(trail: Trail) -> None:
    trail.sealer.seal()
    trail.sealed(3, 5, 2)


@pytest.mark.parametrize(
    "written",
    [
        f"UPDATE deputize_event SET position = {HIGHEST} WHERE position = 6",
        f"UPDATE deputize_event SET position = {-HIGHEST - 1} WHERE position = 6",
        "UPDATE deputize_event SET position = 0 WHERE position = 6",
        "UPDATE deputize_event SET position = -6 WHERE position = 6",
        f"UPDATE deputize_seal SET first_position = {HIGHEST} WHERE number = 3",
        f"UPDATE deputize_seal SET first_position = {-HIGHEST - 1} WHERE number = 3",
        "UPDATE deputize_seal SET first_position = 3 WHERE number = 3",
        "UPDATE deputize_seal SET events = 2147483647 WHERE number = 4",
        "UPDATE deputize_seal SET events = -1 WHERE number = 3",
        "UPDATE deputize_seal SET events = 0 WHERE number = 3",
        f"UPDATE deputize_seal SET number = {HIGHEST} WHERE number = 4",
        f"UPDATE deputize_seal SET number = {-HIGHEST - 1} WHERE number = 2",
        "UPDATE deputize_seal SET number = 0 WHERE number = 1",
        f"UPDATE deputize_seal SET sealed_at = {HIGHEST} WHERE number = 3",
        "UPDATE deputize_seal SET statement = '' WHERE number = 3",
        "UPDATE deputize_seal SET statement = 'x.y.z' WHERE number = 3",
        "UPDATE deputize_audit_key SET public_jwk = '[]'",
        "UPDATE deputize_audit_key SET public_jwk = '{}'",
        "UPDATE deputize_audit_key SET public_jwk = ''",
    ],
)
def test_in_either_database(trail: Trail, written: str) -> None:
    assert trail.tamper(written) == 1
    assert not trail.verify_here().is_intact


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    "written",
    [
        "UPDATE deputize_event SET position = 'x' WHERE position = 6",
        "UPDATE deputize_event SET position = 6.5 WHERE position = 6",
        "UPDATE deputize_event SET position = x'00' WHERE position = 6",
        "UPDATE deputize_event SET body = CAST(body AS TEXT) WHERE position = 6",
        "UPDATE deputize_event SET body = 1 WHERE position = 6",
        "UPDATE deputize_event SET at = 'x' WHERE position = 6",
        "UPDATE deputize_event SET id = x'ff' WHERE position = 6",
        "UPDATE deputize_seal SET leaves = 'x' WHERE number = 3",
        "UPDATE deputize_seal SET leaves = x'00' WHERE number = 3",
        "UPDATE deputize_seal SET number = 'x' WHERE number = 3",
        "UPDATE deputize_seal SET number = 2.5 WHERE number = 3",
        "INSERT INTO deputize_seal SELECT 'x', 99, 1, 1, leaves, '' FROM deputize_seal LIMIT 1",
        "UPDATE deputize_seal SET first_position = 'x' WHERE number = 3",
        "UPDATE deputize_seal SET events = 'x' WHERE number = 3",
        "UPDATE deputize_seal SET statement = x'ff' WHERE number = 3",
        "INSERT INTO deputize_event (id, at, kind, body, position) VALUES ('a', 1, 'b', 'c', 'd')",
    ],
)
def test_of_any_type_in_any_column(trail: Trail, written: str) -> None:
    assert trail.tamper(written) == 1
    assert not trail.verify_here().is_intact


@pytest.mark.sqlite_only
@pytest.mark.parametrize("body", ["'text'", "1", "1.5"])
def test_what_cannot_be_hashed_stops_no_sealing(trail: Trail, body: str) -> None:
    trail.tamper(f"INSERT INTO deputize_event (id, at, kind, body) VALUES ('a', 1, 'b', {body})")
    trail.sealed(1)
    verdict = trail.verify()
    assert (verdict.waiting, kinds(verdict)) == (0, {Found.EDITED})


@pytest.mark.parametrize("at", [10**30, -(10**30), "x", None, 1.5])
@pytest.mark.parametrize("through", [10**30, -(10**30), "x", None, [1]])
def test_a_forged_event_of_any_content_is_examined(
    trail: Trail, at: object, through: object
) -> None:
    forged = {"id": "a", "at": at, "kind": "audit.put_away", "through_position": through}
    trail.tamper(
        "INSERT INTO deputize_event (id, at, kind, body) VALUES ('a', 1, 'audit.put_away', :body)",
        body=canonical_json(forged),
    )
    trail.sealed(1, 1)
    found = trail.verify().findings
    assert {finding.event_id for finding in found} == {"a"}


def test_an_event_of_the_future_casts_no_doubt_on_those_that_follow(trail: Trail) -> None:
    later = {"id": "a", "at": trail.clock.time + 10**6, "kind": "b"}
    trail.tamper(
        "INSERT INTO deputize_event (id, at, kind, body) VALUES ('a', :at, 'b', :body)",
        at=later["at"],
        body=canonical_json(later),
    )
    trail.sealed(2, 2)
    (finding,) = trail.verify().findings
    assert (finding.kind, finding.event_id) == (Found.OUT_OF_ORDER, "a")


def test_a_gap_of_any_size_is_told_in_bounded_time(trail: Trail) -> None:
    trail.tamper("UPDATE deputize_seal SET events = 2147483647 WHERE number = 4")
    verdict = trail.verify()
    assert len(verdict.findings) == MOST
    assert verdict.untold > 10**9


@pytest.mark.parametrize(
    "header", [b"[]", b'"x"', b"1", b"{}", b'{"typ":"audit-seal+jwt"}', b"\xff"]
)
def test_a_statement_with_any_header_is_none(header: bytes) -> None:
    with pytest.raises(NotAStatement):
        read(f"{encoded(header)}.e30.AAAA", {})
