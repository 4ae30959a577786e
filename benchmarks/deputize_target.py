"""Target (c): Deputize as `deputize serve` runs it, on our own host.

Trees are stored as consents and exchanges would have stored them, and subject tokens are
signed anew for each round with the server's own keys: they live for five minutes.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from subprocess import run
from time import time
from typing import Any
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import insert

from deputize.core.clock import SystemClock
from deputize.core.db import Database
from deputize.core.secrets import new_id
from deputize.core.versions import read_versions
from deputize.delegation.claims import delegated_claims
from deputize.delegation.keys import ACCESS_TOKEN_TYP, KeySet
from deputize.delegation.models import delegation, delegation_to_row, person
from deputize.delegation.node import Delegation, lease_hash
from deputize.tasks.models import TaskStatus, task
from deputize_idp.configuration import Chosen, load_configuration
from deputize_idp.with_agents import create_app_with_agents

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
BY_KEY = "planner-by-key"
DEEP = ("a1", "a2", "a3", AGENT)
DAY = 86_400
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

[[scopes]]
name = "{SCOPE}"
resource = "{CALENDAR}"
description = "Read your calendar"
"""
AGENT_DECLARED = """
[[agents]]
client_id = "{client_id}"
name = "{client_id}"
owner = "ana"
purpose = "Is measured"
scopes = ["calendar:read"]
resources = ["https://calendar.example"]
max_delegation_depth = 5
expires_in = "90d"
{credentials}
"""


class DeputizeTarget:
    name = "deputize"
    operations = frozenset(Operation)

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port = data, port
        self.issuer = f"http://{HOST}:{port}"
        self.key = ECKey.generate_key("P-256")
        self.nodes: dict[str, list[Delegation]] = {}
        self.subject = ""

    def set_up(self) -> None:
        file = self.data / "bench.toml"
        file.write_text(DECLARED + "".join(map(self._declared, (AGENT, BY_KEY, *DEEP[:3]))))
        run([COMMAND, "apply", str(file), "--data", str(self.data)], check=True, timeout=60)
        self._plant()

    def command(self, workers: int) -> list[str]:
        where = ["--data", str(self.data), "--host", HOST, "--port", str(self.port)]
        return [COMMAND, "serve", *where, "--workers", str(workers)]

    def environment(self) -> dict[str, str]:
        return {}

    def requests(self, operation: Operation, limit: int) -> Iterator[bytes]:
        keys = self._keys()
        if operation is Operation.CLIENT_CREDENTIALS:
            form = {"grant_type": "client_credentials", "scope": SCOPE, "resource": CALENDAR}
            return cycle([post("/oauth/token", form, AGENT, AGENT_SECRET)])
        if operation is Operation.INTROSPECTION:
            tokens = [self._token(keys, node) for node in self.nodes["at the API"]]
            return cycle([self.introspection(token) for token in tokens])
        if operation is Operation.EXCHANGE_JWT:
            tokens = [self._token(keys, node) for node in self.nodes["by key"]]
            given = cycle(tokens)
            return iter([self._exchange_by_key(next(given)) for _ in range(limit)])
        depth = "deep" if operation is Operation.EXCHANGE_4_DEEP else "root"
        tokens = [self._token(keys, node) for node in self.nodes[depth]]
        return cycle([post("/oauth/token", exchange(t), AGENT, AGENT_SECRET) for t in tokens])

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
        return AGENT_DECLARED.format(client_id=client_id, credentials=credentials)

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
        now = SystemClock().now()
        row = {"id": new_id(), "host_key": self.subject, "status": "active", "salt": b"-"}
        with db.write() as tx:
            tx.execute(insert(person), row)
            for name, chain in (("root", (AGENT,)), ("by key", (BY_KEY,)), ("deep", DEEP)):
                made = [self._tree(chain, row["id"], now) for _ in range(TOKENS)]
                for nodes in made:
                    self._store(tx, nodes, now)
                self.nodes[name] = [nodes[-1] for nodes in made]
            at_api = [self._at_api(node, now) for node in self.nodes["root"]]
            tx.execute(insert(delegation), [delegation_to_row(node) for node in at_api])
            self.nodes["at the API"] = at_api
        db.close()

    def _tree(self, chain: tuple[str, ...], person_id: str, now: int) -> list[Delegation]:
        root_id = new_id()
        nodes = [
            Delegation(
                id=root_id,
                root_id=root_id,
                parent_id=None,
                path=f"{root_id}/",
                depth=1,
                chain=chain[:1],
                actor=chain[0],
                person_id=person_id,
                task_id=new_id(),
                scope=frozenset({SCOPE}),
                target=self.issuer,
                resources=frozenset({CALENDAR}),
                pass_on=frozenset(DEEP),
                max_depth=5,
                lease_hash=None,
                created_at=now,
                expires_at=now + DAY,
            )
        ]
        for depth in range(2, len(chain) + 1):
            handed = nodes[-1].child(new_id(), now, target=chain[depth - 1])
            held = {"target": self.issuer, "actor": chain[depth - 1], "depth": depth}
            nodes += [handed, handed.child(new_id(), now, chain=chain[:depth], **held)]
        return nodes

    def _at_api(self, node: Delegation, now: int) -> Delegation:
        below = node.child(new_id(), now, target=CALENDAR)
        return replace(below, lease_hash=lease_hash(below))

    def _store(self, tx: Any, nodes: list[Delegation], now: int) -> None:
        started = {
            "id": nodes[0].task_id,
            "person_id": nodes[0].person_id,
            "agent": nodes[0].actor,
            "purpose": "Is measured",
            "status": TaskStatus.OPEN,
            "started_at": now,
            "deadline": now + DAY,
        }
        tx.execute(insert(task), started)
        tx.execute(insert(delegation), [delegation_to_row(node) for node in nodes])

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
        return load_configuration(Chosen(data=self.data, issuer=self.issuer), {})


def exchange(token: str) -> dict[str, str]:
    """The form of an exchange for a token at the API."""
    return {
        "grant_type": EXCHANGE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
        "resource": CALENDAR,
        "scope": SCOPE,
    }
