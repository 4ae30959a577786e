"""What many agents have pushed in the last minutes: the rows that are there before a test."""

from typing import Any

from benchmarks.bulk import load

from deputize.core.db import Database
from deputize.core.secrets import digest
from deputize.delegation.models import pushed_request

AGENTS, EACH = 2000, 4


def push_all_day(db: Database, now: int) -> None:
    """Store what was pushed; some of it was answered."""
    with db.write() as tx:
        load(tx, pushed_request, (_pushed(number, now) for number in range(AGENTS * EACH)))


def _pushed(number: int, now: int) -> dict[str, Any]:
    return {
        "digest": digest(f"pushed {number}"),
        "client_id": f"pushing-{number // EACH}",
        "parameters": '{"response_type":["code"],"scope":["calendar:read"]}',
        "expires_at": now + 60 - number % 600,
        "person_key": "ana",
        "used_at": now if number % EACH == 0 else None,
    }
