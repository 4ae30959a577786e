"""A small world to test in: a bare Flask host with the plugin, one API, a few agents.

The server answers over real HTTP and the database is real; what the host knows of
people is a dictionary, and signing in is one request.
"""

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from flask import Flask, jsonify, redirect, request, session
from joserfc.jwk import ECKey
from sqlalchemy import select

from deputize import Deputize
from deputize.agents.lifecycle import Status
from deputize.agents.models import SPAWNED, Agent, find_agent
from deputize.agents.register import store_agent
from deputize.audit.models import event
from deputize.audit.record import Event
from deputize.catalogue.models import ResourceServer, Scope
from deputize.core.secrets import digest
from deputize.delegation.context import Context
from deputize.endings.edit_agent import edit_agent
from deputize.endings.edit_catalogue import declare_scope, declare_server
from deputize.endings.person_left import person_left
from deputize.endings.stop_agent import start_agent, stop_agent
from deputize.host import Authentication, Paths, Person, PersonToken
from deputize.part import Part
from deputize.settings import Settings
from support import agents_http
from support.databases import put_tables
from support.moved import move_clock
from support.serving import serving

CALENDAR = "https://calendar.example"
FLIGHTS = "https://flights.example"
PAY = "https://pay.example"
CALLBACK = "http://127.0.0.1/callback"
SECRET = "a-secret-of-more-than-24-characters"
FAR = 4_000_000_000

SCOPES = (
    Scope("calendar:read", CALENDAR, "Read your calendar"),
    Scope("calendar:write", CALENDAR, "Change your calendar"),
    Scope("flights:search", FLIGHTS, "Search flights"),
    Scope("flights:hold", FLIGHTS, "Hold flights"),
    Scope("pay:transfer", PAY, "Pay", sensitive=True),
)


@dataclass
class BareHost:
    """People in a dictionary; the session says who is signed in."""

    people: dict[str, Person] = field(default_factory=dict)
    inactive: set[str] = field(default_factory=set)
    tokens: dict[str, PersonToken] = field(default_factory=dict)
    paths: Paths = Paths()  # noqa: RUF009 - immutable
    addresses: dict[tuple[str, str], str] = field(default_factory=dict)

    def current_person(self) -> Person | None:
        key = session.get("person")
        return None if key in self.inactive else self.people.get(key or "")

    def sign_in_url(self, next_url: str) -> str:
        return f"/sign-in?{urlencode({'next': next_url})}"

    def authentication(self) -> Authentication | None:
        return Authentication(session.get("auth_time"), "pwd", ("pwd",))

    def find_person(self, key: str) -> Person | None:
        return self.people.get(key)

    def find_person_by_name(self, username: str) -> Person | None:
        return self.people.get(username)

    def find_person_by_hint(self, hint: str) -> Person | None:
        return self.people.get(hint.removesuffix("@example.com"))

    def find_address(self, key: str, channel: str) -> str | None:
        return self.addresses.get((key, channel))

    def person_from_token(self, token: str) -> PersonToken | None:
        return self.tokens.get(token)

    def is_active(self, key: str) -> bool:
        return key in self.people and key not in self.inactive


