"""Target (c): Deputize as `deputize serve` runs it, on our own host.

Trees are stored as consents and exchanges would have stored them, and subject tokens are
signed anew for each round with the server's own keys: they live for five minutes.
"""

import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from subprocess import run
from time import time
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey

from deputize.core.clock import SystemClock
from deputize.core.db import Database, Transaction
from deputize.core.secrets import new_id
from deputize.core.versions import read_versions
from deputize.delegation.claims import delegated_claims
from deputize.delegation.keys import ACCESS_TOKEN_TYP, KeySet
from deputize.delegation.node import Delegation
from deputize_idp.configuration import Chosen, load_configuration
from deputize_idp.with_agents import create_app_with_agents

from .planted import Planter, store_person
from .postgres import Postgres
from .target import (
    AGENT,
    AGENT_SECRET,
    API,
    API_SECRET,
    HOST,
    SCOPE,
    TOKENS,
    Operation,
    post,
)

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CALENDAR = "https://calendar.example"
BY_KEY, WIDE = "planner-by-key", "planner-of-many-scopes"
DEEP = ("a1", "a2", "a3", AGENT)
PARTS = tuple(f"calendar:part-{number:02}" for number in range(12))
CHAINS: dict[str, tuple[str, ...]] = {
    "root": (AGENT,),
    "by key": (BY_KEY,),
    "deep": DEEP,
    "wide": (WIDE,),
}
#: Trees for exchanges that make a node each: an agent makes a thousand in a task, at most.
WIDE_TREES = 256
COMMAND = str(Path(sys.executable).with_name("deputize"))
DECLARED = f"""
[[people]]
username = "ana"
name = "Ana Ruiz"
email = "ana@example.com"
password = "correct horse battery"

[[resource_servers]]
identifier = "{CALENDAR}"
name = "Calendar"
client_id = "{API}"
client_secret = "{API_SECRET}"
"""
SCOPE_DECLARED = """
[[scopes]]
name = "{name}"
resource = "https://calendar.example"
description = "A part of your calendar"
"""
AGENT_DECLARED = """
[[agents]]
client_id = "{client_id}"
name = "{client_id}"
owner = "ana"
purpose = "Is measured"
scopes = [{scopes}]
resources = ["https://calendar.example"]
max_delegation_depth = 5
expires_in = "90d"
{credentials}
"""


