"""Writes the pages of this folder from what they are about, so that none goes stale.

    python docs/reference/generate.py

A test holds each equal, and with them the table of parts, which stands in ARCHITECTURE.md.
"""

from collections.abc import Callable
from pathlib import Path

from conformance_page import conformance
from rules_page import rules
from settings_page import settings
from trail_page import trail

FOLDER = Path(__file__).parent

PAGES: dict[str, Callable[[], str]] = {
    "conformance.md": conformance,
    "rules.md": rules,
    "settings.md": settings,
    "trail.md": trail,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
