"""What can stand behind a key of a declaration: each type says what it expected."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints

from ..agents.client_metadata import is_redirect_uri
from ..agents.jwks import read_jwks
from ..agents.models import SPAWNED
from ..catalogue.models import OWN_SCOPES, RESERVED_SCOPES
from ..core.refusal import Refusal
from ..core.secrets import MINIMUM_SECRET_LENGTH
from ..core.values import canonical_json, is_client_id, is_resource_identifier, is_scope_token

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TEN_YEARS = 10 * 365 * 86400
_LONGEST_SECRET = 1024
_LAST_SECOND = 253_402_300_799


def _check(is_good: Callable[[str], bool], expected: str) -> AfterValidator:
    def validate(value: str) -> str:
        if not is_good(value):
            raise ValueError(f"expected {expected}")
        return value

    return AfterValidator(validate)


def _is_paragraph(value: str) -> bool:
    return value.replace("\n", "").replace("\t", "").isprintable()


def _seconds(value: Any) -> Any:
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", value) if isinstance(value, str) else None
    if isinstance(value, str) and not match:
        raise ValueError('expected a duration such as "90d", "12h", "30m", or seconds')
    return int(match[1]) * _UNITS[match[2]] if match else value


def _instant(value: Any) -> Any:
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError("expected a time with its offset, such as 2027-01-31T12:00:00Z")
    return int(value.astimezone(UTC).timestamp())


def _parsed(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("expected a time such as 2027-01-31T12:00:00Z") from None


def _jwks(value: Any) -> str:
    try:
        return read_jwks(value)
    except Refusal as refusal:
        raise ValueError(refusal.text) from None


def _json_text(value: Any) -> str:
    if not isinstance(value, dict) or not _is_plain(value):
        raise ValueError(
            "expected a table, or the name of a JSON file that holds one; no null, no time in it"
        )
    return canonical_json(value).decode()


def _is_plain(value: Any) -> bool:
    # It is kept as JSON and exported as TOML: TOML has no null, JSON no time and no infinity.
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))


def _long_enough(secret: SecretStr) -> SecretStr:
    if not MINIMUM_SECRET_LENGTH <= len(secret.get_secret_value()) <= _LONGEST_SECRET:
        raise ValueError(f"expected {MINIMUM_SECRET_LENGTH} characters at least")
    return secret


def _is_free_scope(name: str) -> bool:
    return name not in OWN_SCOPES and name not in RESERVED_SCOPES


Duration = Annotated[int, BeforeValidator(_seconds), Field(ge=1, le=_TEN_YEARS)]
Instant = Annotated[int, BeforeValidator(_instant), Field(ge=1, le=_LAST_SECOND)]
Line = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    _check(str.isprintable, "one line of printable text"),
]
Paragraph = Annotated[
    str, StringConstraints(max_length=2000), _check(_is_paragraph, "printable text")
]
GroupName = Annotated[
    str,
    StringConstraints(max_length=200),
    _check(
        lambda name: name.isprintable() and len(name) > 6 and name[:6] == "group:", "group:NAME"
    ),
]
FileName = Annotated[Path, Field(strict=False)]
Secret = Annotated[SecretStr, AfterValidator(_long_enough)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
AgentName = Annotated[
    str, _check(is_client_id, "1 to 64 letters, digits or . _ ~ -, a letter or digit first")
]
ClientId = Annotated[
    AgentName,
    _check(lambda name: name != SPAWNED, f"another name: {SPAWNED} means helpers of an agent"),
]
Identifier = Annotated[
    str,
    StringConstraints(max_length=512),
    _check(is_resource_identifier, "a canonical URL: https, lower case, no fragment, no user"),
]
ScopeName = Annotated[
    str,
    StringConstraints(max_length=200),
    _check(is_scope_token, "one word without quotes"),
]
RedirectUri = Annotated[
    str,
    StringConstraints(max_length=2048),
    _check(is_redirect_uri, "https, or http on loopback; no fragment, no user"),
]
JsonText = Annotated[str, BeforeValidator(_json_text)]
Jwks = Annotated[str, BeforeValidator(_jwks)]
NewScopeName = Annotated[
    ScopeName,
    _check(_is_free_scope, "another name: this scope is the server's own and needs no entry"),
]
AgentScopeName = Annotated[
    ScopeName,
    _check(
        lambda name: name not in RESERVED_SCOPES,
        "another scope: this one is the server's own and never an agent's",
    ),
]
