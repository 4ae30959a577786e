"""Measure one operation on one running server for one round, and check every answer."""

import json
import random
from dataclasses import dataclass, field
from itertools import islice

from .load import drive
from .serving import Server
from .target import Operation, Target

TOKEN_MEMBERS = {"access_token", "token_type", "expires_in", "scope"}
EXCHANGE_MEMBERS = TOKEN_MEMBERS | {"issued_token_type"}
MEMBERS = {
    Operation.EXCHANGE: EXCHANGE_MEMBERS,
    Operation.EXCHANGE_NEW_NODE: EXCHANGE_MEMBERS,
    Operation.EXCHANGE_4_DEEP: EXCHANGE_MEMBERS,
    Operation.EXCHANGE_JWT: EXCHANGE_MEMBERS,
    Operation.INTROSPECTION: {"active", "client_id", "scope", "sub", "exp"},
    Operation.CLIENT_CREDENTIALS: TOKEN_MEMBERS,
}
EXCHANGES = {operation for operation, members in MEMBERS.items() if members is EXCHANGE_MEMBERS}
WARM_UP_REQUESTS = 100
# More requests a second than any server here answers: what is pre-signed never runs out.
MOST_PER_SECOND = 4000
SAMPLE = 32


class WrongAnswerError(Exception):
    """An answer that a correct server would not give: the figures of this run are void."""


@dataclass(frozen=True)
class Measure:
    """Answers per second; milliseconds of latency and of CPU per request.

    `cpu` is the server's own, `database` that of its PostgreSQL (0 on SQLite, which runs in
    the server); `generator` is the share of one core that the load generator used.
    """

    throughput: float
    p50: float
    p99: float
    cpu: float
    database: float
    generator: float
    answers: int

    @property
    def all_cpu(self) -> float:
        """Milliseconds of the server's and the database's CPU per request."""
        return self.cpu + self.database


@dataclass
class Answers:
    """Checks each answer while the load runs, and keeps the tokens that were handed out."""

    operation: Operation
    tokens: list[str] = field(default_factory=list)

    def __call__(self, status: int, body: bytes) -> None:
        answer = json.loads(body)
        if status != 200 or not answer.keys() >= MEMBERS[self.operation]:
            raise WrongAnswerError(f"{self.operation}: {status} {body[:500]!r}")
        if self.operation is not Operation.INTROSPECTION:
            self.tokens.append(answer["access_token"])
        elif answer["active"] is not True:
            raise WrongAnswerError(f"{self.operation}: {body[:500]!r}")


def measure(
    server: Server, target: Target, operation: Operation, *, connections: int, seconds: float
) -> Measure:
    """Warm up, drive the load, then see that the tokens differ and that the server knows them.

    Raises:
        WrongAnswerError: when any answer is not what the RFC asks for.
        StalledError: when the server hangs.
    """
    answers = Answers(operation)
    requests = target.requests(operation, WARM_UP_REQUESTS + int(seconds * MOST_PER_SECOND))
    warm_up = islice(requests, WARM_UP_REQUESTS)
    drive(server.address, warm_up, answers, connections=connections, seconds=seconds)

    cpu, of_database = server.cpu_seconds(), database_seconds(target)
    load = drive(server.address, requests, answers, connections=connections, seconds=seconds)
    cpu = server.cpu_seconds() - cpu
    of_database = database_seconds(target) - of_database

    validate_tokens(server, target, answers)
    return Measure(
        throughput=load.throughput,
        p50=load.percentile(0.50) * 1000,
        p99=load.percentile(0.99) * 1000,
        cpu=cpu / len(load.latencies) * 1000,
        database=of_database / len(load.latencies) * 1000,
        generator=load.cpu / load.elapsed,
        answers=len(load.latencies),
    )


def database_seconds(target: Target) -> float:
    return target.database.cpu_seconds() if target.database else 0.0


def validate_tokens(server: Server, target: Target, answers: Answers) -> None:
    """No token was handed out twice, and a sample of the exchanged ones is active."""
    if len(set(answers.tokens)) != len(answers.tokens):
        raise WrongAnswerError(f"{answers.operation}: the same token was handed out twice")
    if answers.operation in EXCHANGES:
        sample = random.sample(answers.tokens, min(SAMPLE, len(answers.tokens)))
        questions = iter([target.introspection(token) for token in sample])
        check = Answers(Operation.INTROSPECTION)
        drive(server.address, questions, check, connections=1, seconds=30)
