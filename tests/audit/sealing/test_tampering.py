"""Whoever writes to the database, and not as the server does, is found; and it is said where."""

import base64
import json
from dataclasses import replace

import pytest
from joserfc.jwk import ECKey

from audit.sealing.trails import ISSUER, Trail, kinds, only
from deputize.audit.findings import Found
from deputize.audit.keys import SigningKey
from deputize.audit.merkle import leaf_hash, tree_hash
from deputize.audit.statement import Statement, encoded, hash_of, kid_of, read, sign
from deputize.core.values import canonical_json


@pytest.fixture(autouse=True)
def sealed(trail: Trail) -> None:
    """Seals 1 to 4: of 1, 3, 5 and 2 events; the first is that of the key."""
    trail.sealer.seal()
    trail.sealed(3, 5, 2)


def test_what_nobody_touched_is_intact(trail: Trail) -> None:
    verdict = trail.verify_here()
    assert verdict.is_intact, verdict.findings
    assert (verdict.events, verdict.seals, verdict.checkpoints) == (11, 4, 2)


class TestOneEvent:
    def test_an_edited_body_is_that_events(self, trail: Trail) -> None:
        edit_body(trail, 6)
        assert only(trail.verify()) == (Found.EDITED, 3, 6, trail.id_at(6))

    @pytest.mark.parametrize(
        "edit",
        ["agent = 'booker'", "agent = NULL", "person_id = 'p'", "kind = 'a.b'", "at = at - 1"],
    )
    def test_an_edited_column_is_that_events(self, trail: Trail, edit: str) -> None:
        assert trail.tamper(f"UPDATE deputize_event SET {edit} WHERE position = 6") == 1
        assert only(trail.verify()) == (Found.COPY_EDITED, 3, 6, trail.id_at(6))

    def test_an_event_under_another_name_is_found(self, trail: Trail) -> None:
        trail.tamper("UPDATE deputize_event SET id = 'another' WHERE position = 6")
        assert only(trail.verify()) == (Found.COPY_EDITED, 3, 6, "another")

    def test_an_edited_body_with_its_leaf_is_that_seals(self, trail: Trail) -> None:
        edit_body(trail, 6)
        edit_leaf(trail, 6)
        assert only(trail.verify()) == (Found.SEAL_EDITED, 3, None, None)

    def test_a_deleted_event_is_missing_at_its_position(self, trail: Trail) -> None:
        trail.tamper("DELETE FROM deputize_event WHERE position = 6")
        assert only(trail.verify()) == (Found.MISSING, 3, 6, None)

    def test_an_event_deleted_with_its_leaf_is_found_by_its_seal(self, trail: Trail) -> None:
        trail.tamper("DELETE FROM deputize_event WHERE position = 9")
        cut_leaves(trail, 3)
        verdict = trail.verify()
        assert Found.SEAL_EDITED in kinds(verdict)
        assert {finding.seal for finding in verdict.findings} == {3}

    def test_two_that_were_swapped_are_named_both(self, trail: Trail) -> None:
        for position, new in ((6, 99), (7, 6), (99, 7)):
            move(trail, position, new)
        moved = {(f.kind, f.position, f.event_id) for f in trail.verify().findings}
        assert moved == {
            (Found.MOVED, 6, trail.id_at(6)),
            (Found.MOVED, 7, trail.id_at(7)),
        }

    def test_one_that_was_put_behind_the_last_is_found(self, trail: Trail) -> None:
        name = trail.id_at(6)
        move(trail, 6, 12)
        found = {(f.kind, f.position, f.event_id) for f in trail.verify().findings}
        assert found == {(Found.MISSING, 6, None), (Found.UNEXPECTED, 12, name)}

    def test_one_that_was_unsealed_is_missing_and_late(self, trail: Trail) -> None:
        name = trail.id_at(6)
        trail.tamper("UPDATE deputize_event SET position = NULL WHERE position = 6")
        assert only(trail.verify()) == (Found.MISSING, 3, 6, None)
        trail.clock.time += 61
        found = {(f.kind, f.position, f.event_id) for f in trail.verify().findings}
        assert found == {(Found.MISSING, 6, None), (Found.UNSEALED, None, name)}

    def test_one_that_was_unsealed_and_is_sealed_again_is_out_of_order(self, trail: Trail) -> None:
        trail.clock.time += 100
        trail.sealed(1)
        name = trail.id_at(6)
        trail.tamper("UPDATE deputize_event SET position = NULL WHERE position = 6")
        trail.sealed(1)
        found = {(f.kind, f.position, f.event_id) for f in trail.verify().findings}
        assert found == {(Found.MISSING, 6, None), (Found.OUT_OF_ORDER, 13, name)}

    def test_an_inserted_event_of_the_past_is_out_of_order(self, trail: Trail) -> None:
        then = trail.clock.time - 1000
        forged = {"id": "forged", "at": then, "kind": "delegation.issued", "agent": "planner"}
        insert(trail, forged)
        trail.clock.time += 61
        assert only(trail.verify()) == (Found.UNSEALED, None, None, "forged")
        trail.sealed(1)
        assert only(trail.verify()) == (Found.OUT_OF_ORDER, 5, 12, "forged")

    @pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"at": "x"}', b"[" * 100_000])
    def test_what_is_no_event_and_was_sealed_is_named(self, trail: Trail, body: bytes) -> None:
        insert(trail, {"id": "forged", "at": trail.clock.time, "kind": "x"}, body)
        trail.sealed(1)
        assert only(trail.verify())[0] == Found.UNEXPECTED


