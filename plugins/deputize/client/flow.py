"""What is asked of a server, in turn, as a value: nothing is sent until somebody runs it.

Each operation is written once, as a generator that yields what it asks and is sent the
answers, the way httpx's own `Auth` does it. `run` sends from a thread, `run_async` from a task.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import httpx

T = TypeVar("T")

#: A parameter of a form; a list is sent once for each of its members.
Param: TypeAlias = str | Sequence[str]

#: Its own authentication is in what is asked: neither the client's nor the URL's is added.
_NO_AUTH = httpx.Auth()


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. What may hold a secret stands in no `repr`.

    :param patience: seconds for which the server may take longer than others do
    """

    method: str
    url: str
    form: Mapping[str, Param] | None = field(default=None, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    patience: float = 0


Flow: TypeAlias = Generator[Ask, httpx.Response, T]


def run(http: httpx.Client, flow: Flow[T]) -> T:
    """Ask what `flow` asks until it has its result.

    Redirects are never followed: a token goes where the metadata says and nowhere else.
    """
    try:
        asked = next(flow)
        while True:
            request = _request(http, asked)
            asked = flow.send(http.send(request, auth=_NO_AUTH, follow_redirects=False))
    except StopIteration as done:
        result: T = done.value
        return result


async def run_async(http: httpx.AsyncClient, flow: Flow[T]) -> T:
    """As `run`, without blocking."""
    try:
        asked = next(flow)
        while True:
            request = _request(http, asked)
            asked = flow.send(await http.send(request, auth=_NO_AUTH, follow_redirects=False))
    except StopIteration as done:
        result: T = done.value
        return result


def _request(http: httpx.Client | httpx.AsyncClient, asked: Ask) -> httpx.Request:
    waits = http.timeout.as_dict()
    if waits["read"] is not None:
        waits["read"] += asked.patience
    return http.build_request(
        asked.method,
        asked.url,
        data=asked.form,
        json=asked.json,
        headers=asked.headers,
        timeout=httpx.Timeout(**waits),
    )
