"""Everyone who takes part, started and introduced: the server, three APIs, three agents."""

import json
import secrets
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx

from .processes import Process, ProcessError, Processes, environment

DEPUTIZE = ("-m", "deputize_idp")
AGENTS = ("planner", "booker", "mallory")
APIS = ("calendar", "flights", "pay")
DECLARED = ("demo.toml", "payment.schema.json")
STARTING = 60  # seconds that the server may take to make its databases and answer


@dataclass(frozen=True)
class Api:
    """A resource server: what tokens call it, where it is, and what it prints."""

    identifier: str
    url: str
    process: Process


@dataclass
class Cast:
    """The processes by their names in the story.

    :param client_ids: of the agents that the server named itself
    """

    processes: Processes
    issuer: str
    metadata: dict[str, Any]
    agents: dict[str, Process]
    apis: dict[str, Api]
    client_ids: dict[str, str] = field(default_factory=dict)

    def enter(self, name: str, client_id: str, key: dict[str, Any]) -> None:
        """Let a spawned agent enter, in a process of its own."""
        self.client_ids[name] = client_id
        self.agents[name] = _start_agent(self.processes, name)
        self.agents[name].hear()
        self.agents[name].ask("connect", issuer=self.issuer, client_id=client_id, key=key)


def assemble(processes: Processes, folder: Path) -> Cast:
    """Start everyone.

    :raises ProcessError: when somebody does not come up
    """
    agents = {name: _start_agent(processes, name) for name in AGENTS}
    issuer = _start_server(processes, folder)
    client_secrets = {name: secrets.token_urlsafe(32) for name in APIS}
    _declare(folder, {name: agents[name].hear()["jwks"] for name in AGENTS}, client_secrets)
    for agent in agents.values():
        agent.ask("connect", issuer=issuer)
    apis = {name: _start_api(processes, name, issuer, client_secrets[name]) for name in APIS}
    return Cast(processes, issuer, _metadata(issuer), agents, apis)


def _start_agent(processes: Processes, name: str) -> Process:
    return processes.start(name, "-m", "deputize_idp.demo.agent", name)


def _start_server(processes: Processes, folder: Path) -> str:
    host, port = "127.0.0.1", _free_port()
    where = ("--data", str(folder), "--host", host, "--port", str(port))
    server = processes.start("the server", *DEPUTIZE, "serve", *where)
    return server.hear_line(STARTING).removeprefix("ready on ")


def _start_api(processes: Processes, name: str, issuer: str, client_secret: str) -> Api:
    process = processes.start(name, "-m", "deputize_idp.demo.api", name)
    process.tell({"issuer": issuer, "client_secret": client_secret})
    return Api(f"https://{name}.example", process.hear()["url"], process)


def _declare(folder: Path, jwks: dict[str, Any], client_secrets: dict[str, str]) -> None:
    """Declare everyone to the running server, as an administrator would."""
    declaration = folder / "declaration"
    declaration.mkdir(mode=0o700, exist_ok=True)  # it holds the APIs' secrets
    for name, keys in jwks.items():
        (declaration / f"{name}.jwks.json").write_text(json.dumps(keys))
    for name, secret in client_secrets.items():
        (declaration / f"{name}.secret").write_text(secret)
    for name in DECLARED:
        (declaration / name).write_text(files(__package__).joinpath(name).read_text())
    form = declaration / DECLARED[0]
    command = [sys.executable, *DEPUTIZE, "apply", str(form), "--data", str(folder)]
    run = subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, text=True, check=False, env=environment()
    )
    if run.returncode:
        raise ProcessError(f"deputize apply: {run.stderr.strip()}")


def _metadata(issuer: str) -> dict[str, Any]:
    with httpx.Client(timeout=10, trust_env=False) as http:
        answer = http.get(f"{issuer}/.well-known/oauth-authorization-server")
    metadata: dict[str, Any] = answer.raise_for_status().json()
    return metadata


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
