"""One event can be shown with what proves that it was sealed, and no other with it."""

from typing import Any

import pytest

from audit.sealing.trails import Trail
from deputize.audit.keys import find_public_keys
from deputize.audit.prove import NotProved, Proved, check, prove
from deputize.audit.statement import encoded


@pytest.fixture(autouse=True)
def sealed(trail: Trail) -> None:
    trail.sealer.seal()
    trail.sealed(7, 1)


def proof_at(trail: Trail, position: int) -> dict[str, Any]:
    with trail.db.read() as tx:
        return prove(tx, trail.id_at(position))


def checked(trail: Trail, proof: Any) -> Proved:
    with trail.db.read() as tx:
        return check(proof, find_public_keys(tx))


@pytest.mark.parametrize("position", [1, 2, 5, 8, 9])
def test_it_proves_its_event_at_its_place(trail: Trail, position: int) -> None:
    proved = checked(trail, proof_at(trail, position))
    assert proved.event["id"] == trail.id_at(position)
    assert proved.position == position


def test_it_is_good_when_the_event_was_put_away(trail: Trail) -> None:
    proof = proof_at(trail, 4)
    trail.tamper("DELETE FROM deputize_event")
    assert checked(trail, proof).position == 4


@pytest.mark.parametrize(
    "change",
    [
        {"event": encoded(b'{"kind":"another"}')},
        {"position": 3},
        {"position": 5},
        {"position": -4},
        {"position": "x"},
        {"path": []},
        {"path": ["!"]},
        {"path": None},
        {"event": "é"},
        {"event": None},
        {"statement": "x.y.z"},
        {"statement": None},
    ],
)
def test_a_changed_one_proves_nothing(trail: Trail, change: dict[str, Any]) -> None:
    with pytest.raises(NotProved):
        checked(trail, proof_at(trail, 4) | change)


@pytest.mark.parametrize("proof", [None, [], "x", 1, {}])
def test_what_is_no_proof_is_said_so(trail: Trail, proof: Any) -> None:
    with pytest.raises(NotProved, match="is no proof"):
        checked(trail, proof)


def test_there_is_none_of_what_is_not_sealed_or_not_there(trail: Trail) -> None:
    trail.happen()
    ((name,),) = trail.rows("SELECT id FROM deputize_event WHERE position IS NULL")
    with trail.db.read() as tx:
        for event_id, reason in ((name, "not sealed yet"), ("none", "no such event")):
            with pytest.raises(NotProved, match=reason):
                prove(tx, event_id)


def test_there_is_none_of_a_position_that_no_seal_gave(trail: Trail) -> None:
    trail.tamper("DELETE FROM deputize_seal WHERE number > 2")
    with pytest.raises(NotProved, match="no seal has its position"):
        proof_at(trail, 9)
