"""Sending to a stranger's URL: to nothing private, no further than it, and not for long."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest
from flask import Flask, redirect, request

from deputize.core import guarded_http
from deputize.core.guarded_http import FetchError, ask, fetch, post
from support.serving import serving

LOOPBACK = ("127.0.0.1",)


@pytest.fixture(scope="module")
def seen() -> list[dict[str, Any]]:
    return []


@pytest.fixture(scope="module")
def url(seen: list[dict[str, Any]]) -> Iterator[str]:
    def make(_url: str) -> Flask:
        app = Flask(__name__)

        @app.post("/told")
        def told() -> tuple[str, int]:
            seen.append({"body": request.get_data(), "headers": dict(request.headers)})
            return "", 204

        app.add_url_rule(
            "/elsewhere", "elsewhere", lambda: redirect("/told", 307), methods=["POST"]
        )
        app.add_url_rule("/huge", "huge", lambda: (b" " for _ in iter(int, 1)), methods=["POST"])
        return app

    with serving(make) as running:
        yield running


def test_what_is_sent_arrives_with_its_headers(url: str, seen: list[dict[str, Any]]) -> None:
    seen.clear()
    headers = {"Authorization": "Bearer x", "Content-Type": "application/json"}
    assert post(f"{url}/told?a=b", b"{}", headers, private_hosts=LOOPBACK) == 204
    (arrived,) = seen
    assert arrived["body"] == b"{}"
    assert headers.items() <= arrived["headers"].items()
    assert arrived["headers"]["Host"] == url.removeprefix("http://")


def test_a_redirect_is_an_answer_and_not_followed(url: str, seen: list[dict[str, Any]]) -> None:
    seen.clear()
    assert post(f"{url}/elsewhere", b"{}", {}, private_hosts=LOOPBACK) == 307
    assert seen == []


def test_of_an_endless_answer_only_the_status_is_read(url: str) -> None:
    assert post(f"{url}/huge", b"{}", {}, private_hosts=LOOPBACK) == 200


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest",
        "https://user@example.com/",
        "https://example.com/\r\nX: y",
        "https://example.com/\N{SNOWMAN}",
        "ftp://example.com/",
        "",
    ],
)
def test_nothing_is_sent_where_nothing_may_be_fetched(url: str) -> None:
    with pytest.raises(FetchError):
        post(url, b"{}", {})


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "::",
        "::1",
        "::10.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
        "2002:a00:1::1",
        "fc00::1",
        "fe80::1",
        "fec0::1",
        "ff0e::1",
    ],
)
def test_however_a_private_address_is_spelled(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads there is as bad as the address itself, and one of several is enough."""
    found = [(None, None, None, "", (told, 443)) for told in ("93.184.216.34", address)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(FetchError, match="is on a private address"):
        post("https://agent.example/told", b"{}", {})


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"]
)
def test_the_internet_is_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def connect(_: Any, host: str, *__: Any, **___: Any) -> Any:
        asked.append(host)
        raise httpcore.ConnectError

    found = [(None, None, None, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    with pytest.raises(FetchError, match="ConnectError"):
        post("https://agent.example/told", b"{}", {})
    assert asked == [address]


@pytest.mark.parametrize(
    "where",
    ["{url}/secret", "http://127.0.0.1:1/secret", "https://127.0.0.1:1/secret", "http://a:secret"],
)
@pytest.mark.parametrize("private", [(), LOOPBACK])
def test_what_went_wrong_is_told_without_the_url(
    url: str, where: str, private: tuple[str, ...]
) -> None:
    """Who knows where a service takes messages can send them: some such URLs are secrets."""
    with pytest.raises(FetchError) as told:
        fetch(where.format(url=url), private_hosts=private)
    assert "secret" not in str(told.value)


def test_nobody_there(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(FetchError):
        post(f"http://127.0.0.1:{port}/", b"{}", {}, private_hosts=LOOPBACK)


@pytest.mark.parametrize("send", ["", "HTTP/1.1 200 OK\r\nX: "], ids=["silent", "drop by drop"])
def test_the_whole_of_it_has_one_deadline(send: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers a byte at a time, for ever, gains nothing."""
    monkeypatch.setattr(guarded_http, "TIMEOUT", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()
        dropping = threading.Thread(target=_drop, args=(server, send, over), daemon=True)
        dropping.start()
        url, began = f"http://127.0.0.1:{server.getsockname()[1]}/", time.monotonic()
        for ask in (fetch, lambda *to, **o: post(*to, b"{}", {}, **o)):
            with pytest.raises(FetchError):
                ask(url, private_hosts=LOOPBACK)
        assert time.monotonic() - began < 4
        over.set()


def _drop(server: socket.socket, send: str, over: threading.Event) -> None:
    for _ in range(2):
        connection, _ = server.accept()
        threading.Thread(target=_answer, args=(connection, send, over), daemon=True).start()


def _answer(connection: socket.socket, send: str, over: threading.Event) -> None:
    with connection:
        try:
            connection.sendall(send.encode())
            while not over.wait(0.05):
                connection.sendall(b"x" * bool(send))
        except OSError:
            return


def test_a_name_that_is_not_resolved_in_time_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = threading.Event()

    def hangs(*_: Any, **__: Any) -> Any:
        over.wait(5)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    begun = time.monotonic()
    with pytest.raises(FetchError, match=r"slow\.example: was not resolved in time"):
        ask("https://slow.example/", b"", {}, timeout=0.1)
    assert time.monotonic() - begun < 1
    over.set()


def test_names_that_hang_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    over, begun = threading.Event(), threading.Semaphore(0)

    def hangs(*_: Any, **__: Any) -> Any:
        begun.release()
        over.wait(5)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    monkeypatch.setattr(guarded_http, "_LOOKING_UP", threading.BoundedSemaphore(2))
    for _ in range(4):
        with pytest.raises(FetchError, match="not resolved in time"):
            ask("https://slow.example/", b"", {}, timeout=0.05)
    assert begun.acquire(timeout=1)
    assert begun.acquire(timeout=1)
    assert not begun.acquire(blocking=False)
    over.set()
