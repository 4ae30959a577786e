"""Loads settings: defaults < file < environment (`DEPUTIZE__SECTION__KEY`) < command line.

The classes of `settings.py` say what there is; this file only brings the layers together
and remembers where each value came from, so that a mistake is told with its place. A
secret can be given as `..._FILE` instead. Unknown names are refused in every layer, which
the sources of pydantic-settings do not do for the environment.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from .approvals.notifiers.find import channel_mistakes
from .core.values import is_loopback
from .outbox.standard_webhook import webhook_mistake
from .part import ConfigurationError
from .policy.find import policy_mistakes
from .settings import Settings
from .typed_toml import mistakes, model_at, raise_mistakes, read_toml, unknown_key

SECTION = "deputize"
PREFIX = "DEPUTIZE__"
COMMAND_LINE = "command line"

_DAY = 86_400

M = TypeVar("M", bound=BaseModel)
Key = tuple[str, ...]


@dataclass(frozen=True)
class Layers:
    """What one model is loaded from, weakest first.

    :param section: the table of the file that is the model's
    :param prefix: how its names in the environment begin
    :param given: from the command line
    :param defaults_from: what to call the place where `defaults` come from
    """

    section: str = SECTION
    prefix: str = PREFIX
    file: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    defaults_from: str = "default"


def load_settings(layers: Layers) -> Settings:
    """Return the plugin's settings.

    :raises ConfigurationError: one line for each mistake
    """
    loading = _Loading(Settings, layers)
    settings = loading.load(Settings)
    raise_mistakes([loading.line(key, text) for key, text in _unsafe(settings)])
    url = settings.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    return settings.model_copy(update={"database_url": url})


def load_model(model: type[M], layers: Layers) -> M:
    """Return any model that is configured in the same way: a host's own settings.

    :raises ConfigurationError: one line for each mistake
    """
    return _Loading(model, layers).load(model)


def validate_sections(file: Path, known: list[str]) -> None:
    """:raises ConfigurationError: for a table of `file` that is nobody's"""
    lines = [f"{file}: [{n}]: {unknown_key(n, known)}" for n in read_toml(file) if n not in known]
    raise_mistakes(lines)


class _Loading:
    """The layers joined, with the origin of each value."""

    def __init__(self, model: type[BaseModel], layers: Layers) -> None:
        self.model = model
        self.layers = layers
        self.values: dict[str, Any] = {}
        self.origins: dict[Key, str] = {}
        for key, value in _leaves(layers.defaults):
            self._put(key, value, layers.defaults_from, Path())
        if layers.file:
            for key, value in _leaves(_table_of(layers.file, layers.section)):
                self._put(key, value, str(layers.file), layers.file.parent)
        for name, text in layers.environ.items():
            if name.startswith(layers.prefix):
                key = tuple(name.removeprefix(layers.prefix).lower().split("__"))
                self._put(key, text, f"environment {name}", Path())
        for key, value in _leaves(layers.given):
            self._put(key, value, COMMAND_LINE, Path())

    def load(self, model: type[M]) -> M:
        try:
            return model.model_validate(self.values)
        except ValidationError as error:
            found = mistakes(error, model)
            raise_mistakes([self.line(tuple(map(str, key)), text) for key, text in found])
            raise

    def line(self, key: Key, text: str) -> str:
        """Return one mistake with the place that it was made in."""
        origin = next((o for k, o in self.origins.items() if k[: len(key)] == key), None)
        place = origin or str(self.layers.file or "settings")
        table = ".".join((self.layers.section, *key[:-1]))
        return f"{place}: [{table}] {key[-1] if key else ''}: {text}"

    def _put(self, key: Key, value: Any, origin: str, folder: Path) -> None:
        self.origins[key] = origin
        secret = key[-1].removesuffix("_file")
        if secret != key[-1] and self._is_secret((*key[:-1], secret)):
            value = self._read_secret(key, folder / str(value))
            key = (*key[:-1], secret)
            self.origins[key] = origin
        table = self.values
        for name in key[:-1]:
            if not isinstance(table.get(name), dict):
                table[name] = {}
            table = table[name]
        table[key[-1]] = value

    def _is_secret(self, key: Key) -> bool:
        table = model_at(self.model, key[:-1])
        known = table.model_fields.get(key[-1]) if table else None
        return known is not None and "SecretStr" in str(known.annotation)

    def _read_secret(self, key: Key, file: Path) -> SecretStr:
        try:
            return SecretStr(file.read_text(encoding="utf-8").strip())
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8"
            raise ConfigurationError(self.line(key, f"{file}: {reason}")) from None


