"""A foreign Flask host with the plugin, and an operator who has files and `flask deputize`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import Result
from flask import Flask
from sqlalchemy import select

from deputize import Deputize
from deputize.agents.models import Agent, find_agent
from deputize.catalogue.models import Catalogue
from deputize.cli import deputize
from deputize.core.db import metadata
from deputize.declaration.export import write_toml
from deputize.delegation.context import Context
from deputize.endings.person_left import person_left
from deputize.host import Person
from deputize.settings import Settings
from support.moved import move_clock
from support.world import BareHost

SECRET = "a-secret-of-more-than-24-characters"
OTHER_SECRET = "another-secret-of-24-characters-or-more"

SERVER = f"""
[[resource_servers]]
identifier = "https://calendar.example"
name = "Calendar"
client_id = "calendar-api"
client_secret = "{SECRET}"
"""

SCOPES = """
[[scopes]]
name = "calendar:read"
resource = "https://calendar.example"
description = "Read your calendar"

[[scopes]]
name = "calendar:write"
resource = "https://calendar.example"
description = "Change your calendar"
"""

PLANNER = f"""
[[agents]]
client_id = "planner"
name = "Planner"
owner = "ben"
sponsor = "ana"
purpose = "Books trips"
scopes = ["calendar:read", "calendar:write", "agents:spawn", "tasks"]
resources = ["https://calendar.example"]
delegates_to = ["booker", "spawned"]
max_delegation_depth = 4
expires_in = "90d"
redirect_uris = ["http://127.0.0.1/callback"]
client_secret = "{SECRET}"
"""

BOOKER = f"""
[[agents]]
client_id = "booker"
owner = "ben"
scopes = ["calendar:read"]
client_secret = "{SECRET}"
"""

SCHEMA: dict[str, Any] = {"type": "object", "required": ["amount"]}
DETAILS_TYPE: dict[str, Any] = {
    "type": "entry",
    "scope": "calendar:write",
    "schema": SCHEMA,
    "template": "Add {amount} entries",
    "compare": {"amount": "at_most"},
}


def details_type(**members: object) -> str:
    """A type that binds `calendar:write`, with other members."""
    return "\n" + write_toml({"authorization_details_types": [DETAILS_TYPE | members]})


EVERYTHING = SERVER + SCOPES + PLANNER + BOOKER


@dataclass
class House:
    """The host, its database, and the folder where the operator keeps files."""

    folder: Path
    database_url: str
    clock_file: Path = field(init=False)
    host: BareHost = field(init=False)
    app: Flask = field(init=False)
    context: Context = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.clock_file = self.folder / "clock"
        self.clock_file.write_text("0")
        people = {name: Person(f"key-of-{name}", name.title()) for name in ("ana", "ben", "eve")}
        self.host = _People(people)
        deputize_ = Deputize(
            host=self.host,
            settings=Settings(
                issuer="http://127.0.0.1:8000",
                database_url=self.database_url,
                clock_file=str(self.clock_file),
                test_mode=True,
            ),
        )
        self.app = Flask("house")
        self.app.secret_key = "only for tests"
        deputize_.init_app(self.app)
        self.app.cli.add_command(deputize)
        self.context = deputize_.context

    def run(self, *args: str) -> Result:
        """Run `flask deputize …`."""
        return self.app.test_cli_runner().invoke(args=["deputize", *args])

    def apply(self, text: str, *flags: str) -> list[str]:
        """Apply a declaration that is accepted; the lines that were printed."""
        result = self.run("apply", str(self.write(text)), *flags)
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()

    def refused(self, text: str, *flags: str) -> list[str]:
        """Apply a declaration that is refused; the lines on standard error, without the file."""
        file = self.write(text)
        result = self.run("apply", str(file), *flags)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        return [line.removeprefix(f"{file}: ") for line in result.stderr.splitlines()]

    def write(self, text: str, name: str = "house.toml") -> Path:
        file = self.folder / name
        file.write_text(text)
        return file

    def leaves(self, name: str) -> None:
        """Let somebody leave, as the host tells it."""
        self.host.inactive.add(f"key-of-{name}")
        person_left(self.context.db, f"key-of-{name}", why="left")

    def export(self) -> str:
        result = self.run("export")
        assert result.exit_code == 0, result.output
        return result.stdout

    def agent(self, client_id: str) -> Agent:
        with self.context.db.read() as tx:
            found = find_agent(tx, client_id)
        assert found is not None
        return found

    def catalogue(self) -> Catalogue:
        with self.context.db.read() as tx:
            return self.context.moment(tx).catalogue

    def rows(self) -> dict[str, list[Any]]:
        """Every row of every table of the plugin, the audit trail included."""
        with self.context.db.read() as tx:
            return {
                table.name: [tuple(row) for row in tx.execute(select(table)).all()]
                for table in metadata.sorted_tables
            }

    def pass_time(self, seconds: int) -> None:
        move_clock(self.clock_file, seconds)


class _People(BareHost):
    """People whose keys are not their user names, as on a real host."""

    def find_person(self, key: str) -> Person | None:
        return next((p for p in self.people.values() if p.key == key), None)

    def is_active(self, key: str) -> bool:
        return self.find_person(key) is not None and key not in self.inactive
