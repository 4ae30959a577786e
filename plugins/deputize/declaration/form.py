"""The form of a declaration: what can stand in each table, and in which words.

A secret can be written, lie in a file beside the declaration, or be given as its
SHA-256, which is what an export writes.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from ..agents.blueprints import INHERITED
from ..agents.client_metadata import AUTH_METHODS, MAX_REDIRECT_URIS, REQUEST_SIGNING_ALG
from ..agents.models import BLUEPRINT, GRANT_TYPES, SPAWNED
from ..agents.signed import ALGORITHMS
from ..catalogue.details import DetailsType, validate_details_type
from ..core.secrets import digest
from .members import (
    AgentName,
    AgentScopeName,
    ClientId,
    Digest,
    Duration,
    FileName,
    GroupName,
    Identifier,
    Instant,
    JsonText,
    Jwks,
    Line,
    NewScopeName,
    Paragraph,
    RedirectUri,
    ScopeName,
    Secret,
)

#: What is declared of a blueprint alone: its instances follow.
_OF_A_BLUEPRINT = (
    *({"scope": "scopes", "expires_at": "expires_in"}.get(name, name) for name in INHERITED),
    "expires_at",
)


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

    name: NewScopeName
    resource: Identifier
    description: Annotated[Paragraph, StringConstraints(min_length=1)]
    sensitive: bool = False
    acr: Line | None = None
    max_age: Duration | None = None
    token_lifetime: Annotated[Duration, Field(le=3600)] | None = None
    single_use: bool = False
    delegable: bool = False
    approvers: GroupName | None = None
    quorum: Annotated[int, Field(ge=1, le=20)] | None = None
    escalates_to: GroupName | None = None
    escalates_after: Duration | None = None

    @model_validator(mode="after")
    def _approvers_first(self) -> Self:
        others = (self.quorum, self.escalates_to, self.escalates_after)
        _raise_first(
            {
                "quorum, escalates_to and escalates_after need approvers": (
                    self.approvers is None and any(others)
                ),
                "escalates_to and escalates_after come together": (
                    (self.escalates_to is None) != (self.escalates_after is None)
                ),
            }
        )
        return self


class AgentTable(WithSecret):
    """`[[agents]]`."""

    client_id: ClientId
    owner: Line | None = None
    blueprint: ClientId | None = None
    is_blueprint: bool = False
    name: Line | None = None
    sponsor: Line | None = None
    purpose: Paragraph | None = None
    model: Line | None = None
    vendor: Line | None = None
    software_version: Line | None = None
    scopes: list[AgentScopeName] = Field(default=[], max_length=1000)
    resources: Annotated[list[Identifier], Field(max_length=100)] | None = None
    delegates_to: list[AgentName] = Field(default=[SPAWNED], max_length=100)
    max_delegation_depth: Annotated[int, Field(ge=1, le=16)] | None = None
    expires_in: Duration | None = None
    expires_at: Instant | None = None
    redirect_uris: Annotated[list[RedirectUri], Field(max_length=MAX_REDIRECT_URIS)] | None = None
    require_pushed_authorization_requests: bool | None = None
    grant_types: list[str] | None = None
    token_endpoint_auth_method: str | None = None
    jwks: Jwks | None = None
    jwks_file: FileName | None = None
    jwks_uri: Identifier | None = None
    backchannel_authentication_request_signing_alg: str | None = None
    backchannel_user_code_parameter: bool | None = None
    backchannel_token_delivery_mode: Literal["poll", "ping", "push"] | None = None
    backchannel_client_notification_endpoint: RedirectUri | None = None
    credential_overlap: Annotated[Duration, Field(le=30 * 86_400)] | None = None
    task_exchanges: Annotated[int, Field(ge=1)] | None = None
    task_spawned: Annotated[int, Field(ge=0)] | None = None
    task_elevated: Annotated[int, Field(ge=0)] | None = None
    task_heartbeat: Annotated[Duration, Field(ge=10, le=86_400)] | None = None
    task_completion: Literal["at_once", "person"] | None = None

    @property
    def has_keys(self) -> bool:
        """Whether keys are given, by value or by their URL."""
        return self.jwks is not None or self.jwks_uri is not None

    @property
    def auth_method(self) -> str | None:
        """What follows from the keys or the secret; None where the agent keeps what it has."""
        if self.is_blueprint:
            return BLUEPRINT
        if self.token_endpoint_auth_method:
            return self.token_endpoint_auth_method
        if self.has_keys:
            return "private_key_jwt"
        return "client_secret_basic" if self.secret_digest else None

    @model_validator(mode="after")
    def _one_authentication(self) -> Self:
        by_secret, method = self.secret_digest is not None, self.auth_method
        mistakes = {
            "jwks and client_secret exclude each other": by_secret and self.has_keys,
            "jwks and jwks_uri exclude each other": (
                self.jwks is not None and self.jwks_uri is not None
            ),
            f"token_endpoint_auth_method: expected one of {', '.join(AUTH_METHODS)}": (
                method is not None and method not in (*AUTH_METHODS, BLUEPRINT)
            ),
            "private_key_jwt and jwks come together": (
                (method == "private_key_jwt") != self.has_keys
            ),
            f"{method} needs client_secret": (
                method is not None and method.startswith("client_secret") and not by_secret
            ),
            "none and client_secret exclude each other": method == "none" and by_secret,
            "a public agent (none) needs redirect_uris": (
                method == "none" and not self.redirect_uris
            ),
            f"{REQUEST_SIGNING_ALG}: expected one of {', '.join(ALGORITHMS)}": (
                self.backchannel_authentication_request_signing_alg not in (None, *ALGORITHMS)
            ),
            "expires_in and expires_at exclude each other": (
                self.expires_in is not None and self.expires_at is not None
            ),
        }
        _raise_first(mistakes)
        return self

    @model_validator(mode="after")
    def _instance_or_not(self) -> Self:
        said = [name for name in _OF_A_BLUEPRINT if name in self.model_fields_set]
        proofs = self.has_keys or self.secret_digest is not None or self.token_endpoint_auth_method
        mistakes = {
            "is_blueprint and blueprint exclude each other": (
                self.is_blueprint and self.blueprint is not None
            ),
            "owner: is missing": self.owner is None and self.blueprint is None,
            f"{', '.join(said)}: stand with the blueprint": self.blueprint is not None and said,
            "is_blueprint: a blueprint has no credential": self.is_blueprint and proofs,
            "an instance needs client_secret or jwks": (
                self.blueprint is not None and self.auth_method == "none"
            ),
        }
        _raise_first({text: bool(is_so) for text, is_so in mistakes.items()})
        return self

    @model_validator(mode="after")
    def _told_where(self) -> Self:
        is_told = self.backchannel_token_delivery_mode in ("ping", "push")
        where = self.backchannel_client_notification_endpoint
        text = "backchannel_token_delivery_mode: ping and push come together with an endpoint"
        _raise_first({text: is_told != (where is not None)})
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
    # "schema" is a name that pydantic keeps for itself.
    details_schema: Annotated[JsonText, Field(alias="schema")]
    template: Line
    compare: JsonText = "{}"
    consumable: Line | None = None

    @property
    def row(self) -> DetailsType:
        """What is stored."""
        return DetailsType(
            type=self.type,
            scope=self.scope,
            schema=self.details_schema,
            template=self.template,
            compare=self.compare,
            consumable=self.consumable,
        )

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        validate_details_type(self.row)
        return self


def _raise_first(mistakes: dict[str, bool]) -> None:
    for text, is_made in mistakes.items():
        if is_made:
            raise ValueError(text)
