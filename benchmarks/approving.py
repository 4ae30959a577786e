"""`python -m benchmarks.approving`: how soon an agent holds what its person approved, and what
waiting for it costs others.

One server, as `deputize serve` runs it, in one run: polls that are held and answered as the
person decides; introspection without and with thousands of held polls, in turns; the inbox and
the poll before and after ten thousand more approvals wait.
"""

import argparse
import re
import selectors
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import cycle, repeat
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from sqlalchemy import update

from deputize.approvals.content import content_hash, request_hash
from deputize.approvals.decide import Outcome, decide
from deputize.approvals.grant_less import grant_less
from deputize.approvals.models import Approval, Status, approval, approval_to_row, auth_request
from deputize.core.secrets import digest, new_id, new_secret
from deputize.delegation.node import Delegation
from deputize.host import Authentication
from deputize.oauth.ciba import CIBA
from deputize_idp.with_agents import create_app_with_agents

from .bulk import load
from .deputize_target import CALENDAR, SCOPE_DECLARED, DeputizeTarget
from .load import Connection, drive, open_connection, receive
from .measure import WrongAnswerError
from .planted import store_person
from .postgres import Postgres, running_postgres
from .rounds import RESULTS
from .serving import Server, free_port, serving
from .target import AGENT, AGENT_SECRET, Operation, get, post

PAY = "calendar:pay"
CONNECTIONS = 16

#: What is to be reached: milliseconds, and shares of what is without.
SOON, COSTS, SLOWER = 150, 1.10, 1.20


class ApprovingTarget(DeputizeTarget):
    """`deputize serve` with a scope that takes the person's word."""

    def set_up(self) -> None:
        super().set_up()
        self.app = create_app_with_agents(self._configuration())
        self.context: Any = self.app.extensions["deputize"].context

    def environment(self) -> dict[str, str]:
        approvals = {"HOLD_POLL": "30", "MAX_HELD": "4000", "MAX_HELD_OF_AGENT": "4000"}
        return {f"DEPUTIZE__APPROVALS__{name}": value for name, value in approvals.items()}

    def _declared(self, client_id: str) -> str:
        declared = super()._declared(client_id)
        if client_id != AGENT:
            return declared
        scope = SCOPE_DECLARED.format(name=PAY) + "sensitive = true\n"
        return scope + declared.replace("scopes = [", f'scopes = ["{PAY}", ')

    def asked(self, number: int, person_id: str | None = None) -> list["Asked"]:
        """Store that many approvals that wait, each of a delegation of its own."""
        roots = [replace(self.planter.root(AGENT), scope=self.planter.scope) for _ in range(number)]
        if person_id is not None:
            roots = [replace(root, person_id=person_id) for root in roots]
        asked = [Asked(new_secret(), _card(root)) for root in roots]
        with self.context.db.write() as tx:
            self.planter.store(tx, roots)
            load(tx, approval, (approval_to_row(a.card) for a in asked))
            load(tx, auth_request, (a.row() for a in asked))
        return asked

    def withdraw(self) -> None:
        """End all that waits, and with it what is held."""
        waits = approval.c.status == Status.PENDING
        with self.context.db.write() as tx:
            tx.execute(update(approval).where(waits).values(status=Status.WITHDRAWN))

    def others_asked(self, number: int) -> None:
        """Store that many approvals of other people."""
        for start in range(0, number, 500):
            with self.context.db.write() as tx:
                person_id = store_person(tx, f"other-{start}-{new_id()}")
            self.asked(min(500, number - start), person_id)


@dataclass(frozen=True)
class Asked:
    """One approval that waits, and the id by which its agent comes for it."""

    auth_req_id: str
    card: Approval

    def row(self) -> dict[str, Any]:
        return {
            "digest": digest(self.auth_req_id),
            "approval_id": self.card.id,
            "client_id": AGENT,
            "expires_at": self.card.expires_at,
            "interval": 5,
        }

    def poll(self, wait: int) -> bytes:
        form = {"grant_type": CIBA, "auth_req_id": self.auth_req_id}
        line, rest = post("/oauth/token", form, AGENT, AGENT_SECRET).split(b"\r\n", 1)
        return b"\r\n".join([line, f"Prefer: wait={wait}".encode(), rest])


def _card(root: Delegation) -> Approval:
    now = int(time.time())
    card = Approval(
        id=new_id(),
        person_id=root.person_id,
        client_id=AGENT,
        delegation_id=root.id,
        root_agent=AGENT,
        task_id=root.task_id,
        chain=(AGENT,),
        scope=frozenset({PAY}),
        details=(),
        held=frozenset(),
        target=CALENDAR,
        binding_message="TP1234, seat 14C",
        lifetime=300,
        request_hash="",
        content_hash="",
        status=Status.PENDING,
        created_at=now,
        expires_at=now + 3000,
    )
    hashed = replace(card, request_hash=request_hash(card))
    return replace(hashed, content_hash=content_hash([hashed]))


# -- approve -> agent holds token ---------------------------------------------------


def approving(target: ApprovingTarget, server: Server, number: int) -> list[float]:
    """Return the seconds from each yes to the agent's token, with `number` polls held."""
    asked = target.asked(number)
    with held(target, server, asked) as connections:
        pairs = zip(asked, connections, strict=True)
        return [_approve(target, one, waiting) for one, waiting in pairs]


