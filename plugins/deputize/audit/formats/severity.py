"""How much an event matters to whoever watches: the one scale that the formats share. Pure."""

from typing import Any, Literal

Severity = Literal["informational", "low", "high"]

#: What is only seen where a secret was stolen, or copied.
_THEFT = frozenset({"code_reused", "refresh_token_reused", "refresh.reused", "passkey.counter"})


def severity_of(happened: dict[str, Any]) -> Severity:
    """Return `high` for a sign of theft, `low` for a refusal."""
    if {happened.get("why"), happened.get("rule")} & _THEFT:
        return "high"
    return "low" if "rule" in happened else "informational"
