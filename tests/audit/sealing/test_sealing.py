"""Positions are given at sealing, in the order of time, and to all that is committed by then."""

import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from sqlalchemy.exc import OperationalError

from audit.sealing.trails import ISSUER, Trail
from deputize.audit import seal as sealing
from deputize.audit.keys import SEALING, AuditKeys, find_public_keys, published
from deputize.audit.put_away import put_away
from deputize.audit.record import Event, record
from deputize.audit.statement import NotAStatement, Statement, hash_of, read
from deputize.core.db import Transaction
from deputize.part import ConfigurationError

DAY = 86_400


class TestPositions:
    def test_an_event_has_none_before_it_is_sealed(self, trail: Trail) -> None:
        trail.happen(3)
        assert positions(trail) == []
        assert trail.sealer.seal() == 4
        assert positions(trail) == [1, 2, 3, 4]

    def test_they_are_given_in_the_order_of_time(self, trail: Trail) -> None:
        trail.clock.time += 5
        trail.happen(2)
        trail.clock.time -= 3
        trail.happen(2)
        trail.sealer.seal()
        times = [row.at for row in trail.rows("SELECT at FROM deputize_event ORDER BY position")]
        assert times == sorted(times)

    def test_what_waits_is_sealed_in_batches_of_bounded_size(
        self, trail: Trail, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sealing, "AT_ONCE", 4)
        trail.happen(9)
        assert trail.sealer.seal() == 10
        assert [(s.first_position, s.events) for s in statements(trail)] == [(1, 4), (5, 4), (9, 2)]
        assert trail.verify().is_intact

    def test_where_nothing_waits_no_seal_is_made(self, trail: Trail) -> None:
        assert [trail.sealer.seal() for _ in range(3)] == [1, 0, 0]
        assert len(statements(trail)) == 1

    def test_what_was_rolled_back_has_none(self, trail: Trail) -> None:
        with suppress(ZeroDivisionError), trail.db.write() as tx:
            record(tx, Event("delegation.issued"))
            raise ZeroDivisionError
        assert trail.sealer.seal() == 1


class TestCommitAndSeal:
    @pytest.mark.postgresql_only
    def test_what_commits_while_another_seals_is_in_a_later_seal(self, trail: Trail) -> None:
        with committing(trail) as commit:
            trail.clock.time += 1
            trail.happen(2)
            assert trail.sealer.seal() == 3
            commit()
        assert trail.sealer.seal() == 1
        assert positions(trail) == [1, 2, 3, 4]
        assert trail.verify().is_intact

    @pytest.mark.postgresql_only
    def test_nobody_waits_for_whoever_seals(self, trail: Trail) -> None:
        with trail.db.write([SEALING]) as tx:
            trail.sealer.seal_in(tx)
            trail.happen(2)
        assert trail.sealer.seal() == 2

    def test_many_that_record_and_many_that_seal_leave_no_gap_and_no_repeat(
        self, trail: Trail
    ) -> None:
        stop = threading.Event()

        def go_on_sealing() -> None:
            while not stop.is_set():
                trail.sealer.seal()

        def go_on_recording() -> None:
            for _ in range(25):
                trail.happen(3)

        with ThreadPoolExecutor(8) as pool:
            sealers = [pool.submit(go_on_sealing) for _ in range(3)]
            recorders = [pool.submit(go_on_recording) for _ in range(5)]
            for each in recorders:
                each.result()
            stop.set()
            for each in sealers:
                each.result()
        trail.sealer.seal()
        assert positions(trail) == list(range(1, 5 * 25 * 3 + 2))
        assert trail.verify_here().is_intact


