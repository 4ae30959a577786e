"""The real server for these stories: our host with Deputize, over HTTP, declared by a file."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from pydantic import SecretStr

from deputize.agents.models import SPAWNED, Agent
from deputize.declaration.read import read_declaration
from deputize.settings import Audit, Email, Notify, Outbox, Web, Webhook, WebPush
from deputize.settings import Settings as PluginSettings
from deputize_idp import Settings
from deputize_idp.apply import apply
from deputize_idp.configuration import Configuration
from deputize_idp.database import db
from deputize_idp.passwords import hash_password
from deputize_idp.people import declare_person
from deputize_idp.with_agents import create_app_with_agents
from idp.browser import PASSWORD
from idp.browser import Browser as Visitor
from support import agents_http
from support.serving import serving
from support.world import World

DECLARED = Path(__file__).with_name("trip.toml")
ORGANISATION = "Example Bank"
#: Ways to tell people, none of which is used but by its own tests.
TOLD = Notify(
    channels=("email", "webhook", "web_push"),
    email=Email(host="mail.example.com", sender="id@example.com"),
    webhook=Webhook(
        label="The desk of the bank",
        url="https://hooks.example.com/",
        secret=SecretStr(f"whsec_{'a' * 32}"),
    ),
    web_push=WebPush(contact="mailto:ops@bank.example", private_hosts=("127.0.0.1",)),
)
#: When the stories begin, so that a picture of a page says the same on every day.
BEGINS = datetime(2026, 11, 24, 9, 20, 30, tzinfo=UTC)


@dataclass
class House(World):
    """The server, and the agents of `trip.toml` as their developers run them."""

    app: Flask = field(default_factory=lambda: Flask("none"))

    def agent(self, client_id: str) -> agents_http.Agent:
        """Return the agent: with its key if it was made here, else with its declared secret."""
        known = client_id in self.keys
        return super().agent(client_id) if known else self.with_secret(client_id)

    def browser(self, person: str | None = "ana") -> Visitor:
        """Return what is enough of a browser where no page is the matter, signed in."""
        visitor = Visitor(self.url)
        if person is not None:
            assert visitor.sign_in(person, PASSWORD).status_code == 303
        return visitor

    def ana(self, *groups: str, name: str = "Ana Ruiz") -> str:
        """Return the user name of an Ana Ruiz who has never been here: each story has its own."""
        username = f"ana-{secrets.token_hex(4)}"
        with self.app.app_context():
            declare_person(
                username,
                name=name,
                groups=groups,
                email=f"{username}@example.com",
                password=_password_hash(),
            )
        return username

    def key_of(self, username: str) -> str:
        """Return the host's key of a person: the `sub` of tokens."""
        found = self.context.host.find_person_by_name(username)
        assert found is not None
        return found.key

    def register(self, client_id: str, **members: Any) -> Agent:
        """Register an agent as `trip.toml` does planner, but for `members`."""
        usual = {"owner": self.key_of("ben"), "delegates_to": frozenset({SPAWNED, "booker"})}
        return super().register(client_id, **usual | members)

    @contextmanager
    def later(self, seconds: int) -> Iterator[None]:
        """Let it be so much later, for the length of the `with`."""
        self.pass_time(seconds)
        yield
        self.pass_time(-seconds)

    @contextmanager
    def without_channels(self) -> Iterator[None]:
        """Let there be no way to tell people, for the length of the `with`."""
        channels: Any = self.context.channels
        kept = dict(channels)
        channels.clear()
        yield
        channels.update(kept)


@cache
def _password_hash() -> str:
    return hash_password(PASSWORD)


@contextmanager
def running_house(folder: Path) -> Iterator[House]:
    """Serve host and plugin, each on a database file of its own in `folder`."""
    clock_file = folder / "clock"
    clock_file.write_text(str(int(BEGINS.timestamp() - time.time())))
    houses: list[House] = []

    def make_app(url: str) -> Flask:
        app = create_app_with_agents(_configuration(url, folder, clock_file))
        context = app.extensions["deputize"].context
        with app.app_context():
            apply(context, read_declaration(DECLARED), dry_run=False, prune=False)
        host: Any = context.host
        houses.append(House(url, context, host, clock_file, app=app))
        return app

    with serving(make_app, name="localhost") as url:
        (house,) = houses
        house.pass_time(0)  # the agents' clocks go by the same file
        house.metadata = agents_http.discover(url)
        yield house
    agents_http.clock_offset = 0
    house.context.db.close()
    with house.app.app_context():
        db.engine.dispose()


def _configuration(url: str, folder: Path, clock_file: Path) -> Configuration:
    own = Settings(issuer=url, data=folder / "data", organisation=ORGANISATION)
    plugin = PluginSettings(
        issuer=url,
        database_url=f"sqlite:///{folder}/deputize.sqlite3",
        clock_file=str(clock_file),
        test_mode=True,
        web=Web(organisation=ORGANISATION),
        # What people would be told stays in the outbox.
        outbox=Outbox(in_workers=False),
        audit=Audit(in_workers=False),
        notify=TOLD,
    )
    return Configuration(own, plugin)
