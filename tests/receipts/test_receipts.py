"""What a task leaves: a bundle that the public keys alone check, and that no change survives."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from joserfc import jws
from joserfc.jwk import ECKey
from sqlalchemy import select, update

from deputize.audit.keys import SigningKey
from deputize.audit.prove import prove
from deputize.audit.put_away import put_away
from deputize.audit.record import Event, record
from deputize.audit.statement import decoded, encoded
from deputize.cli import deputize
from deputize.delegation.persons import find_person_id
from deputize.endings.edit_catalogue import declare_scope
from deputize.endings.end_task import end_task
from deputize.endings.erase_person import erase_person
from deputize.passkeys.models import evidence
from deputize.receipts.make import NoReceipt, make_receipt
from deputize.receipts.receipt import NotAReceipt, check_receipt, sign
from deputize.tasks.lifecycle import TaskStatus
from support.agents_http import decode, http
from support.asking import Asking
from support.authenticator import enrolled, fresh_browser, read_signing_form
from support.running import Running
from support.world import CALENDAR, SCOPES, World, running_world

PAYING = replace(next(s for s in SCOPES if s.name == "pay:transfer"), acr="phr")
APPROVALS = "/deputize/approvals"


@dataclass
class Trip:
    """A task in which something was exchanged, handed over, signed with a passkey, and ended."""

    world: World
    task_id: str
    receipt: str
    keys: dict[str, ECKey]
    agent: str
    hold: str

    @property
    def claims(self) -> dict[str, Any]:
        return dict(json.loads(jws.extract_compact(self.receipt.encode()).payload))

    def refused_again(self) -> None:
        """Let the agent try once more what has ended."""
        assert self.world.agent(self.agent).exchange(self.hold, resource=CALENDAR).is_error

    def signed(self, claims: dict[str, Any]) -> str:
        """Sign as the server would: whoever has its key can say anything in its name."""
        with self.world.context.db.read() as tx:
            return sign(claims, sealer_of(self.world).keys.signing(tx))


def sealer_of(world: World) -> Any:
    return world.app.extensions["deputize"].sealer


def published_keys(world: World) -> dict[str, ECKey]:
    told = http.get(f"{world.url}/deputize/audit/jwks").json()["keys"]
    keys = [ECKey.import_key(jwk) for jwk in told]
    return {key.thumbprint(): key for key in keys}


@pytest.fixture(scope="module")
def trip(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trip]:
    with running_world(module_database_url, tmp_path_factory.mktemp("world")) as world:
        declare_scope(world.context.db, PAYING)
        passkey = enrolled(world, "ana")
        task = Running(world)
        world.agent(task.agent).exchange(task.hold, resource=CALENDAR)
        world.hand_over(task.hold, task.agent, "booker", "calendar:read")
        asking = Asking(world, world.agent(task.agent), task.hold)
        asking.asked()
        browser = fresh_browser(world, "ana")
        page = browser.get(APPROVALS).text
        (card,) = asking.cards()
        pressed = {
            "csrf_token": re.search(r'name="csrf_token" value="([^"]+)"', page)[1],  # type: ignore[index]
            "shown": card.content_hash,
            "decision": "approve",
            "scope": sorted(card.adding),
            "lifetime": "60",
        }
        form = read_signing_form(browser.post(f"{APPROVALS}/{card.id}", data=pressed).text)
        signed = browser.post(form.action, data=form.data(passkey.get(form.options, world.url)))
        assert signed.status_code == 303
        task.propose()
        receipt = make_receipt(sealer_of(world), task.id)
        yield Trip(world, task.id, receipt, published_keys(world), task.agent, task.hold)


class TestAGoodOne:
    def test_tells_the_task_and_its_end(self, trip: Trip) -> None:
        checked = check_receipt(trip.receipt, trip.keys)
        assert checked.issuer == trip.world.metadata["issuer"]
        assert (checked.task["task_id"], checked.task["status"]) == (trip.task_id, "completed")

    def test_holds_every_event_of_the_task_as_it_was_sealed(self, trip: Trip) -> None:
        told = [one.event["id"] for one in check_receipt(trip.receipt, trip.keys).events]
        known = [e["id"] for e in trip.world.events() if e["task_id"] == trip.task_id]
        assert sorted(told) == sorted(known)
        kinds = {one.event["kind"] for one in check_receipt(trip.receipt, trip.keys).events}
        assert {"delegation.issued", "approval.opened", "approval.approved", "task.ended"} <= kinds

    def test_names_both_principals_and_the_chain_in_each(self, trip: Trip) -> None:
        for one in check_receipt(trip.receipt, trip.keys).events:
            assert one.event["person_id"]
            assert one.event["chain"][0].startswith("runner-")

    def test_proves_what_the_person_signed(self, trip: Trip) -> None:
        (evidence,) = trip.claims["evidence"]
        assert check_receipt(trip.receipt, trip.keys).signed == (evidence["id"],)

    def test_holds_nothing_personal_but_an_id(self, trip: Trip) -> None:
        text = json.dumps(trip.claims) + "".join(
            decoded(one["event"]).decode() for one in trip.claims["events"]
        )
        assert "ana" not in re.findall(r"[A-Za-z]+", text)
        assert "Books trips" not in text

    def test_is_checked_on_the_command_line_by_the_keys_alone(
        self, trip: Trip, tmp_path: Path
    ) -> None:
        receipt, keys = tmp_path / "receipt", tmp_path / "keys.json"
        receipt.write_text(trip.receipt)
        keys.write_text(http.get(f"{trip.world.url}/deputize/audit/jwks").text)
        run = CliRunner().invoke(deputize, ["receipt", "verify", str(receipt), "--keys", str(keys)])
        assert run.exit_code == 0, run.output
        assert run.output.startswith(f"good: task {trip.task_id} of runner-")
        receipt.write_text(trip.receipt[:-8] + "AAAAAAAA")
        run = CliRunner().invoke(deputize, ["receipt", "verify", str(receipt), "--keys", str(keys)])
        assert (run.exit_code, run.stdout) == (1, "")


Change = Callable[[dict[str, Any]], Any]


def without_an_event(claims: dict[str, Any]) -> None:
    claims["events"] = [e for e in claims["events"] if b"task.ended" not in decoded(e["event"])]


def with_an_event_twice(claims: dict[str, Any]) -> None:
    claims["events"].append(claims["events"][0])


def with_an_edited_event(claims: dict[str, Any]) -> None:
    event = claims["events"][0]
    event["event"] = encoded(decoded(event["event"]).replace(b"runner-", b"walker-"))


def with_another_end(claims: dict[str, Any]) -> None:
    claims["task"]["status"] = "failed"


def of_another_person(claims: dict[str, Any]) -> None:
    claims["task"]["person_id"] = "0123456789abcdef"


def of_another_agent(claims: dict[str, Any]) -> None:
    claims["task"]["agent"] = "booker"


def that_ended_at_another_time(claims: dict[str, Any]) -> None:
    claims["task"]["ended_at"] += 1


def with_an_event_of_later(claims: dict[str, Any]) -> None:
    claims["sealed_through"] = max(e["position"] for e in claims["events"]) - 1


def of_another_task(claims: dict[str, Any]) -> None:
    claims["task"]["task_id"] = "0123456789abcdef"


def without_evidence(claims: dict[str, Any]) -> None:
    claims["evidence"] = []


def with_another_decision(claims: dict[str, Any]) -> None:
    claims["evidence"][0]["decision_hash"] = "0" * 64


def with_another_signature(claims: dict[str, Any]) -> None:
    signature = bytearray(decoded(claims["evidence"][0]["signature"]))
    signature[-1] ^= 1
    claims["evidence"][0]["signature"] = encoded(bytes(signature))


def where_nobody_was_verified(claims: dict[str, Any]) -> None:
    data = bytearray(decoded(claims["evidence"][0]["authenticator_data"]))
    data[32] &= ~0b100
    claims["evidence"][0]["authenticator_data"] = encoded(bytes(data))


def with_evidence_of_nothing(claims: dict[str, Any]) -> None:
    claims["evidence"].append(claims["evidence"][0] | {"id": "0123456789abcdef"})


class TestAChangedOne:
    """Also where the server's own key signed it again."""

    @pytest.mark.parametrize(
        "change",
        [
            without_an_event,
            with_an_event_twice,
            with_an_edited_event,
            with_another_end,
            of_another_person,
            of_another_agent,
            that_ended_at_another_time,
            with_an_event_of_later,
            of_another_task,
            without_evidence,
            with_another_decision,
            with_another_signature,
            where_nobody_was_verified,
            with_evidence_of_nothing,
            lambda claims: claims.pop("events"),
            lambda claims: claims.update(events=7),
            lambda claims: claims.pop("sealed_through"),
            lambda claims: claims.update(evidence=[{}]),
            lambda claims: claims.update(task=None),
            lambda claims: claims["evidence"][0].update(authenticator_data=""),
        ],
        ids=lambda change: change.__name__,
    )
    def test_proves_nothing(self, trip: Trip, change: Change) -> None:
        claims = trip.claims
        change(claims)
        with pytest.raises(NotAReceipt):
            check_receipt(trip.signed(claims), trip.keys)

    def test_signed_by_somebody_else_it_is_none(self, trip: Trip) -> None:
        key = ECKey.generate_key("P-256", private=True)
        forged = sign(trip.claims, SigningKey(key.thumbprint(), key))
        with pytest.raises(NotAReceipt):
            check_receipt(forged, trip.keys)

    @pytest.mark.parametrize("text", ["", "x", "a.b.c", "\x00", "é", "[]", "." * 50])
    def test_garbage_is_none(self, trip: Trip, text: str) -> None:
        with pytest.raises(NotAReceipt):
            check_receipt(text, trip.keys)

    def test_a_seal_of_the_same_key_is_none(self, trip: Trip) -> None:
        with pytest.raises(NotAReceipt):
            check_receipt(trip.claims["events"][0]["statement"], trip.keys)

    def test_a_token_is_none(self, trip: Trip) -> None:
        token = trip.world.hold()
        assert decode(token)
        with pytest.raises(NotAReceipt):
            check_receipt(token, trip.keys)

    def test_said_to_be_signed_by_nothing_it_is_none(self, trip: Trip) -> None:
        header, payload, _ = trip.receipt.split(".")
        said = json.loads(base64.urlsafe_b64decode(header + "==")) | {"alg": "none"}
        nothing = f"{encoded(json.dumps(said).encode())}.{payload}."
        with pytest.raises(NotAReceipt):
            check_receipt(nothing, trip.keys)


