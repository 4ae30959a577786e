"""What an operator may choose, typed and checked before anything starts.

The model alone: reading a file, the environment and the command line is the command
line's business.
"""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from flask import current_app
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(value: Any) -> Any:
    """Read `90d`, `12h`, `30m`, `45s` or a plain number as seconds."""
    match = re.fullmatch(r"(\d+)([smhd])", value) if isinstance(value, str) else None
    return int(match[1]) * SECONDS[match[2]] if match else value


Duration = Annotated[int, BeforeValidator(seconds), Field(gt=0)]


class Settings(BaseModel):
    """The identity provider's settings. One issuer is one organisation."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    issuer: str
    """The issuer identifier: an origin such as `https://id.example.com`, without a path.
    Plain http is for loopback alone. It is never taken from the `Host` header."""

    data: Path
    """The folder of the database and the secret key; readable by the server alone."""

    database_url: str | None = None
    """An SQLAlchemy URL, such as `postgresql+psycopg://…`; the file `idp.sqlite3` in `data`
    when absent."""

    secret_key: SecretStr | None = None
    """Signs cookies and encrypts the signing keys at rest: 32 characters at least. Made once and
    kept in `data` when absent."""

    organisation: str = "Deputize"
    """The name that people read on the pages."""

    scopes: dict[str, str] = {
        "openid": "Know who you are",
        "profile": "See your name",
        "email": "See your e-mail address",
        "groups": "See which groups you belong to",
    }
    """What each scope lets an application do, in the words that the consent page uses."""

    password_acr: str = "urn:deputize:acr:pwd"  # noqa: S105
    """The `acr` of a sign-in by password (OpenID Connect Core, section 2)."""

    code_lifetime: Duration = 60
    """How long an authorization code can be redeemed."""

    access_token_lifetime: Duration = 3600
    """How long an access token is good for."""

    refresh_token_lifetime: Duration = 30 * 86400
    """How long a refresh token can wait to be used; each use gives a new one."""

    id_token_lifetime: Duration = 3600
    """How long an ID token is good for."""

    session_lifetime: Duration = 12 * 3600
    """How long a person stays signed in."""

    sign_in_attempts: int = Field(default=10, ge=1)
    """How many passwords may be tried for one user name from one address, per `sign_in_window`."""

    sign_in_window: Duration = 15 * 60
    """How long failed attempts to sign in are held against an address."""

    max_request_size: int = Field(default=64 * 1024, ge=1024)
    """The largest request body, in bytes."""

    trusted_proxies: int = Field(default=0, ge=0)
    """How many reverse proxies stand in front and set `X-Forwarded-For`."""

    @field_validator("issuer")
    @classmethod
    def validate_issuer(cls, issuer: str) -> str:
        """:rfc:`8414#section-2`: https, no query, no fragment; here, no path either."""
        parts = urlsplit(issuer)
        if issuer != f"{parts.scheme}://{parts.netloc}" or not parts.hostname or "@" in issuer:
            raise ValueError("must be an origin such as https://id.example.com, with no path")
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
            raise ValueError("must be https; plain http is for loopback alone")
        return issuer

    @field_validator("secret_key")
    @classmethod
    def validate_secret_key(cls, key: SecretStr | None) -> SecretStr | None:
        """Refuse a key that could be guessed."""
        if key and len(key.get_secret_value()) < 32:
            raise ValueError("must have 32 characters at least")
        return key

    @property
    def is_secure(self) -> bool:
        """Whether people come by https, so that cookies can insist on it."""
        return self.issuer.startswith("https:")


def current_settings() -> Settings:
    """The settings of the app that serves this request."""
    return cast(Settings, current_app.extensions["deputize_idp.settings"])


def is_loopback(host: str) -> bool:
    """Whether a host name never leaves this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