class DeputizeTarget:
    name = "deputize"
    operations = frozenset(Operation)
    chains = CHAINS

    def __init__(self, data: Path, port: int, database: Postgres | None = None) -> None:
        self.data, self.port, self.database = data, port, database
        self.url = database.create_database() if database else None
        self.issuer = f"http://{HOST}:{port}"
        self.key = ECKey.generate_key("P-256")
        self.nodes: dict[str, list[Delegation]] = {}
        self.subject = ""
        self.made = 0

    def set_up(self) -> None:
        file = self.data / "bench.toml"
        agents = map(self._declared, (AGENT, BY_KEY, *DEEP[:3], WIDE))
        scopes = (SCOPE_DECLARED.format(name=name) for name in (SCOPE, *PARTS))
        file.write_text(DECLARED + "".join([*scopes, *agents]))
        options = ["--data", str(self.data), *self._database_option()]
        run([COMMAND, "apply", str(file), *options], check=True, timeout=60)
        self._plant()

    def command(self, workers: int) -> list[str]:
        where = ["--data", str(self.data), "--host", HOST, "--port", str(self.port)]
        return [COMMAND, "serve", *where, *self._database_option(), "--workers", str(workers)]

    def _database_option(self) -> list[str]:
        return ["--database", self.url] if self.url else []

    def environment(self) -> dict[str, str]:
        return {}

    def requests(self, operation: Operation, limit: int) -> Iterator[bytes]:
        keys = self._keys()
        if operation is Operation.CLIENT_CREDENTIALS:
            form = {"grant_type": "client_credentials", "scope": SCOPE, "resource": CALENDAR}
            return cycle([post("/oauth/token", form, AGENT, AGENT_SECRET)])
        if operation is Operation.INTROSPECTION:
            tokens = [self._token(keys, node) for node in self.subjects("at the API")]
            return cycle([self.introspection(token) for token in tokens])
        if operation is Operation.EXCHANGE_JWT:
            tokens = [self._token(keys, node) for node in self.subjects("by key")]
            given = cycle(tokens)
            return iter([self._exchange_by_key(next(given)) for _ in range(limit)])
        if operation is Operation.EXCHANGE_NEW_NODE:
            tokens = [self._token(keys, node) for node in self.subjects("wide")]
            return iter([self._exchange_for_a_new_node(tokens) for _ in range(limit)])
        depth = "deep" if operation is Operation.EXCHANGE_4_DEEP else "root"
        tokens = [self._token(keys, node) for node in self.subjects(depth)]
        return cycle([post("/oauth/token", exchange(t), AGENT, AGENT_SECRET) for t in tokens])

    def subjects(self, name: str) -> list[Delegation]:
        """Return the nodes for whose tokens requests take turns."""
        return self.nodes[name]

    def introspection(self, token: str) -> bytes:
        form = {"token": token, "token_type_hint": "access_token"}
        return post("/oauth/introspect", form, API, API_SECRET)

    def _declared(self, client_id: str) -> str:
        if client_id != BY_KEY:
            credentials = f'client_secret = "{AGENT_SECRET}"'
        else:
            public = self.key.as_dict(private=False)
            members = ", ".join(f'{name} = "{value}"' for name, value in public.items())
            credentials = f"jwks = {{ keys = [{{ {members} }}] }}"
        names = (SCOPE, *PARTS) if client_id == WIDE else (SCOPE,)
        scopes = ", ".join(f'"{name}"' for name in names)
        return AGENT_DECLARED.format(client_id=client_id, scopes=scopes, credentials=credentials)

    def _exchange_for_a_new_node(self, tokens: list[str]) -> bytes:
        """Ask for scopes that were never asked for together under that parent."""
        turn, parent = divmod(self.made, len(tokens))
        self.made += 1
        parts = [name for bit, name in enumerate(PARTS) if (turn + 1) >> bit & 1]
        asked = exchange(tokens[parent]) | {"scope": " ".join(parts)}
        return post("/oauth/token", asked, WIDE, AGENT_SECRET)

    def _exchange_by_key(self, token: str) -> bytes:
        now = int(time())
        claims = {
            "iss": BY_KEY,
            "sub": BY_KEY,
            "aud": self.issuer,
            "exp": now + 240,
            "jti": uuid4().hex,
        }
        assertion = jwt.encode({"alg": "ES256"}, claims, self.key)
        proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        return post("/oauth/token", exchange(token) | proof)

    # -- what a history of consents and exchanges would have left -----------------

    def _plant(self) -> None:
        app = create_app_with_agents(self._configuration())
        self.subject = app.extensions["deputize"].host.find_person_by_name("ana").key
        db: Database = app.extensions["deputize"].context.db
        with db.write() as tx:
            person_id = store_person(tx, self.subject)
            now, scope = SystemClock().now(), frozenset({SCOPE})
            self.planter = Planter(self.issuer, CALENDAR, scope, person_id, now)
            self.plant_measured(tx, TOKENS)
            self.plant_measured(tx, WIDE_TREES - TOKENS, only="wide")
        self.plant_more(db)
        db.close()

    def plant_measured(self, tx: Transaction, trees: int, only: str = "") -> None:
        """Store that many trees of each chain that requests are made for."""
        for name, chain in self.chains.items():
            if only not in ("", name):
                continue
            more_scope = PARTS if name == "wide" else ()
            made = [self.planter.chain(chain, more_scope) for _ in range(trees)]
            self.planter.store(tx, [node for nodes in made for node in nodes])
            self.nodes.setdefault(name, []).extend(nodes[-1] for nodes in made)
            if name == "root":
                at_api = [self.planter.at_api(nodes[-1]) for nodes in made]
                self.planter.store(tx, at_api)
                self.nodes.setdefault("at the API", []).extend(at_api)

    def plant_more(self, db: Database) -> None:
        """Store what else is there; nothing, but for one who adds to it."""

    def _keys(self) -> KeySet:
        app = create_app_with_agents(self._configuration())
        context = app.extensions["deputize"].context
        with context.db.read() as tx:
            keys: KeySet = context.keys.get(tx, read_versions(tx))
        context.db.close()
        return keys

    def _token(self, keys: KeySet, node: Delegation) -> str:
        now = int(time())
        claims = delegated_claims(self.issuer, self.subject, node, new_id(), now, now + 300)
        return keys.sign(claims, ACCESS_TOKEN_TYP, now)

    def _configuration(self) -> Any:
        return load_configuration(Chosen(data=self.data, issuer=self.issuer, database=self.url), {})


def exchange(token: str) -> dict[str, str]:
    """The form of an exchange for a token at the API."""
    return {
        "grant_type": EXCHANGE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        "resource": CALENDAR,
        "scope": SCOPE,
    }
