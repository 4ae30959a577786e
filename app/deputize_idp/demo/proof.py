"""What an outsider can check once it is over: the task's receipt, and the trail itself.

By the commands that anybody would run; the trail is tampered with in a copy of the database.
"""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx

from ..configuration import PLUGIN_DATABASE
from .cast import DEPUTIZE
from .processes import environment
from .telling import NotAsToldError

KEYS = "/deputize/audit/jwks"


def check_receipt(folder: Path, issuer: str, task_id: str) -> list[str]:
    """Make the receipt of the task, check it by the public keys; return what that says.

    :raises NotAsToldError: where it is not good
    """
    receipt, keys = folder / "receipt.jws", folder / "audit-keys.json"
    receipt.write_text(_must("receipt", "make", task_id, "--data", str(folder)))
    with httpx.Client(timeout=10, trust_env=False) as http:
        keys.write_text(http.get(f"{issuer}{KEYS}").raise_for_status().text)
    return _must("receipt", "verify", str(receipt), "--keys", str(keys)).splitlines()


def find_a_changed_byte(folder: Path, event_id: str) -> str:
    """Change one byte of an event in a copy of the database; return what finds it.

    :raises NotAsToldError: where the trail was not intact before, or is said to be after
    """
    _must("audit", "verify", "--data", str(folder))
    copy = folder / "copy"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("copy", "*.lock", "*.log"))
    with sqlite3.connect(copy / PLUGIN_DATABASE) as database:
        found = database.execute("SELECT body FROM deputize_event WHERE id = ?", (event_id,))
        body: bytes = found.fetchone()[0]
        changed = body.replace(b"booker", b"bookes", 1)
        database.execute("UPDATE deputize_event SET body = ? WHERE id = ?", (changed, event_id))
    database.close()
    run = _run("audit", "verify", "--data", str(copy))
    if run.returncode == 0 or changed == body or event_id not in run.stdout:
        raise NotAsToldError(f"nobody has found the byte that was changed: {run.stdout}")
    return run.stdout.splitlines()[0]


def _must(*command: str) -> str:
    run = _run(*command)
    if run.returncode:
        said = (run.stderr or run.stdout).strip()
        raise NotAsToldError(f"deputize {' '.join(command[:2])}: {said}")
    return run.stdout


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, *DEPUTIZE, *command],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