class TestTheThread:
    @pytest.mark.parametrize("error", [OperationalError("x", {}, Exception()), TypeError()])
    def test_what_fails_once_is_tried_again(
        self, trail: Trail, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        monkeypatch.setattr(sealing, "_AWAY", 0.01)
        trail.happen()
        stop, fails = threading.Event(), [error]

        def announce(_: Transaction, kinds: Collection[str]) -> None:
            if fails:
                raise fails.pop()
            stop.set()

        replace(trail.sealer, announce=announce, every=0).run(stop)
        assert positions(trail) == [1, 2]


class TestWhatIsSigned:
    def test_each_names_the_one_before(self, trail: Trail) -> None:
        trail.sealed(1, 1, 1)
        signed = [row.statement for row in in_order(trail)]
        made = statements(trail)
        assert made[0].previous is None
        assert [s.previous for s in made[1:]] == [hash_of(each) for each in signed[:-1]]
        assert {s.issuer for s in made} == {ISSUER}

    def test_it_is_a_jws_of_a_type_of_its_own_by_the_published_key(self, trail: Trail) -> None:
        trail.sealed(1)
        with trail.db.read() as tx:
            keys = find_public_keys(tx)
        header = jws.extract_compact(trail.checkpoint().encode()).headers()
        assert (header["alg"], header["typ"]) == ("ES256", "audit-seal+jwt")
        (jwk,) = published(keys)["keys"]
        assert (jwk["kid"], jwk["use"]) == (header["kid"], "sig")
        assert "d" not in jwk

    @pytest.mark.parametrize("typ", [None, "JWT", "at+jwt", "secevent+jwt"])
    def test_what_its_key_signs_of_another_type_is_no_seal(
        self, trail: Trail, typ: str | None
    ) -> None:
        trail.sealed(1)
        with trail.db.read() as tx:
            key, keys = trail.sealer.keys.signing(tx), find_public_keys(tx)
        payload = jws.extract_compact(trail.checkpoint().encode()).payload
        header = {"alg": "ES256", "kid": key.kid} | ({"typ": typ} if typ else {})
        with pytest.raises(NotAStatement):
            read(jws.serialize_compact(header, payload, key.key), keys)

    def test_the_private_key_is_encrypted_at_rest(self, trail: Trail) -> None:
        ((stored,),) = trail.rows("SELECT private_jwk FROM deputize_audit_key")
        assert not stored.startswith("{")
        with pytest.raises(ConfigurationError, match=r"deputize\.key_secret"):
            AuditKeys("another secret").prepare(trail.db)


class TestANewKey:
    def test_the_old_one_names_it_in_its_last_seal(self, trail: Trail) -> None:
        trail.sealed(2)
        kid = trail.sealer.rotate()
        trail.sealed(2)
        made = statements(trail)
        assert [s.next_kid for s in made] == [None, kid, None]
        with trail.db.read() as tx:
            signers = [read(r.statement, find_public_keys(tx))[1] for r in in_order(trail)]
        assert signers[0] == signers[1] != signers[2] == kid
        assert trail.verify_here().is_intact

    def test_of_the_old_one_nothing_is_left_to_sign_with(self, trail: Trail) -> None:
        trail.sealer.rotate()
        left = trail.rows("SELECT private_jwk FROM deputize_audit_key WHERE private_jwk IS NULL")
        assert len(left) == 1

    def test_each_leaves_an_event(self, trail: Trail) -> None:
        kid = trail.sealer.rotate()
        told = trail.rows("SELECT body FROM deputize_event WHERE kind = 'audit.key_made'")
        assert any(kid.encode() in bytes(body) for (body,) in told)


class TestWhatIsPutAway:
    def test_old_events_go_and_the_trail_is_verifiable_still(self, trail: Trail) -> None:
        trail.sealed(5, 5)
        trail.clock.time += 31 * DAY
        trail.sealed(3)
        assert put_away(trail.sealer, 30 * DAY) == 11
        verdict = trail.verify_here()
        assert verdict.is_intact, verdict.findings
        assert (verdict.events, verdict.put_away, verdict.waiting) == (4, 11, 0)
        trail.clock.time += 31 * DAY
        trail.sealed(1)
        assert put_away(trail.sealer, 30 * DAY) == 3
        assert trail.verify_here().is_intact

    def test_younger_ones_stay_whatever_is_asked_for(self, trail: Trail) -> None:
        trail.sealed(5)
        trail.clock.time += 29 * DAY
        assert put_away(trail.sealer, 0) == 0

    def test_it_is_said_what_went(self, trail: Trail) -> None:
        trail.sealed(5)
        trail.clock.time += 40 * DAY
        put_away(trail.sealer, 30 * DAY)
        put_away(trail.sealer, 30 * DAY)
        told = trail.rows("SELECT body FROM deputize_event WHERE kind = 'audit.put_away'")
        ((body,),) = told
        assert b'"through_position":6' in bytes(body)

    def test_one_that_is_deleted_beside_is_missing(self, trail: Trail) -> None:
        trail.sealed(5)
        trail.clock.time += 40 * DAY
        trail.sealed(5)
        put_away(trail.sealer, 30 * DAY)
        trail.tamper("DELETE FROM deputize_event WHERE position = 8")
        (finding,) = trail.verify_here().findings
        assert (finding.kind, finding.position) == ("missing", 8)

    @pytest.mark.parametrize("through", [4, 6, 10**6, -1, "9"])
    def test_nobodys_word_makes_a_young_one_go(self, trail: Trail, through: object) -> None:
        trail.sealed(5)
        with trail.db.write() as tx:
            record(tx, Event("audit.put_away", facts={"through_position": through}))
        trail.sealed(1)
        trail.tamper("DELETE FROM deputize_event WHERE position = 4")
        assert [f.kind for f in trail.verify().findings] == ["missing"]


@pytest.mark.sqlite_only
class TestThePrefix:
    """V20: what is sealed at one time is how the trail begins at any later time."""

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(
            st.one_of(
                st.tuples(st.just("happen"), st.integers(1, 9)),
                st.tuples(st.just("seal"), st.just(0)),
                st.tuples(st.just("rotate"), st.just(0)),
                st.tuples(st.just("pass"), st.sampled_from([1, 30, 40 * DAY])),
                st.tuples(st.just("put_away"), st.just(0)),
            ),
            max_size=14,
        )
    )
    def test_it_only_grows(self, trail: Trail, history: list[tuple[str, int]]) -> None:
        trail.empty()
        acts = {
            "happen": trail.happen,
            "seal": lambda _: trail.sealer.seal(),
            "rotate": lambda _: trail.sealer.rotate(),
            "pass": lambda seconds: setattr(trail.clock, "time", trail.clock.time + seconds),
            "put_away": lambda _: put_away(trail.sealer, 30 * DAY),
        }
        earlier: list[list[tuple[str, bytes]]] = [[]]
        for name, number in history:
            acts[name](number)
            earlier.append([(row.statement, bytes(row.leaves)) for row in in_order(trail)])
        trail.sealer.seal()
        for before, after in pairwise(earlier):
            assert after[: len(before)] == before
        verdict = trail.verify_here()
        assert verdict.is_intact, verdict.findings
        assert verdict.waiting == 0


# -- what stands in the database ----------------------------------------------------------


def positions(trail: Trail) -> list[int]:
    asked = "SELECT position FROM deputize_event WHERE position IS NOT NULL ORDER BY position"
    return [row.position for row in trail.rows(asked)]


def in_order(trail: Trail) -> list[Any]:
    return trail.rows("SELECT statement, leaves FROM deputize_seal ORDER BY number")


def statements(trail: Trail) -> list[Statement]:
    with trail.db.read() as tx:
        keys = find_public_keys(tx)
    return [read(row.statement, keys)[0] for row in in_order(trail)]


@contextmanager
def committing(trail: Trail) -> Iterator[Callable[[], None]]:
    """Record an event in a transaction that stays open until it is told to commit."""
    recorded, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with trail.db.write() as tx:
            record(tx, Event("delegation.issued"))
            recorded.set()
            go_on.wait(20)

    def commit() -> None:
        go_on.set()
        thread.join()

    thread = threading.Thread(target=hold)
    thread.start()
    assert recorded.wait(20)
    yield commit
    commit()