class TestSeals:
    def test_another_signed_time_is_no_signature(self, trail: Trail) -> None:
        head, claims, signature = statement_of(trail, 2).split(".")
        earlier = json.loads(decoded(claims)) | {"iat": trail.clock.time - 1000}
        set_statement(trail, 2, f"{head}.{encoded(canonical_json(earlier))}.{signature}")
        verdict = trail.verify()
        assert (verdict.findings[0].kind, verdict.findings[0].seal) == (Found.BAD_SIGNATURE, 2)

    @pytest.mark.parametrize("column", ["sealed_at", "events"])
    def test_a_row_that_says_otherwise_than_what_was_signed_is_found(
        self, trail: Trail, column: str
    ) -> None:
        trail.tamper(f"UPDATE deputize_seal SET {column} = {column} - 1 WHERE number = 3")
        found = [(f.kind, f.seal) for f in trail.verify().findings]
        assert (Found.SEAL_EDITED, 3) in found

    def test_a_deleted_seal_is_missing(self, trail: Trail) -> None:
        trail.tamper("DELETE FROM deputize_seal WHERE number = 2")
        assert Found.SEAL_MISSING in kinds(trail.verify())

    def test_a_seal_deleted_with_its_events_is_missing(self, trail: Trail) -> None:
        trail.tamper("DELETE FROM deputize_seal WHERE number = 2")
        trail.tamper("DELETE FROM deputize_event WHERE position BETWEEN 2 AND 4")
        assert Found.SEAL_MISSING in kinds(trail.verify())

    def test_a_new_first_seal_does_not_hide_that_others_are_gone(self, trail: Trail) -> None:
        trail.tamper("DELETE FROM deputize_seal WHERE number = 1")
        trail.tamper("DELETE FROM deputize_event WHERE position = 1")
        assert Found.SEAL_MISSING in kinds(trail.verify())

    def test_seals_that_changed_places_are_found(self, trail: Trail) -> None:
        second, third = statement_of(trail, 2), statement_of(trail, 3)
        set_statement(trail, 2, third)
        set_statement(trail, 3, second)
        found = {(f.kind, f.seal) for f in trail.verify().findings}
        assert {(Found.SEAL_EDITED, 2), (Found.SEAL_EDITED, 3)} < found

    def test_a_seal_of_another_key_is_found(self, trail: Trail) -> None:
        stranger = stranger_key()
        resign(trail, 4, stranger)
        assert only(trail.verify())[:2] == (Found.BAD_SIGNATURE, 4)

    def test_a_seal_of_a_key_that_somebody_added_is_found(self, trail: Trail) -> None:
        stranger = stranger_key()
        add_key(trail, stranger)
        resign(trail, 4, stranger)
        assert kinds(trail.verify()) == {Found.BAD_SIGNATURE, Found.KEY_ADDED}

    def test_a_key_that_somebody_added_is_found_before_it_signs(self, trail: Trail) -> None:
        """It is published with the others: it could sign receipts that anybody believes."""
        trail.sealer.rotate()
        assert trail.verify().is_intact
        stranger = stranger_key()
        add_key(trail, stranger)
        (finding,) = trail.verify().findings
        assert finding.kind == Found.KEY_ADDED
        assert stranger.kid in finding.text

    def test_a_key_under_anothers_name_is_none(self, trail: Trail) -> None:
        stranger = stranger_key()
        public = json.dumps(stranger.key.as_dict(private=False))
        trail.tamper("UPDATE deputize_audit_key SET public_jwk = :jwk", jwk=public)
        rewrite(trail, SigningKey(signing_key(trail).kid, stranger.key))
        assert kinds(trail.verify()) == {Found.BAD_SIGNATURE}

    def test_one_rewritten_with_the_real_key_is_not_whom_the_next_one_follows(
        self, trail: Trail
    ) -> None:
        edit_body(trail, 6)
        edit_leaf(trail, 6)
        sql = "SELECT leaves FROM deputize_seal WHERE number = 3"
        leaves = bytes(trail.rows(sql)[0].leaves)
        tree = tree_hash([leaves[at : at + 32] for at in range(0, len(leaves), 32)])
        edited = replace(read_at(trail, 3), tree=encoded(tree))
        set_statement(trail, 3, sign(edited, signing_key(trail)))
        assert only(trail.verify())[:2] == (Found.BROKEN_CHAIN, 4)


