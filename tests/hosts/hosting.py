"""A host as the tests know it: what each does in a way of its own, so that the checks are the
same. The hosts themselves are in `hostings.py`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx
from flask import Flask
from sqlalchemy import MetaData

from deputize.settings import Settings
from idp.browser import Browser

PEOPLE = ("ana", "ben", "eve")
GRANTS = ["authorization_code", "refresh_token", "client_credentials"]
SECRET_KEY = "only for tests, and long enough for that"

Rows = Mapping[str, list[str]]


class Hosting(Protocol):
    """One host.

    :ivar lacks: what a host can be without, and why this one is: checks of that have no
        meaning here, and are not run (`@pytest.mark.needs`)
    :ivar told: the claims of how a person signed in that this host can tell
    :ivar faults: questions that the host itself, with or without agents, answers with a 500
    :ivar is_alone: whether a process can hold only one app of this kind
    """

    name: str
    lacks: Mapping[str, str]
    told: frozenset[str]
    faults: frozenset[str]
    is_alone: bool
    userinfo: str
    jwks: str
    version_table: str
    scope: str
    sign_in_page: str

    def make(self, url: str, database_url: str, folder: Path) -> Flask:
        """Make the host as it was before Deputize."""
        ...

    def make_with_agents(self, settings: Settings, folder: Path) -> Flask:
        """Make the host with Deputize added, as its documentation says."""
        ...

    def populate(self) -> None:
        """Store people and clients: webapp, other, and api, which may introspect any token."""
        ...

    def sign_in(self, browser: Browser, person: str, page: httpx.Response) -> httpx.Response:
        """Fill in the host's sign-in page; return the answer that leads back."""
        ...

    def sign_out(self, browser: Browser) -> httpx.Response:
        """Sign out on the host's own page."""
        ...

    def allow(self, browser: Browser, page: httpx.Response) -> httpx.Response:
        """Say yes on the host's own consent page, to a client of the host."""
        ...

    def lock_out(self, person: str) -> None:
        """Deactivate a person, as an administrator of the host does."""
        ...

    def knows_client(self, client_id: str) -> bool:
        """Ask the host's own OAuth server for a client."""
        ...

    def keys(self) -> list[dict[str, Any]]:
        """Return the public keys of the host's own."""
        ...

    def rows(self, database_url: str) -> Rows:
        """Return all that the host stores, of each kind."""
        ...

    def tables(self) -> MetaData:
        """Return the host's own tables, as its migrations know them."""
        ...
