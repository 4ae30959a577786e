"""Say that the machine lacks something a test needs: skip here, fail in CI.

A laptop without a browser can still run the rest; a CI run that skips proves nothing.
"""

import os
from typing import NoReturn

import pytest


def missing(what: str, reason: str) -> NoReturn:
    """Skip the test that needs `what`, or fail it when the environment says `CI=true`."""
    message = f"{what} is missing: {reason}"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