class TestTheTail:
    def test_events_cut_off_are_missing(self, trail: Trail) -> None:
        trail.tamper("DELETE FROM deputize_event WHERE position > 9")
        found = [(f.kind, f.position) for f in trail.verify().findings]
        assert found == [(Found.MISSING, 10), (Found.MISSING, 11)]

    def test_seals_cut_off_leave_events_that_no_seal_has(self, trail: Trail) -> None:
        trail.tamper("DELETE FROM deputize_seal WHERE number = 4")
        found = [(f.kind, f.position) for f in trail.verify().findings]
        assert found == [(Found.UNEXPECTED, 10), (Found.UNEXPECTED, 11)]

    def test_seals_cut_off_do_not_stop_what_comes_from_being_sealed(self, trail: Trail) -> None:
        trail.tamper("DELETE FROM deputize_seal WHERE number = 4")
        trail.sealed(2)
        assert trail.rows("SELECT 1 FROM deputize_event WHERE position IS NULL") == []
        assert Found.BROKEN_CHAIN in kinds(trail.verify())

    def test_events_and_seals_cut_off_are_found_by_what_this_machine_kept(
        self, trail: Trail
    ) -> None:
        cut(trail)
        assert trail.verify().is_intact
        assert only(trail.verify_here()) == (Found.CHECKPOINT, 4, None, None)

    def test_a_cut_that_was_grown_over_is_found_still(self, trail: Trail) -> None:
        cut(trail)
        trail.sealed(1, 1, 1)
        assert trail.verify().is_intact
        assert only(trail.verify_here()) == (Found.CHECKPOINT, 4, None, None)

    def test_all_of_it_deleted_is_found(self, trail: Trail) -> None:
        for table in ("event", "seal"):
            trail.tamper(f"DELETE FROM deputize_{table}")
        assert kinds(trail.verify()) == {Found.MISSING}