def _table_of(file: Path, section: str) -> dict[str, Any]:
    table = read_toml(file).get(section, {})
    if not isinstance(table, dict):
        raise ConfigurationError(f"{file}: {section}: expected a table: [{section}]")
    return table


def _leaves(table: Any, above: Key = ()) -> Iterator[tuple[Key, Any]]:
    if not isinstance(table, Mapping):
        yield above, table
        return
    for name, value in table.items():
        yield from _leaves(value, (*above, str(name)))


def _unsafe(settings: Settings) -> Iterator[tuple[Key, str]]:
    """Yield what no type can say: where the issuer is, and what only tests may do."""
    issuer = _issuer_mistake(settings.issuer)
    if issuer:
        yield ("issuer",), issuer
    url = _database_mistake(settings.database_url)
    if url:
        yield ("database_url",), url
    domain = settings.approvals.passkey_rp_id
    if domain and not f".{_hostname(settings.issuer)}".endswith(f".{domain}"):
        yield ("approvals", "passkey_rp_id"), "expected the issuer's host, or a domain above it"
    if settings.clock_file and not settings.test_mode:
        yield ("clock_file",), "moves the clock in test mode alone: set test_mode = true as well"
    if settings.test_mode and not is_loopback(_hostname(settings.issuer)):
        yield ("test_mode",), "is for an issuer on loopback alone, such as http://127.0.0.1:8000"
    yield from channel_mistakes(settings.notify)
    for table, section in (("audit", settings.audit), ("tasks", settings.tasks)):
        wrong = webhook_mistake(section.webhook)
        if wrong:
            yield (table, "webhook", wrong[0]), wrong[1]
    yield from policy_mistakes(settings.policy)
    yield from _unknown_use(settings)


def _unknown_use(settings: Settings) -> Iterator[tuple[Key, str]]:
    """When an agent was last used is told by events: one that is gone cannot speak for it."""
    kept = settings.audit.keep_days
    for name in ("unused_reported", "unused_suspended"):
        if kept and getattr(settings.agents, name) > kept * _DAY:
            text = f"expected at most {kept * _DAY}, or 0: audit.keep_days keeps no older event"
            yield ("agents", name), text


def _issuer_mistake(issuer: str) -> str | None:
    """RFC 8414 §2: https, no query, no fragment; here, no path either."""
    try:
        parts = urlsplit(issuer)
        origin = f"{parts.scheme}://{parts.netloc}"
        _ = parts.port
    except ValueError:
        return "expected a URL"
    if issuer != origin or not parts.hostname or "@" in issuer or issuer != issuer.lower():
        return (
            "expected an origin such as https://id.example.com: no path, no query, no fragment, "
            "no upper case"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        return "expected https; http is for loopback alone"
    return None


def _hostname(issuer: str) -> str:
    try:
        return urlsplit(issuer).hostname or ""
    except ValueError:
        return ""


def _database_mistake(url: str) -> str | None:
    expected = "expected sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"
    try:
        parsed = make_url(url)
    except ArgumentError:
        return expected
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return None
    if parsed.drivername != "sqlite":
        return expected
    in_memory = parsed.database in (None, "", ":memory:")
    return "an in-memory database cannot be shared by workers: name a file" if in_memory else None