@dataclass
class World:
    """A running server, and everyone who takes part."""

    url: str
    context: Context
    host: BareHost
    clock_file: Path
    metadata: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, ECKey] = field(default_factory=dict)
    app: Flask = field(default_factory=lambda: Flask("none"))

    def agent(self, client_id: str) -> agents_http.Agent:
        """Return the agent as its developer runs it."""
        return agents_http.Agent(client_id, self.metadata, key=self.keys.get(client_id))

    def with_secret(self, client_id: str) -> agents_http.Agent:
        return agents_http.Agent(client_id, self.metadata, secret=SECRET)

    def api(self, client_id: str = "calendar-api") -> agents_http.Agent:
        """Return a resource server: it introspects with its secret."""
        return agents_http.Agent(client_id, self.metadata, secret=SECRET)

    def register(self, client_id: str, **members: Any) -> Agent:
        """Register an agent with a key of its own; return its registration."""
        key = self.keys.setdefault(client_id, agents_http.new_key())
        usual: dict[str, Any] = {
            "client_id": client_id,
            "name": client_id,
            "purpose": "Books trips",
            "origin": "declared",
            "created_at": 1_700_000_000,
            "expires_at": FAR,
            "token_endpoint_auth_method": "private_key_jwt",
            "owner": "ben",
            "status": Status.ACTIVE,
            "scope": frozenset(s.name for s in SCOPES) | {"agents:spawn", "tasks"},
            "resources": frozenset({CALENDAR, FLIGHTS, PAY}),
            "delegates_to": frozenset({SPAWNED, "booker", "checker", "planner"}),
            "max_delegation_depth": 5,
            "redirect_uris": (CALLBACK,),
            "jwks": json.dumps(agents_http.jwks(key)),
        }
        registered = Agent(**(usual | members))
        with self.context.db.write() as tx:
            store_agent(tx, registered, Event("agent.declared", agent=client_id))
        return registered

    def edit(self, client_id: str, **members: Any) -> None:
        """Edit a registration as an administrator would."""
        with self.context.db.read() as tx:
            registered = find_agent(tx, client_id)
        assert registered is not None
        edit_agent(self.context.db, replace(registered, **members))

    def stop(self, client_id: str, status: Status = Status.SUSPENDED) -> None:
        """Suspend or retire an agent as an administrator would."""
        assert stop_agent(self.context.db, client_id, status, why="suspended") is not None

    def start(self, client_id: str) -> None:
        """Adopt or resume an agent as an administrator would: somebody answers for it."""
        with self.context.db.read() as tx:
            registered = find_agent(tx, client_id)
        if registered is not None and registered.owner is None:
            self.edit(client_id, owner="ben")
        assert start_agent(self.context.db, client_id)

    def leave(self, person: str) -> None:
        """Let a person leave the organisation."""
        person_left(self.context.db, person, why="left")

    def forge(self, claims: dict[str, Any], typ: str = "at+jwt") -> str:
        """Sign claims with the server's own key: what a verifier must judge by `typ` and claims."""
        with self.context.db.read() as tx:
            return self.context.moment(tx).keys.sign(claims, typ, tx.now)

    def refused(
        self, ask: Callable[..., httpx.Response], *arguments: Any, **params: Any
    ) -> tuple[int, str, str]:
        """Ask the token endpoint; return status, error and the rule of the one event it left."""
        before = {told["id"] for told in self.events("token.refused")}
        status, error = agents_http.outcome(ask(*arguments, **params))
        told = [e for e in self.events("token.refused") if e["id"] not in before]
        assert len(told) == 1, (status, error, told)
        return status, error, told[0]["rule"]

    def spawn(self, parent: str, token: str, scope: str) -> str:
        """Let `parent` spawn a child by its hold; return the child's client id."""
        key = agents_http.new_key()
        allowed = self.agent(parent).ask_to_spawn(token, scope, key)
        assert allowed.status_code == 200, allowed.text
        born = self.agent(parent).register_child(allowed.json()["access_token"], key)
        assert born.status_code == 201, born.text
        client_id = str(born.json()["client_id"])
        self.keys[client_id] = key
        return client_id

    def browser(self, person: str | None = "ana") -> httpx.Client:
        """Return a browser with its cookies, signed in as `person`."""
        client = httpx.Client(base_url=self.url, trust_env=False, timeout=10)
        if person is not None:
            client.get("/sign-in", params={"person": person}).raise_for_status()
        return client

    def consent(
        self,
        client_id: str = "planner",
        person: str = "ana",
        *,
        untick: tuple[str, ...] = (),
        pass_on: tuple[str, ...] | None = None,
        until: int | None = None,
        redeem_with: agents_http.Agent | None = None,
        **params: Any,
    ) -> httpx.Response:
        """Let `person` deputize the agent on the real page; return the token response."""
        verifier, challenge = agents_http.pkce()
        code = self.code(
            challenge, client_id, person, untick=untick, pass_on=pass_on, until=until, **params
        )
        agent = redeem_with or self.agent(client_id)
        return agent.post(
            "token_endpoint",
            grant_type="authorization_code",
            code=code,
            redirect_uri=CALLBACK,
            code_verifier=verifier,
        )

    def code(
        self,
        challenge: str,
        client_id: str = "planner",
        person: str = "ana",
        *,
        untick: tuple[str, ...] = (),
        pass_on: tuple[str, ...] | None = None,
        until: int | None = None,
        **params: Any,
    ) -> str:
        """Return the code that the page gives once the person has pressed."""
        browser = self.browser(person)
        page = browser.get(authorize_url(self.metadata, client_id, challenge, **params))
        assert page.status_code == 200, page.text
        form = read_form(page.text)
        form["decision"] = ["allow"]
        form["scope"] = [s for s in form["scope"] if s not in untick]
        form |= {} if pass_on is None else {"pass_on": list(pass_on)}
        form |= {} if until is None else {"until": [str(until)]}
        answer = browser.post(form.pop("action")[0], data=form)
        assert answer.status_code == 303, answer.text
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    def hold(self, client_id: str = "planner", person: str = "ana", **params: Any) -> str:
        """Return a root token: the agent's hold on what the person consented to."""
        answer = self.consent(client_id, person, **params)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def hand_over(self, token: str, giver: str, taker: str, scope: str) -> str:
        """Return the taker's hold, once the giver has handed `scope` over."""
        given = self.agent(giver).exchange(token, audience=taker, scope=scope)
        assert given.status_code == 200, given.text
        taken = self.agent(taker).exchange(
            given.json()["access_token"], resource=self.metadata["issuer"]
        )
        assert taken.status_code == 200, taken.text
        return str(taken.json()["access_token"])

    def is_active(self, token: str, api: str = "calendar-api") -> bool:
        return bool(self.api(api).introspect(token).json()["active"])

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return the audit trail, oldest first."""
        asked = select(event).order_by(event.c.at)
        with self.context.db.read() as tx:
            rows = tx.execute(asked.where(event.c.kind == kind) if kind else asked).mappings()
            return [{**row, "facts": json.loads(row["body"])} for row in rows]

    def pass_time(self, seconds: int) -> None:
        """Move the clock of every worker on."""
        agents_http.clock_offset = move_clock(self.clock_file, seconds)


def present(
    world: World, assertion: str, endpoint: str = "token_endpoint", **form: str
) -> httpx.Response:
    """Make the plainest request that needs authentication, by `assertion` alone."""
    usual = {
        "grant_type": "client_credentials",
        "token": "x",
        "client_assertion_type": agents_http.JWT_BEARER,
        "client_assertion": assertion,
    }
    return agents_http.http.post(world.metadata[endpoint], data=usual | form)


def authorize_url(
    metadata: dict[str, Any], client_id: str, challenge: str | None, /, **params: Any
) -> str:
    """Return the URL of an authorization request; `params` replace the usual ones."""
    usual = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "scope": "calendar:read calendar:write flights:search agents:spawn tasks",
        "resource": [CALENDAR, FLIGHTS, PAY],
        "state": secrets.token_urlsafe(8),
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    sent = {name: value for name, value in (usual | params).items() if value is not None}
    return f"{metadata['authorization_endpoint']}?{urlencode(sent, doseq=True)}"


def read_form(html: str) -> dict[str, list[str]]:
    """Return the fields of the page's form as a browser would send them untouched."""
    fields: dict[str, list[str]] = {"scope": [], "pass_on": []}
    action = re.search(r'<form[^>]*action="([^"]*)"', html)
    assert action is not None, html
    fields["action"] = [unescape(action[1])]
    for tag in re.findall(r"<input[^>]*>", html):
        name, value = (re.search(rf'{a}="([^"]*)"', tag) for a in ("name", "value"))
        if name and ("checkbox" not in tag or " checked" in tag):
            fields.setdefault(name[1], []).append(unescape(value[1]) if value else "")
    chosen = re.search(r'<option[^>]*value="(\d+)"[^>]*selected', html)
    fields["until"] = [chosen[1] if chosen else "3600"]
    return fields


