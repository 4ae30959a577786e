"""The form of a declaration: what can stand in each table, and in which words.

A secret can be written, lie in a file beside the declaration, or be given as its
SHA-256, which is what an export writes.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)

from ..agents.jwks import read_jwks
from ..agents.models import GRANT_TYPES, SPAWNED
from ..agents.register import AUTH_METHODS, MAX_REDIRECT_URIS, is_redirect_uri
from ..catalogue.models import OWN_SCOPES, RESERVED_SCOPES
from ..core.refusal import Refusal
from ..core.secrets import MINIMUM_SECRET_LENGTH, digest
from ..core.values import is_client_id, is_resource_identifier, is_scope_token

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


def _is_text(value: str) -> bool:
    return "".join(value.split()).isprintable()


def _seconds(value: Any) -> Any:
    match = re.fullmatch(r"(\d{1,9})([smhd])", value) if isinstance(value, str) else None
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


def _long_enough(secret: SecretStr) -> SecretStr:
    if not MINIMUM_SECRET_LENGTH <= len(secret.get_secret_value()) <= _LONGEST_SECRET:
        raise ValueError(f"expected {MINIMUM_SECRET_LENGTH} characters at least")
    return secret


def _is_own_scope(name: str) -> bool:
    return name in OWN_SCOPES or name in RESERVED_SCOPES


Duration = Annotated[int, BeforeValidator(_seconds), Field(ge=1, le=_TEN_YEARS)]
Instant = Annotated[int, BeforeValidator(_instant), Field(ge=1, le=_LAST_SECOND)]
Line = Annotated[
    str, StringConstraints(min_length=1, max_length=200), _check(_is_text, "printable text")
]
Paragraph = Annotated[str, StringConstraints(max_length=2000), _check(_is_text, "printable text")]
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


class Table(BaseModel):
    """One entry of a declaration."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class WithSecret(Table):
    """What can authenticate by a secret."""

    client_secret: Secret | None = None
    client_secret_file: FileName | None = None
    client_secret_sha256: Digest | None = None

    @property
    def secret_digest(self) -> str | None:
        """The SHA-256 that is stored; None where none is declared."""
        if self.client_secret is not None:
            return digest(self.client_secret.get_secret_value())
        return self.client_secret_sha256

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        if self.client_secret is not None and self.client_secret_sha256 is not None:
            raise ValueError("client_secret and client_secret_sha256 exclude each other")
        return self


class ServerTable(WithSecret):
    """`[[resource_servers]]`."""

    identifier: Identifier
    client_id: ClientId
    name: Line | None = None
    use_id: bool | None = None


class ScopeTable(Table):
    """`[[scopes]]`."""

    name: Annotated[
        ScopeName,
        _check(
            lambda name: not _is_own_scope(name),
            "another name: this scope is the server's own and needs no entry",
        ),
    ]
    resource: Identifier
    description: Annotated[Paragraph, StringConstraints(min_length=1)]
    sensitive: bool = False
    acr: Line | None = None
    max_age: Duration | None = None
    token_lifetime: Annotated[Duration, Field(le=3600)] | None = None
    single_use: bool = False
    delegable: bool = False
    approvers: Line | None = None


class AgentTable(WithSecret):
    """`[[agents]]`."""

    client_id: ClientId
    owner: Line
    name: Line | None = None
    sponsor: Line | None = None
    purpose: Paragraph | None = None
    model: Line | None = None
    vendor: Line | None = None
    software_version: Line | None = None
    scopes: list[
        Annotated[
            ScopeName,
            _check(
                lambda name: name not in RESERVED_SCOPES,
                "another scope: this one is the server's own and never an agent's",
            ),
        ]
    ] = Field(default=[], max_length=1000)
    resources: Annotated[list[Identifier], Field(max_length=100)] | None = None
    delegates_to: list[AgentName] = Field(default=[SPAWNED], max_length=100)
    max_delegation_depth: Annotated[int, Field(ge=1, le=16)] | None = None
    expires_in: Duration | None = None
    expires_at: Instant | None = None
    redirect_uris: Annotated[list[RedirectUri], Field(max_length=MAX_REDIRECT_URIS)] | None = None
    grant_types: list[str] | None = None
    token_endpoint_auth_method: str | None = None
    jwks: Annotated[str, BeforeValidator(_jwks)] | None = None
    jwks_file: FileName | None = None

    @property
    def auth_method(self) -> str | None:
        """What follows from the keys or the secret; None where the agent keeps what it has."""
        if self.token_endpoint_auth_method:
            return self.token_endpoint_auth_method
        if self.jwks:
            return "private_key_jwt"
        return "client_secret_basic" if self.secret_digest else None

    @model_validator(mode="after")
    def _one_authentication(self) -> Self:
        by_secret, method = self.secret_digest is not None, self.auth_method
        mistakes = {
            "jwks and client_secret exclude each other": by_secret and self.jwks is not None,
            f"token_endpoint_auth_method: expected one of {', '.join(AUTH_METHODS)}": (
                method is not None and method not in AUTH_METHODS
            ),
            "private_key_jwt and jwks come together": (
                (method == "private_key_jwt") != (self.jwks is not None)
            ),
            f"{method} needs client_secret": (
                method is not None and method.startswith("client_secret") and not by_secret
            ),
            "none and client_secret exclude each other": method == "none" and by_secret,
            "a public agent (none) needs redirect_uris": (
                method == "none" and not self.redirect_uris
            ),
            "expires_in and expires_at exclude each other": (
                self.expires_in is not None and self.expires_at is not None
            ),
        }
        _raise_first(mistakes)
        return self

    @model_validator(mode="after")
    def _known_grants(self) -> Self:
        known = ", ".join(sorted(GRANT_TYPES))
        unknown = not GRANT_TYPES.issuperset(self.grant_types or ())
        _raise_first({f"grant_types: expected some of {known}": unknown})
        return self


class DetailsTypeTable(Table):
    """`[[authorization_details_types]]` (RFC 9396 §2)."""

    type: Line
    scope: ScopeName
    schema_file: Annotated[FileName, Field(alias="schema")]
    template: Line
    compare: dict[str, Literal["at_most", "equal", "subset"]] = Field(default={})
    consumable: Line | None = None


def _raise_first(mistakes: dict[str, bool]) -> None:
    for text, is_made in mistakes.items():
        if is_made:
            raise ValueError(text)
