"""The settings of both, from one file: `[deputize]` is the plugin's, `[idp]` this host's.

What both need to know (the issuer, the organisation, the database) is said once, under
`[deputize]`. Without a database named, each has a file of its own in the data folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deputize.configuration import Layers, load_model, load_settings, validate_sections
from deputize.settings import Settings as PluginSettings
from deputize.typed_toml import raise_mistakes, read_toml

from .database import private_file
from .settings import Settings

SECTION, PREFIX = "idp", "DEPUTIZE_IDP__"
SECTIONS = ["deputize", SECTION]
#: What `[idp]` never says: it is said once, under `[deputize]`, or by the command line.
SHARED = frozenset({"issuer", "data", "organisation", "database_url"})
LEFT_OUT = {SECTION: SHARED}
DEFAULT_ISSUER = "http://127.0.0.1:8000"
PLUGIN_DATABASE = "deputize.sqlite3"
#: Checkpoints of the audit trail: beside the databases, and not in them.
CHECKPOINTS = "audit-checkpoints.jsonl"
#: Who the server in this folder is, for commands that are told no issuer.
ISSUER_FILE = "issuer"


@dataclass(frozen=True)
class Chosen:
    """What the command line says.

    :param database: an SQLAlchemy URL for both
    :param issuer: who we are where neither file nor environment says it; None for whom the
        server of this data folder last was
    """

    data: Path
    config: Path | None = None
    database: str | None = None
    issuer: str | None = None


@dataclass(frozen=True)
class Configuration:
    """The settings of both."""

    idp: Settings
    plugin: PluginSettings


def load_configuration(chosen: Chosen, environ: Mapping[str, str]) -> Configuration:
    """Settings for one command.

    :raises ConfigurationError: one line for each mistake, with file and key.
    """
    if chosen.config:
        validate_sections(chosen.config, SECTIONS)
        _validate_said_once(chosen.config)
    issuer = chosen.issuer or served_issuer(chosen.data)
    own_file = f"sqlite:///{chosen.data.resolve() / PLUGIN_DATABASE}"
    plugin = load_settings(
        Layers(
            file=chosen.config,
            environ=environ,
            defaults={
                "issuer": issuer,
                "database_url": own_file,
                "audit": {"checkpoint_file": str(chosen.data.resolve() / CHECKPOINTS)},
            },
            defaults_from="--host and --port",
            given={"database_url": chosen.database} if chosen.database else {},
        )
    )
    shared: dict[str, Any] = {
        "issuer": plugin.issuer,
        "data": str(chosen.data),
        "organisation": plugin.web.organisation,
    }
    if plugin.database_url != own_file:
        shared["database_url"] = plugin.database_url
    layers = Layers(
        section=SECTION, prefix=PREFIX, file=chosen.config, environ=environ, given=shared
    )
    idp = load_model(Settings, layers)
    if plugin.database_url == own_file:
        private_file(chosen.data, PLUGIN_DATABASE)
    return Configuration(idp, plugin)


def served_issuer(data: Path) -> str:
    """Who the server of this data folder last was."""
    file = data / ISSUER_FILE
    return file.read_text() if file.is_file() else DEFAULT_ISSUER


def remember_issuer(configuration: Configuration) -> None:
    """Tell later commands on this data folder who the server is."""
    private_file(configuration.idp.data, ISSUER_FILE).write_text(configuration.plugin.issuer)


def _validate_said_once(file: Path) -> None:
    own = read_toml(file).get(SECTION)
    twice = sorted(SHARED.intersection(own if isinstance(own, dict) else ()))
    raise_mistakes([f"{file}: [{SECTION}] {key}: is said once, under [deputize]" for key in twice])