@contextmanager
def another_worker(world: World) -> Iterator[dict[str, Any]]:
    """Start one more process on the world's database; yield its metadata."""
    with killable_worker(world) as (_, metadata):
        yield metadata


@contextmanager
def killable_worker(world: World) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Start one more process on the world's database; yield it, with its metadata."""
    database = world.context.db.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "support.another_worker"]
    with subprocess.Popen(
        [*command, database, world.url, str(world.clock_file)],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        endpoints = {k: v for k, v in world.metadata.items() if k.endswith("_endpoint")}
        yield (
            process,
            world.metadata | {k: v.replace(world.url, url) for k, v in endpoints.items()},
        )
        process.stdin.close()


@contextmanager
def running_world(
    database_url: str,
    folder: Path,
    paths: Paths | None = None,
    parts: Sequence[Part] = (),
    **overrides: Any,
) -> Iterator[World]:
    """Yield a world on a database that nobody has used.

    :param paths: where the host has OAuth endpoints of its own; none by default
    :param parts: that another package adds
    :param overrides: sections of the plugin's settings
    """
    if database_url.startswith("sqlite"):
        put_tables(database_url)
    clock_file = folder / "clock"
    clock_file.write_text("0")
    agents_http.clock_offset = 0
    people = {name: Person(name, name.title()) for name in ("ana", "ben", "eve")}
    host = BareHost(people, paths=paths or Paths())
    worlds: list[World] = []

    def make_app(url: str) -> Flask:
        app = bare_app(host)
        settings = Settings(
            issuer=url,
            database_url=database_url,
            clock_file=str(clock_file),
            test_mode=True,
            # A test sends and seals when it says so.
            **{"outbox": {"in_workers": False}, "audit": {"in_workers": False}} | overrides,
        )
        deputize = Deputize(host=host, settings=settings, parts=parts)
        deputize.init_app(app)
        worlds.append(World(url, deputize.context, host, clock_file, app=app))
        return app

    with serving(make_app) as url:
        (world,) = worlds
        world.metadata = agents_http.discover(url)
        _furnish(world)
        yield world
    world.context.db.close()


def people() -> BareHost:
    """Return a host that knows three people."""
    return BareHost({name: Person(name, name.title()) for name in ("ana", "ben", "eve")})


def bare_app(host: BareHost) -> Flask:
    app = Flask(__name__)
    app.secret_key = "only for tests"

    @app.get("/sign-in")
    def sign_in() -> Any:
        session["person"] = request.args.get("person", "")
        session["auth_time"] = int(request.args.get("at", 1_764_000_000))
        return redirect(request.args["next"]) if "next" in request.args else "signed in"

    for name in Paths.__dataclass_fields__:
        path = getattr(host.paths, name)
        if path is not None:
            app.add_url_rule(path, name, lambda: jsonify(by="the host"), methods=["GET", "POST"])
    return app


def _furnish(world: World) -> None:
    db = world.context.db
    for identifier, name in ((CALENDAR, "calendar"), (FLIGHTS, "flights"), (PAY, "pay")):
        declare_server(db, ResourceServer(identifier, name, f"{name}-api", digest(SECRET)))
    for declared in SCOPES:
        declare_scope(db, declared)
    for client_id in ("planner", "booker", "checker", "mallory"):
        world.register(client_id)