def _approve(target: ApprovingTarget, asked: Asked, waiting: Connection) -> float:
    signed_in = Authentication(int(time.time()), "pwd", ("pwd",))
    yes = grant_less(asked.card, {}, signed_in)
    began = time.perf_counter()
    outcome = decide(target.context, asked.card, asked.card.content_hash, yes)
    answer = None
    while answer is None:
        answer = receive(waiting)
    took = time.perf_counter() - began
    if outcome is not Outcome.DONE or b'"access_token"' not in answer[1]:
        raise WrongAnswerError(f"{outcome}: {answer!r}")
    return took


@contextmanager
def held(target: ApprovingTarget, server: Server, asked: list[Asked]) -> Iterator[list[Connection]]:
    """Have a poll held for each of `asked`, over a connection of its own."""
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        connections = []
        for one in asked:
            waiting = open_connection(server.address, selector, stack)
            waiting.socket.settimeout(40)
            waiting.socket.sendall(one.poll(30))
            connections.append(waiting)
        time.sleep(1 + len(asked) / 500)
        if early := selector.select(0):
            raise WrongAnswerError(f"{len(early)} of {len(asked)} were not held")
        yield connections
        target.withdraw()
        time.sleep(1 + len(asked) / 500)


# -- what holding costs others ------------------------------------------------------


def beside(target: ApprovingTarget, server: Server, number: int, seconds: float) -> float:
    """Return the time of an introspection beside `number` held polls, of one beside none."""
    without = introspecting(target, server, seconds)
    with held(target, server, target.asked(number)):
        return introspecting(target, server, seconds) / without


def introspecting(target: ApprovingTarget, server: Server, seconds: float) -> float:
    requests = target.requests(Operation.INTROSPECTION, 0)
    return _driven(server, requests, 200, seconds)


# -- what thousands that wait cost --------------------------------------------------


def polling(target: ApprovingTarget, server: Server, seconds: float) -> float:
    """Return the seconds of a poll that is answered at once."""
    asked = target.asked(CONNECTIONS * 8)
    return _driven(server, cycle([one.poll(0) for one in asked]), 400, seconds)


def looking(cookie: str, server: Server, seconds: float) -> float:
    """Return the seconds of a look at the inbox."""
    request = get("/deputize/approvals") + b""
    line, rest = request.split(b"\r\n", 1)
    asked = b"\r\n".join([line, f"Cookie: {cookie}".encode(), rest])
    return _driven(server, repeat(asked), 200, seconds)


def sign_in(target: ApprovingTarget) -> str:
    """Return the cookie of the person's browser."""
    with httpx.Client(base_url=target.issuer, follow_redirects=True, trust_env=False) as browser:
        page = browser.get("/sign-in").text
        fields = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page))
        fields |= {"username": "ana", "password": "correct horse battery"}
        browser.post("/sign-in", data=fields).raise_for_status()
        return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def _driven(server: Server, requests: Iterator[bytes], status: int, seconds: float) -> float:
    def require(answered: int, body: bytes) -> None:
        if answered != status:
            raise WrongAnswerError(f"HTTP {answered}: {body[:500]!r}")

    load = drive(server.address, requests, require, connections=CONNECTIONS, seconds=seconds)
    return 1 / load.throughput


# -- the run ------------------------------------------------------------------------


def main() -> None:
    given = read_settings()
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS) as folder, ExitStack() as stack:
        database = stack.enter_context(running_postgres()) if given.postgresql else None
        target = made(Path(folder), database)
        log = target.data / "server.log"
        server = stack.enter_context(serving(target, target.port, 1, log))
        run(target, server, given)


def made(data: Path, database: Postgres | None) -> ApprovingTarget:
    target = ApprovingTarget(data, free_port(), database)
    target.set_up()
    return target


def run(target: ApprovingTarget, server: Server, given: argparse.Namespace) -> None:
    latencies = sorted(approving(target, server, given.outstanding))
    p95 = 1000 * latencies[int(0.95 * len(latencies))]
    told(f"approve to token with {given.outstanding} outstanding, p95 in ms", p95, SOON)
    turns = [beside(target, server, given.held, given.seconds) for _ in range(given.rounds)]
    told(f"introspection beside {given.held} held polls, of one beside none", median(turns), COSTS)
    cookie = sign_in(target)
    before = _looked(target, server, cookie, given)
    target.withdraw()
    target.others_asked(given.waiting)
    after = _looked(target, server, cookie, given)
    for name in before:
        text = f"{name} with {given.waiting} more that wait, of one without"
        told(text, after[name] / before[name], SLOWER)


def _looked(
    target: ApprovingTarget, server: Server, cookie: str, given: argparse.Namespace
) -> dict[str, float]:
    rounds = range(given.rounds)
    target.asked(5)
    return {
        "the inbox": median(looking(cookie, server, given.seconds) for _ in rounds),
        "a poll": median(polling(target, server, given.seconds) for _ in rounds),
    }


def told(text: str, value: float, bound: float) -> None:
    word = "reached" if value <= bound else "NOT REACHED"
    print(f"{word:<14}{text}: {value:.2f}, at most {bound}", flush=True)


def read_settings() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.approving", description=__doc__)
    parser.add_argument("--outstanding", type=int, default=200)
    parser.add_argument("--held", type=int, default=2000)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="the length of one measure")
    parser.add_argument("--postgresql", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