class TestWhatComesLater:
    """What agents try after the end is refused: it makes a receipt neither longer nor another."""

    def test_is_in_none(self, trip: Trip) -> None:
        before = check_receipt(trip.receipt, trip.keys)
        trip.world.pass_time(1)
        trip.refused_again()
        again = check_receipt(make_receipt(sealer_of(trip.world), trip.task_id), trip.keys)
        assert again.events == before.events
        assert again.sealed_through > before.sealed_through

    def test_signed_into_one_it_proves_nothing(self, trip: Trip) -> None:
        trip.world.pass_time(1)
        trip.refused_again()
        sealer_of(trip.world).seal()
        refused = trip.world.events("token.refused")
        later = [one for one in refused if one["task_id"] == trip.task_id][-1]
        with trip.world.context.db.read() as tx:
            proof = prove(tx, later["id"])
        claims = trip.claims | {"sealed_through": proof["position"]}
        assert check_receipt(trip.signed(claims), trip.keys)
        claims["events"].append(proof)
        with pytest.raises(NotAReceipt, match="later than it says"):
            check_receipt(trip.signed(claims), trip.keys)

    def test_what_is_not_sealed_yet_stops_none(
        self, trip: Trip, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It came between the seal and the read, within the second of the end."""
        sealer = sealer_of(trip.world)
        task = Running(trip.world)
        task.propose()
        before = check_receipt(make_receipt(sealer, task.id), trip.keys)
        with trip.world.context.db.write() as tx:
            tx.now = before.task["ended_at"]
            record(tx, Event("task.refused", agent=task.agent, task_id=task.id))
        monkeypatch.setattr(type(sealer), "seal", lambda _: 0)
        again = check_receipt(make_receipt(sealer, task.id), trip.keys)
        assert (again.events, again.sealed_through) == (before.events, before.sealed_through)


class TestWhenThereIsNone:
    def test_its_person_gets_it_and_nobody_else(self, trip: Trip) -> None:
        path = f"/deputize/agents/tasks/{trip.task_id}/receipt"
        mine = trip.world.browser("ana").get(path)
        assert check_receipt(mine.text, trip.keys).task["task_id"] == trip.task_id
        assert mine.headers["Content-Disposition"].startswith("attachment")
        assert trip.world.browser("ben").get(path).status_code == 404
        assert path in trip.world.browser("ana").get("/deputize/agents").text

    def test_while_the_task_runs(self, trip: Trip) -> None:
        running = Running(trip.world)
        with pytest.raises(NoReceipt, match="has not ended"):
            make_receipt(sealer_of(trip.world), running.id)

    def test_where_what_was_signed_is_another_decision(self, trip: Trip) -> None:
        """Whoever holds the database put what somebody signed at another time in its place."""
        db = trip.world.context.db
        with db.read() as tx:
            (kept,) = tx.execute(select(evidence.c.decision_hash)).scalars()
        for hash_, why in (("0" * 64, "not what was decided"), (kept, "")):
            with db.write() as tx:
                tx.execute(update(evidence).values(decision_hash=hash_))
            if why:
                with pytest.raises(NoReceipt, match=why):
                    make_receipt(sealer_of(trip.world), trip.task_id)
        assert make_receipt(sealer_of(trip.world), trip.task_id)

    def test_once_what_was_signed_is_erased(self, trip: Trip) -> None:
        with trip.world.context.db.read() as tx:
            person_id = find_person_id(tx, "ana")
        erase_person(trip.world.context.db, person_id or "", by="admin")
        with pytest.raises(NoReceipt, match="erased"):
            make_receipt(sealer_of(trip.world), trip.task_id)
        assert check_receipt(trip.receipt, trip.keys).task["task_id"] == trip.task_id

    def test_of_what_was_put_away_in_part(self, trip: Trip) -> None:
        """A receipt says that it is whole: of a long task, the oldest events are gone."""
        task, day = Running(trip.world), 86_400
        sealer_of(trip.world).seal()
        trip.world.pass_time(31 * day)
        end_task(trip.world.context.db, task.id, why="overdue", status=TaskStatus.OVERDUE)
        assert check_receipt(make_receipt(sealer_of(trip.world), task.id), trip.keys)
        assert put_away(sealer_of(trip.world), 30 * day)
        with pytest.raises(NoReceipt, match="put away"):
            make_receipt(sealer_of(trip.world), task.id)
        later = Running(trip.world)
        later.propose()
        assert check_receipt(make_receipt(sealer_of(trip.world), later.id), trip.keys)

    def test_of_no_task(self, trip: Trip) -> None:
        with pytest.raises(NoReceipt, match="no such task"):
            make_receipt(sealer_of(trip.world), "0123456789abcdef")
