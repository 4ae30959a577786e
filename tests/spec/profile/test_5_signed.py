"""What is seen is what is signed: a passkey's yes is good for exactly one decision, once."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import unescape
from typing import Any

import cbor2
import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from deputize.approvals.decide import Outcome
from deputize.catalogue.details import DetailsType
from deputize.catalogue.models import Scope
from deputize.delegation.persons import find_person_id
from deputize.endings.edit_catalogue import declare_details_type, declare_scope
from deputize.endings.remove_passkey import remove_passkey
from deputize.host import Authentication, Person, PersonToken
from deputize.passkeys.models import evidence, passkey, passkey_from_row, passkeys_of
from support.agents_http import decode, http, outcome, unix_time
from support.asking import Asking
from support.authenticator import (
    Authenticator,
    Form,
    enrol,
    enrolled,
    fresh_browser,
    read_signing_form,
)
from support.world import PAY, SCOPES, World

pytestmark = pytest.mark.section("profile", "5")

PAYING = replace(next(s for s in SCOPES if s.name == "pay:transfer"), acr="phr")
PLAIN = Scope("pay:look", PAY, "See your payments", sensitive=True)
LISTING = Scope("pay:list", PAY, "List your payees", sensitive=True, acr="phr")
PAYMENT = DetailsType(
    type="payment",
    scope="pay:transfer",
    schema=json.dumps({"type": "object", "required": ["type", "amount", "creditor"]}),
    template="Pay {amount} to {creditor}",
    compare=json.dumps({"amount": "at_most"}),
    consumable="amount",
)
ASKED = [{"type": "payment", "amount": "420.00", "creditor": "Airline X"}]


@pytest.fixture(scope="module")
def world(world_on_each_engine: World) -> World:
    world = world_on_each_engine
    declare_details_type(world.context.db, PAYMENT)
    declare_scope(world.context.db, PLAIN)
    declare_scope(world.context.db, LISTING)
    own = frozenset({"pay:transfer", "pay:look", "pay:list", "calendar:read", "flights:search"})
    for client_id in ("planner", "booker", "checker"):
        world.edit(client_id, scope=own)
    return world


@pytest.fixture(autouse=True)
def rule(world: World) -> Iterator[None]:
    declare_scope(world.context.db, PAYING)
    yield
    declare_scope(world.context.db, PAYING)


@dataclass
class Signer:
    """The person that an agent asks, at their browser, with a passkey that counts."""

    asking: Asking
    key: Authenticator
    browser: httpx.Client

    @property
    def world(self) -> World:
        return self.asking.world

    def press(self, amount: str = "400.00", **changed: Any) -> httpx.Response:
        """Press "Approve" on the card that waits, with a lower amount."""
        card = self.asking.cards()[0]
        page = self.browser.get("/deputize/approvals").text
        form = {
            "csrf_token": csrf_of(page),
            "shown": card.content_hash,
            "decision": "approve",
            "scope": sorted(card.adding),
            "lifetime": "60",
        } | ({"amount-0-amount": amount} if card.details else {})
        return self.browser.post(f"/deputize/approvals/{card.id}", data=form | changed)

    def form(self, **pressed: Any) -> Form:
        """Return the form that waits for the signature."""
        page = self.press(**pressed)
        assert page.status_code == 200, page.text
        return read_signing_form(page.text)

    def sign(self, form: Form, key: Authenticator | None = None, **changed: str) -> httpx.Response:
        credential = (key or self.key).get(form.options, self.world.url)
        return self.browser.post(form.action, data=form.data(credential, **changed))

    def approve(self, **pressed: Any) -> None:
        assert self.sign(self.form(**pressed)).status_code == 303


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None, page
    return found[1]


def signer_of(world: World, name: str, key: Authenticator | None = None) -> Signer:
    """Return somebody new who is asked for 420.00."""
    world.host.people.setdefault(name, Person(name, name.title()))
    key = key or enrolled(world, name)
    asking = Asking(world, world.agent("planner"), "", name)
    return Signer(asking, key, fresh_browser(world, name))


def ask(signer: Signer, **params: Any) -> str:
    """Let planner ask for a payment, by a hold of now."""
    hold = signer.world.hold("planner", signer.asking.person, scope="calendar:read")
    signer.asking.hold = hold
    usual = {"authorization_details": json.dumps(ASKED)}
    return signer.asking.asked(**usual | params)


@pytest.fixture(scope="module")
def people() -> Iterator[Any]:
    return iter(range(1000))


@pytest.fixture
def signer(world: World, people: Any) -> Signer:
    return signer_of(world, f"signer-{next(people)}")


def claims_of(signer: Signer, request: str) -> dict[str, Any]:
    signer.world.pass_time(6)
    token = signer.asking.poll(request).raise_for_status().json()["access_token"]
    return dict(decode(token)[1])


def is_undecided(signer: Signer, request: str) -> bool:
    signer.world.pass_time(6)
    return outcome(signer.asking.poll(request)) == (400, "authorization_pending")


class TestSigning:
    def test_the_token_says_what_was_signed_and_how(self, signer: Signer) -> None:
        request = ask(signer)
        form = signer.form()
        assert signer.sign(form).status_code == 303
        at = unix_time()
        claims = claims_of(signer, request)
        (card,) = signer.asking.cards()
        assert claims["authorization_details"][0]["amount"] == "400.00"
        assert (claims["acr"], claims["amr"]) == ("phr", ["pop", "user"])
        assert abs(claims["auth_time"] - at) <= 2
        assert claims["approval_evidence"] == card.evidence_id
        told = [e["facts"] for e in signer.world.events("approval.approved")][-1]
        assert told["evidence_id"] == card.evidence_id

    def test_the_page_says_it_all(self, signer: Signer) -> None:
        ask(signer)
        page = signer.press(amount="400")
        text = " ".join(unescape(re.sub(r"<[^>]+>", " ", page.text)).split())
        assert "You sign exactly this Pay 400 to Airline X" in text
        assert "It lasts at most 1 minute." in text
        assert "420" not in text
        assert "There is no other way." in text
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        inbox = signer.browser.get("/deputize/approvals")
        assert "To approve it you sign it with a passkey" in inbox.text
        agents = signer.browser.get("/deputize/agents")
        assert "script-src" not in agents.headers["Content-Security-Policy"]

    def test_anybody_can_verify_it_from_what_is_stored(self, signer: Signer) -> None:
        """With the rows, SHA-256 and ECDSA alone: nothing here is ours."""
        ask(signer)
        signer.approve()
        (card,) = signer.asking.cards()
        with signer.world.context.db.read() as tx:
            found = select(evidence).where(evidence.c.id == card.evidence_id)
            row = tx.execute(found).mappings().one()
            keys = select(passkey.c.public_key).where(passkey.c.id == row["passkey_id"])
            cose = cbor2.loads(tx.execute(keys).scalar_one())
        decided = {
            "content": card.content_hash,
            "scope": sorted(card.granted_scope),
            "details": json.dumps(
                [dict(detail) for detail in card.granted_details],
                sort_keys=True,
                separators=(",", ":"),
            ),
            "lifetime": card.granted_lifetime,
            "for_task": False,
        }
        spelled = json.dumps(decided, sort_keys=True, separators=(",", ":")).encode()
        assert hashlib.sha256(spelled).hexdigest() == row["decision_hash"]
        challenge = hashlib.sha256((row["nonce"] + row["decision_hash"]).encode()).digest()
        said = json.loads(row["client_data"])
        assert decoded(said["challenge"]) == challenge
        assert row["authenticator_data"][32] & 0x04
        point = ec.EllipticCurvePublicNumbers(
            int.from_bytes(cose[-2], "big"), int.from_bytes(cose[-3], "big"), ec.SECP256R1()
        )
        signed = row["authenticator_data"] + hashlib.sha256(row["client_data"]).digest()
        point.public_key().verify(row["signature"], signed, ec.ECDSA(hashes.SHA256()))

    def test_what_takes_none_is_approved_without_one(self, signer: Signer) -> None:
        request = ask(signer, scope="openid pay:look", authorization_details=None)
        assert signer.press().status_code == 303
        claims = claims_of(signer, request)
        assert claims["acr"] == "pwd"
        assert "approval_evidence" not in claims

    def test_a_no_takes_none(self, signer: Signer) -> None:
        request = ask(signer)
        assert signer.press(decision="deny").status_code == 303
        assert outcome(signer.asking.poll(request)) == (400, "access_denied")


class TestNothingElseWillDo:
    @pytest.mark.parametrize("acr", ["pwd", "phr"])
    def test_no_session_whatever_the_host_says_of_it(self, signer: Signer, acr: str) -> None:
        ask(signer)
        told = Authentication(unix_time(), acr, ("hwk",))
        assert signer.asking.say_yes(authentication=told) == Outcome.SIGN_IN

    @pytest.mark.parametrize("acr", ["pwd", "phr"])
    def test_no_app_by_the_approval_api(self, signer: Signer, acr: str) -> None:
        request = ask(signer)
        (card,) = signer.asking.cards()
        how = Authentication(unix_time(), acr)
        person = signer.world.host.people[signer.asking.person]
        signer.world.host.tokens["app"] = PersonToken(
            person, "phone", frozenset({"approvals"}), how
        )
        answer = http.post(
            f"{signer.world.metadata['approvals_endpoint']}/{card.id}",
            headers={"Authorization": "Bearer app"},
            json={"decision": "approve", "content_hash": card.content_hash},
        )
        assert answer.status_code == 401
        assert 'acr_values="phr"' in answer.headers["WWW-Authenticate"]
        assert is_undecided(signer, request)

    @pytest.mark.parametrize("credential", ["", "null", "{}", "\0"])
    def test_no_form_without_a_signature(self, signer: Signer, credential: str) -> None:
        request = ask(signer)
        form = signer.form()
        answer = signer.browser.post(form.action, data=form.data(credential))
        assert (answer.status_code, "Nothing was granted" in answer.text) == (400, True)
        assert is_undecided(signer, request)

    def test_a_host_that_claims_it_for_what_takes_none_is_not_believed(
        self, signer: Signer
    ) -> None:
        request = ask(signer, scope="openid pay:look", authorization_details=None)
        told = Authentication(unix_time(), "phr", ("hwk",))
        assert signer.asking.say_yes(authentication=told) == Outcome.DONE
        assert "acr" not in claims_of(signer, request)

    def test_a_rule_that_asks_by_the_time_of_redemption(self, signer: Signer) -> None:
        declare_scope(signer.world.context.db, replace(PAYING, acr=None))
        request = ask(signer)
        told = Authentication(unix_time(), "phr", ("hwk",))
        assert signer.asking.say_yes(authentication=told) == Outcome.DONE
        declare_scope(signer.world.context.db, PAYING)
        assert outcome(signer.asking.poll(request)) == (400, "access_denied")

    def test_no_passkey_that_does_not_count_yet(self, world: World, people: Any) -> None:
        name = f"young-{next(people)}"
        world.host.people[name] = Person(name, name)
        key, _ = enrol(world, name)
        signer = signer_of(world, name, key)
        request = ask(signer)
        answer = signer.press()
        assert (answer.status_code, "none that counts yet" in answer.text) == (403, True)
        assert is_undecided(signer, request)


class TestExactlyThat:
    def test_another_amount_is_not_what_was_signed(self, signer: Signer) -> None:
        request = ask(signer)
        form = signer.form(amount="1.00")
        assert signer.sign(form, **{"amount-0-amount": "400.00"}).status_code == 400
        assert is_undecided(signer, request)

    @pytest.mark.parametrize(
        "changed",
        [{"lifetime": "300"}, {"scope": "pay:look"}, {"shown": "0" * 64}, {"nonce": "x" * 43}],
        ids=lambda changed: next(iter(changed)),
    )
    def test_nor_is_anything_else_that_was_changed(
        self, signer: Signer, changed: dict[str, str]
    ) -> None:
        request = ask(signer)
        assert signer.sign(signer.form(), **changed).status_code in (400, 409)
        assert is_undecided(signer, request)

    def test_what_was_signed_for_one_card_is_not_for_another(self, signer: Signer) -> None:
        first = ask(signer)
        form = signer.form()
        second = ask(signer, binding_message="Another")
        card = next(c for c in signer.asking.cards() if c.binding_message == "Another")
        credential = signer.key.get(form.options, signer.world.url)
        data = form.data(credential, shown=card.content_hash)
        answer = signer.browser.post(f"/deputize/approvals/{card.id}/signed", data=data)
        assert answer.status_code == 400
        assert is_undecided(signer, first)
        assert is_undecided(signer, second)

    def test_nor_is_what_somebody_else_signed(self, world: World, people: Any) -> None:
        mine = signer_of(world, f"one-{next(people)}")
        theirs = signer_of(world, f"two-{next(people)}")
        request = ask(mine)
        form = mine.form()
        assert mine.sign(form, theirs.key).status_code == 400
        credential = mine.key.get(form.options, world.url)
        theirs.browser.post(form.action, data=form.data(credential))
        assert is_undecided(mine, request)

    def test_it_is_good_once(self, signer: Signer) -> None:
        request = ask(signer)
        form = signer.form()
        credential = signer.key.get(form.options, signer.world.url)
        assert signer.browser.post(form.action, data=form.data(credential)).status_code == 303
        assert signer.browser.post(form.action, data=form.data(credential)).status_code >= 400
        assert claims_of(signer, request)["acr"] == "phr"

    def test_of_two_at_one_moment_one_is_heard(self, signer: Signer) -> None:
        ask(signer)
        form = signer.form()
        data = form.data(signer.key.get(form.options, signer.world.url))
        answers: list[int] = []

        def post() -> None:
            with httpx.Client(base_url=signer.world.url, cookies=signer.browser.cookies) as own:
                answers.append(own.post(form.action, data=data).status_code)

        posting = [threading.Thread(target=post) for _ in range(4)]
        for one in posting:
            one.start()
        for one in posting:
            one.join()
        assert sorted(answers)[0] == 303
        assert answers.count(303) == 1
        with signer.world.context.db.read() as tx:
            kept = select(evidence.c.id).where(
                evidence.c.decision_hash == signer.asking.cards()[0].decision_hash
            )
            assert len(tx.execute(kept).all()) == 1

    def test_it_is_good_for_a_while(self, signer: Signer) -> None:
        request = ask(signer)
        form = signer.form()
        signer.world.pass_time(301)
        answer = signer.sign(form)
        assert (answer.status_code, "Nothing was granted" in answer.text) == (410, True)
        assert outcome(signer.asking.poll(request)) == (400, "expired_token")

    def test_a_challenge_is_past_before_its_card_is(
        self, signer: Signer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("deputize.passkeys.challenge.LIFETIME", 30)
        request = ask(signer)
        form = signer.form()
        signer.world.pass_time(31)
        assert signer.sign(form).status_code == 400
        assert is_undecided(signer, request)

    @pytest.mark.parametrize(
        "claims",
        [
            {"is_verified": False},
            {"origin": "https://evil.example"},
            {"rp_id": "evil.example"},
            {"is_framed": True},
        ],
        ids=lambda claims: next(iter(claims)),
    )
    def test_it_is_by_the_person_at_our_own_page(
        self, signer: Signer, claims: dict[str, Any]
    ) -> None:
        request = ask(signer)
        form = signer.form()
        assert signer.sign(form, replace(signer.key, **claims)).status_code == 400
        assert is_undecided(signer, request)
        refused = signer.world.events("passkey.refused")[-1]
        assert refused["rule"] == "passkey.not_good"

    def test_what_was_shown_to_add_a_passkey_approves_nothing(self, signer: Signer) -> None:
        request = ask(signer)
        form = signer.form()
        adding = read_signing_form(signer.browser.get("/deputize/passkeys/new").text)
        credential = signer.key.get(adding.options, signer.world.url)
        nonce = dict(adding.fields)["nonce"]
        answer = signer.browser.post(form.action, data=form.data(credential, nonce=nonce))
        assert answer.status_code == 400
        assert is_undecided(signer, request)


class TestSiblings:
    def test_one_signature_is_for_all_who_ask_the_same_and_ends_for_all(
        self, signer: Signer
    ) -> None:
        world, person = signer.world, signer.asking.person
        hold = world.hold("planner", person, scope="flights:search")
        siblings = [
            Asking(
                world,
                world.agent(name),
                world.hand_over(hold, "planner", name, "flights:search"),
                person,
            )
            for name in ("booker", "checker")
        ]
        requests = [one.asked(scope="openid pay:list") for one in siblings]
        page = signer.press()
        assert "1 more asks the same: one answer is for all" in page.text
        assert signer.sign(read_signing_form(page.text)).status_code == 303
        world.pass_time(6)
        token = siblings[0].poll(requests[0]).json()["access_token"]
        evidences = {card.evidence_id for card in signer.asking.cards()}
        assert evidences == {decode(token)[1]["approval_evidence"]}
        TestRemoved().remove(signer)
        assert outcome(siblings[1].poll(requests[1])) == (400, "access_denied")

    def test_who_joins_after_the_page_was_shown_is_not_signed_for(self, signer: Signer) -> None:
        world, person = signer.world, signer.asking.person
        hold = world.hold("planner", person, scope="flights:search")
        booker, checker = (
            Asking(
                world,
                world.agent(name),
                world.hand_over(hold, "planner", name, "flights:search"),
                person,
            )
            for name in ("booker", "checker")
        )
        request = booker.asked(scope="openid pay:list")
        form = signer.form()
        joined = checker.asked(scope="openid pay:list")
        as_it_is_now = signer.asking.cards()[0].content_hash
        for shown in ({}, {"shown": as_it_is_now}):
            assert signer.sign(form, **shown).status_code in (400, 409)
        assert outcome(booker.poll(request)) == (400, "authorization_pending")
        assert outcome(checker.poll(joined)) == (400, "authorization_pending")


class TestRemoved:
    def remove(self, signer: Signer) -> None:
        with signer.world.context.db.read() as tx:
            mine = passkeys_of(tx, find_person_id(tx, signer.asking.person))
        for one in mine:
            assert remove_passkey(signer.world.context.db, one, by="a test")

    def test_it_ends_what_waits_on_it(self, signer: Signer) -> None:
        request = ask(signer)
        signer.approve()
        (card,) = signer.asking.cards()
        self.remove(signer)
        assert outcome(signer.asking.poll(request)) == (400, "access_denied")
        told = [e["facts"]["approval_id"] for e in signer.world.events("approval.withdrawn")]
        assert told.count(card.id) == 1
        page = signer.browser.get("/deputize/approvals").text
        assert "withdrawn: a passkey was removed" in page

    def test_the_page_says_so_first(self, signer: Signer) -> None:
        ask(signer)
        signer.approve()
        with signer.world.context.db.read() as tx:
            (mine,) = passkeys_of(tx, find_person_id(tx, signer.asking.person))
        page = fresh_browser(signer.world, signer.asking.person).get(
            f"/deputize/passkeys/{mine.id}/remove"
        )
        assert "1 approval that you gave with it is withdrawn." in page.text

    def test_it_signs_nothing_any_more(self, signer: Signer) -> None:
        request = ask(signer)
        form = signer.form()
        self.remove(signer)
        assert signer.sign(form).status_code == 400
        assert is_undecided(signer, request)
        assert "none that counts yet" in signer.press().text

    def test_it_spares_what_was_redeemed(self, signer: Signer) -> None:
        request = ask(signer)
        signer.approve()
        claims_of(signer, request)
        self.remove(signer)
        assert signer.asking.cards()[0].status == "redeemed"

    def test_removed_while_it_approves(self, signer: Signer) -> None:
        """Whichever is first, nothing is had by a passkey that is gone."""
        self.remove(signer)
        for attempt in range(4):
            key = enrolled(signer.world, signer.asking.person)
            signer.browser = fresh_browser(signer.world, signer.asking.person)
            request = ask(signer, binding_message=f"Attempt {attempt}")
            form = signer.form()
            both = [
                threading.Thread(target=signer.sign, args=(form, key)),
                threading.Thread(target=self.remove, args=(signer,)),
            ]
            for one in both if attempt % 2 else reversed(both):
                one.start()
            for one in both:
                one.join()
            signer.world.pass_time(6)
            assert outcome(signer.asking.poll(request))[1] in (
                "access_denied",
                "authorization_pending",
            )
            with signer.world.context.db.read() as tx:
                gone = select(passkey).where(passkey.c.credential_id == encoded(key.credential_id))
                row = tx.execute(gone).mappings().one()
            assert passkey_from_row(row).removed_at is not None


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
