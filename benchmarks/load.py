"""A load generator that leaves the machine to the server.

One thread and a selector drive N kept-alive connections in a closed loop: each sends
its next request as soon as its answer has come and has been checked. Requests are
ready-made bytes; nothing is signed or encoded while the clock runs.
"""

import gc
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

# No answer for this long means that the server hangs, not that it is slow.
STALL_SECONDS = 10.0

Check = Callable[[int, bytes], None]


class StalledError(Exception):
    """The server closed a connection, or has not answered within `STALL_SECONDS`."""


@dataclass(frozen=True)
class Load:
    """Latencies in seconds, one per answer; `cpu` is what the generator itself used."""

    latencies: list[float]
    elapsed: float
    cpu: float

    @property
    def throughput(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.elapsed

    def percentile(self, share: float) -> float:
        """The latency in seconds that `share` of the answers stayed within."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass
class Connection:
    socket: socket.socket
    sent_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)


def drive(
    address: tuple[str, int],
    requests: Iterator[bytes],
    check: Check,
    *,
    connections: int,
    seconds: float,
) -> Load:
    """Send `requests` until they run out or `seconds` have passed; wait for what is under way.

    `check` is called with the status and body of each answer and raises on a wrong one.

    Raises:
        StalledError: when the server hangs or closes a connection.
    """
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        opened = [open_connection(address, selector, stack) for _ in range(connections)]
        stack.callback(gc.enable)
        gc.collect()
        gc.disable()
        cpu, start = time.process_time(), time.perf_counter()
        latencies = exchange_all(selector, opened, requests, check, start + seconds)
        return Load(latencies, time.perf_counter() - start, time.process_time() - cpu)


def open_connection(
    address: tuple[str, int], selector: selectors.BaseSelector, stack: ExitStack
) -> Connection:
    connection = Connection(stack.enter_context(socket.create_connection(address, timeout=5)))
    connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(connection.socket, selectors.EVENT_READ, connection)
    return connection


def exchange_all(
    selector: selectors.BaseSelector,
    opened: list[Connection],
    requests: Iterator[bytes],
    check: Check,
    deadline: float,
) -> list[float]:
    latencies: list[float] = []
    waiting = sum(send(connection, requests) for connection in opened)
    while waiting:
        ready = selector.select(STALL_SECONDS)
        if not ready:
            raise StalledError(f"no answer within {STALL_SECONDS:.0f} s")
        for key, _ in ready:
            connection: Connection = key.data
            answer = receive(connection)
            if answer is None:
                continue
            now = time.perf_counter()
            latencies.append(now - connection.sent_at)
            check(*answer)
            waiting -= now >= deadline or not send(connection, requests)
    return latencies


def send(connection: Connection, requests: Iterator[bytes]) -> bool:
    """Send the next request; False when there is none."""
    request = next(requests, None)
    if request is None:
        return False
    connection.sent_at = time.perf_counter()
    connection.socket.sendall(request)
    return True


def receive(connection: Connection) -> tuple[int, bytes] | None:
    """Read what has come: the status and body of a whole answer, or None."""
    part = connection.socket.recv(65536)
    if not part:
        raise StalledError("the server closed a connection")
    connection.received += part
    head, separator, body = connection.received.partition(b"\r\n\r\n")
    if not separator or len(body) < content_length(head):
        return None
    status = int(head[9:12])
    connection.received.clear()
    return status, bytes(body)


def content_length(head: bytearray) -> int:
    _, _, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0])
