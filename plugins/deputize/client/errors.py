"""What can go wrong: the server said no, or its answer is not one that OAuth knows.

A server that can't be reached raises httpx's own errors.
"""

from collections.abc import Mapping
from typing import Any


class OAuthError(Exception):
    """The server refused, in one line.

    :param error: the registered code, e.g. `invalid_scope` (RFC 6749 §5.2)
    :param description: what the server adds for the developer
    :param status: the HTTP status; None for what came back through the browser
    :param answer: all that the server said; it stands in no `repr`
    """

    def __init__(
        self,
        error: str,
        description: str = "",
        status: int | None = None,
        answer: Mapping[str, Any] | None = None,
    ) -> None:
        self.error = _in_one_line(error)
        self.description = _in_one_line(description)
        self.status = status
        self.answer = answer or {}
        super().__init__(self.error, self.description, status)

    def __str__(self) -> str:
        status = f" ({self.status})" if self.status else ""
        return (
            f"{self.error}{status}: {self.description}" if self.description else self.error + status
        )


class ProtocolError(Exception):
    """The answer is not what the RFC says it is, so nothing of it is believed."""


def _in_one_line(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.split())
