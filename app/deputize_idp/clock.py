"""What time it is: one clock for the whole host, handed to `create_app`, so that
tests, and whoever composes this host with something else, can set it.
"""

from flask import current_app


def now() -> int:
    """The time in unix seconds."""
    return int(current_app.extensions["deputize_idp.clock"]())
