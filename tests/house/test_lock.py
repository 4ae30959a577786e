"""The lock: every pin with its hashes, from whichever index the reader uses."""

import re
from pathlib import Path

LOCK = Path(__file__).parents[2] / "requirements.lock.txt"
PIN = re.compile(r"[\w.-]+(\[[\w,-]+\])?==[\w.!+]+( ; .+)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def test_each_line_is_an_exact_pin_followed_by_its_hashes() -> None:
    lines = LOCK.read_text().replace("\\\n", "").splitlines()
    assert len(lines) > 40
    for line in lines:
        pin, *hashes = re.split(r"\s+(?=--hash)", line)
        assert PIN.fullmatch(pin), f"not an exact pin: {pin}"
        assert hashes, f"no hash: {pin}"
        assert all(HASH.fullmatch(each) for each in hashes), f"not a SHA-256: {pin}"


def test_the_lock_names_no_address() -> None:
    text = LOCK.read_text()
    for address in ("://", "index-url", "find-links", "trusted-host", " @ "):
        assert address not in text, f"{address} in the lock"