class TestWhoHoldsTheKeyToo:
    def test_a_trail_rolled_back_ends_before_a_checkpoint(self, trail: Trail) -> None:
        backup = trail.copied()
        trail.sealed(2)
        kept = trail.checkpoint()
        trail.put_back(backup)
        assert trail.verify().is_intact
        assert only(trail.verify(kept)) == (Found.CHECKPOINT, 5, None, None)

    def test_a_trail_rolled_back_that_went_on_is_another(self, trail: Trail) -> None:
        backup = trail.copied()
        trail.sealed(2)
        kept = trail.checkpoint()
        trail.put_back(backup)
        trail.clock.time += 5
        trail.sealed(2, 2)
        assert trail.verify().is_intact
        assert only(trail.verify(kept)) == (Found.CHECKPOINT, 5, None, None)

    def test_a_trail_rewritten_with_the_real_key_is_another(self, trail: Trail) -> None:
        kept = trail.checkpoint()
        edit_body(trail, 6)
        rewrite(trail)
        assert trail.verify().is_intact
        assert only(trail.verify(kept)) == (Found.CHECKPOINT, 4, None, None)

    def test_a_trail_rewritten_with_another_key_is_another(self, trail: Trail) -> None:
        kept = trail.checkpoint()
        edit_body(trail, 6)
        stranger = stranger_key()
        trail.tamper("DELETE FROM deputize_audit_key")
        add_key(trail, stranger)
        rewrite(trail, stranger)
        assert trail.verify().is_intact
        assert kinds(trail.verify(kept)) == {Found.CHECKPOINT}

    def test_the_same_signed_again_is_the_same(self, trail: Trail) -> None:
        kept = trail.checkpoint()
        resign(trail, 4, signing_key(trail))
        assert trail.checkpoint() != kept
        assert trail.verify(kept).is_intact

    @pytest.mark.parametrize("line", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
    def test_what_is_no_checkpoint_is_said_so(self, trail: Trail, line: str) -> None:
        assert kinds(trail.verify(line)) == {Found.CHECKPOINT}

    def test_a_forged_checkpoint_is_no_checkpoint(self, trail: Trail) -> None:
        real = read_at(trail, 3)
        forged = sign(replace(real, events=7), stranger_key())
        assert "signed by a key that is not among ours" in trail.verify(forged).findings[0].text


def test_of_many_findings_the_first_thousand_are_told(trail: Trail) -> None:
    trail.sealed(500, 500, 500)
    trail.tamper("DELETE FROM deputize_event WHERE position > 11")
    verdict = trail.verify()
    assert (len(verdict.findings), verdict.untold) == (1000, 500)


# -- the intruder's tools --------------------------------------------------------------


def edit_body(trail: Trail, position: int) -> None:
    edited = canonical_json(body_at(trail, position) | {"jti": "another"})
    sql = "UPDATE deputize_event SET body = :body WHERE position = :position"
    assert trail.tamper(sql, body=edited, position=position) == 1


def body_at(trail: Trail, position: int) -> dict[str, object]:
    sql = "SELECT body FROM deputize_event WHERE position = :position"
    ((body,),) = trail.rows(sql, position=position)
    read: dict[str, object] = json.loads(bytes(body))
    return read


def edit_leaf(trail: Trail, position: int) -> None:
    sql = "SELECT number, first_position, leaves FROM deputize_seal WHERE first_position <= :p"
    number, first, leaves = trail.rows(f"{sql} ORDER BY number", p=position)[-1]
    index = position - first
    own = leaf_hash(canonical_json(body_at(trail, position)))
    edited = bytes(leaves[: index * 32]) + own + bytes(leaves[(index + 1) * 32 :])
    sql = "UPDATE deputize_seal SET leaves = :leaves WHERE number = :number"
    trail.tamper(sql, leaves=edited, number=number)


def cut_leaves(trail: Trail, number: int) -> None:
    ((leaves,),) = trail.rows("SELECT leaves FROM deputize_seal WHERE number = :n", n=number)
    sql = "UPDATE deputize_seal SET leaves = :leaves, events = events - 1 WHERE number = :n"
    trail.tamper(sql, leaves=bytes(leaves[:-32]), n=number)


def move(trail: Trail, position: int, new: int) -> None:
    sql = "UPDATE deputize_event SET position = :new WHERE position = :position"
    assert trail.tamper(sql, position=position, new=new) == 1


def insert(trail: Trail, row: dict[str, object], body: bytes | None = None) -> None:
    names = ", ".join([*row, "body"])
    marks = ", ".join(f":{name}" for name in [*row, "body"])
    sql = f"INSERT INTO deputize_event ({names}) VALUES ({marks})"
    trail.tamper(sql, **row, body=canonical_json(row) if body is None else body)


def cut(trail: Trail) -> None:
    trail.tamper("DELETE FROM deputize_seal WHERE number = 4")
    trail.tamper("DELETE FROM deputize_event WHERE position > 9")


def statement_of(trail: Trail, number: int) -> str:
    ((statement,),) = trail.rows("SELECT statement FROM deputize_seal WHERE number = :n", n=number)
    return str(statement)


def set_statement(trail: Trail, number: int, signed: str) -> None:
    sql = "UPDATE deputize_seal SET statement = :signed WHERE number = :number"
    assert trail.tamper(sql, signed=signed, number=number) == 1


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def stranger_key() -> SigningKey:
    key = ECKey.generate_key("P-256", private=True)
    return SigningKey(key.thumbprint(), key)


def signing_key(trail: Trail) -> SigningKey:
    with trail.db.read() as tx:
        return trail.sealer.keys.signing(tx)


def read_at(trail: Trail, number: int) -> Statement:
    signed = statement_of(trail, number)
    key = signing_key(trail)
    assert kid_of(signed) == key.kid
    return read(signed, {key.kid: key.key})[0]


def resign(trail: Trail, number: int, key: SigningKey) -> None:
    set_statement(trail, number, sign(read_at(trail, number), key))


def add_key(trail: Trail, key: SigningKey) -> None:
    sql = "INSERT INTO deputize_audit_key (kid, public_jwk, created_at) VALUES (:kid, :jwk, 1)"
    trail.tamper(sql, kid=key.kid, jwk=json.dumps(key.key.as_dict(private=False)))


def rewrite(trail: Trail, key: SigningKey | None = None) -> None:
    """Make all seals anew over the bodies as they are now, as whoever holds a key can."""
    key = key or SigningKey(*_opened(trail))
    previous = None
    seals = trail.rows("SELECT number, first_position, events, sealed_at FROM deputize_seal")
    for number, first, events, sealed_at in sorted(seals):
        leaves = [
            leaf_hash(canonical_json(body_at(trail, position)))
            for position in range(first, first + events)
        ]
        tree = encoded(tree_hash(leaves))
        signed = sign(Statement(ISSUER, number, first, events, tree, previous, sealed_at), key)
        previous = hash_of(signed)
        sql = "UPDATE deputize_seal SET leaves = :leaves, statement = :signed WHERE number = :n"
        trail.tamper(sql, leaves=b"".join(leaves), signed=signed, n=number)


def _opened(trail: Trail) -> tuple[str, ECKey]:
    key = signing_key(trail)
    return key.kid, key.key
