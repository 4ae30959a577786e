"""What many agents have asked many people in a day: the rows that are there before a test."""

from typing import Any

from benchmarks.bulk import load

from deputize.approvals.choices import choice
from deputize.approvals.models import Status, approval, auth_request
from deputize.approvals.tell_kinds import TEST
from deputize.approvals.user_code import user_code, user_code_try
from deputize.core.db import Database
from deputize.core.secrets import digest, new_id
from deputize.delegation.models import single_use
from deputize.outbox.models import outbox
from deputize.passkeys.models import challenge, passkey
from deputize.web_push.models import browser

#: Each of them was asked a few things.
PEOPLE, EACH = 2000, 4
ENDS = (Status.DENIED, Status.REDEEMED, Status.WITHDRAWN, Status.PENDING)


def ask_all_day(db: Database, now: int) -> None:
    """Store what was asked, decided and redeemed."""
    cards = [_card(new_id(), number, now) for _ in range(PEOPLE) for number in range(EACH)]
    for number, card in enumerate(cards):
        card["person_id"] = f"{number // EACH:016d}"
    with db.write() as tx:
        load(tx, approval, cards)
        load(tx, auth_request, (_id_of(card) for card in cards))
        load(tx, single_use, (_spent(card, now) for card in cards))
        load(tx, user_code, (_code_of(number, now) for number in range(PEOPLE)))
        load(tx, user_code_try, (_try_of(number, now) for number in range(PEOPLE)))
        load(tx, outbox, (_told(card, now) for card in cards))
        load(tx, outbox, (_test(number, now) for number in range(PEOPLE)))
        load(tx, choice, (_choice(number) for number in range(PEOPLE)))
        load(tx, passkey, (_passkey(number, now) for number in range(PEOPLE)))
        load(tx, challenge, (_challenge(number, now) for number in range(PEOPLE)))
        load(tx, browser, (_browser(number, now) for number in range(PEOPLE)))


def _card(approval_id: str, number: int, now: int) -> dict[str, Any]:
    return {
        "id": approval_id,
        "client_id": "planner",
        "delegation_id": new_id(),
        "root_agent": "planner",
        "task_id": new_id(),
        "chain": "planner",
        "scope": "pay:transfer",
        "held": "",
        "target": "https://pay.example",
        "binding_message": "TP1234, seat 14C",
        "lifetime": 300,
        "for_task": False,
        "request_hash": digest(approval_id),
        "content_hash": digest(approval_id),
        "status": str(ENDS[number]),
        "created_at": now - 600,
        "expires_at": now + 300 if ENDS[number] == Status.PENDING else now - 300,
    }


def _id_of(card: dict[str, Any]) -> dict[str, Any]:
    return {
        "digest": digest(f"asked {card['id']}"),
        "approval_id": card["id"],
        "client_id": "planner",
        "expires_at": card["expires_at"],
        "interval": 5,
    }


def _code_of(number: int, now: int) -> dict[str, Any]:
    return {"person_id": f"{number:016d}", "hash": "$argon2id$", "set_at": now - 600}


def _try_of(number: int, now: int) -> dict[str, Any]:
    return {
        "person_id": f"{number:016d}",
        "client_id": "planner",
        "tries": 1,
        "until": now - 60 if number % 100 == 0 else now + 600,
    }


def _spent(card: dict[str, Any], now: int) -> dict[str, Any]:
    return {
        "digest": digest(f"spent {card['id']}"),
        "delegation_id": card["delegation_id"],
        "jti": new_id(),
        "issued_at": now - 300,
        "expires_at": now,
    }


def _passkey(number: int, now: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "person_id": f"{number:016d}",
        "credential_id": digest(f"passkey {number}"),
        "public_key": b"a COSE key",
        "sign_count": 0,
        "name": "My phone",
        "created_at": now - 90_000,
        "counts_from": now - 3600,
    }


def _challenge(number: int, now: int) -> dict[str, Any]:
    return {
        "digest": digest(f"challenge {number}"),
        "person_id": f"{number:016d}",
        "purpose": "approve",
        "about": new_id(),
        "expires_at": now + 300,
    }


def _browser(number: int, now: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "person_id": f"{number:016d}",
        "endpoint_hash": digest(f"browser {number}"),
        "subscription": "a sealed subscription",
        "name": "My phone",
        "created_at": now - 90_000,
    }


def _told(card: dict[str, Any], now: int) -> dict[str, Any]:
    """Return what the client was told of it, or will be."""
    is_over = card["status"] != Status.PENDING
    return {
        "id": new_id(),
        "kind": "ciba.ping",
        "subject": digest(f"asked {card['id']}"),
        "destination": "planner",
        "due_at": card["expires_at"],
        "attempts": int(is_over),
        "created_at": card["created_at"],
        "expires_at": card["expires_at"] + 60,
        "done_at": now - 300 if is_over else None,
        "outcome": "HTTP 204" if is_over else None,
    }


def _test(number: int, now: int) -> dict[str, Any]:
    """Return one that the person sent to themselves."""
    return {
        "id": new_id(),
        "kind": TEST,
        "subject": f"{number:016d}",
        "destination": "email",
        "due_at": now - 600,
        "attempts": 1,
        "created_at": now - 600,
        "expires_at": now,
        "done_at": now - 599,
        "outcome": "sent",
    }


def _choice(number: int) -> dict[str, Any]:
    quiet = {"quiet_from": 1320, "quiet_to": 420, "zone": "Europe/Madrid"}
    return {"person_id": f"{number:016d}", "muted": "webhook", **quiet}
