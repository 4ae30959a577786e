"""What is asked of the server, in turn, as a value: nothing is sent until somebody runs it.

A question is written once, as a generator that yields what it asks and is sent the JSON of
the answer. `run` sends from a thread, `run_async` from a task. Both fail closed.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import httpx

from .errors import IntrospectionError

T = TypeVar("T")

#: Its own authentication is in what is asked: neither the client's nor the URL's is added.
_NO_AUTH = httpx.Auth()


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. What may hold a secret stands in no `repr`."""

    method: str
    url: str
    form: Mapping[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


Flow: TypeAlias = Generator[Ask, Mapping[str, Any], T]


def run(http: httpx.Client, flow: Flow[T]) -> T:
    """Ask what `flow` asks until it has its result. Redirects are never followed.

    :raises IntrospectionError: when the server can't be asked
    """
    try:
        asked = next(flow)
        while True:
            asked = flow.send(_send(http, asked))
    except StopIteration as done:
        result: T = done.value
        return result


async def run_async(http: httpx.AsyncClient, flow: Flow[T]) -> T:
    """As `run`, without blocking."""
    try:
        asked = next(flow)
        while True:
            asked = flow.send(await _send_async(http, asked))
    except StopIteration as done:
        result: T = done.value
        return result


def _send(http: httpx.Client, asked: Ask) -> Mapping[str, Any]:
    try:
        answer = http.send(_request(http, asked), auth=_NO_AUTH, follow_redirects=False)
    except httpx.HTTPError as error:
        raise IntrospectionError(f"{asked.url}: {type(error).__name__}") from error
    return _read(asked, answer)


async def _send_async(http: httpx.AsyncClient, asked: Ask) -> Mapping[str, Any]:
    try:
        answer = await http.send(_request(http, asked), auth=_NO_AUTH, follow_redirects=False)
    except httpx.HTTPError as error:
        raise IntrospectionError(f"{asked.url}: {type(error).__name__}") from error
    return _read(asked, answer)


def _request(http: httpx.Client | httpx.AsyncClient, asked: Ask) -> httpx.Request:
    return http.build_request(asked.method, asked.url, data=asked.form, headers=asked.headers)


def _read(asked: Ask, answer: httpx.Response) -> Mapping[str, Any]:
    try:
        body = answer.raise_for_status().json()
    except httpx.HTTPStatusError as error:
        raise IntrospectionError(f"{asked.url}: HTTP {answer.status_code}") from error
    except ValueError as error:
        raise IntrospectionError(f"{asked.url}: not JSON") from error
    if not isinstance(body, dict):
        raise IntrospectionError(f"{asked.url}: not a JSON object")
    return body
