"""What the server's audit trail says was issued."""

from collections.abc import Iterator
from contextlib import contextmanager

from support.world import World


@contextmanager
def issued(world: World) -> Iterator[list[str]]:
    """Yield a list that, at the end, holds the audience of each token issued meanwhile."""
    before = {event["id"] for event in world.events("delegation.issued")}
    audiences: list[str] = []
    yield audiences
    told = [event for event in world.events("delegation.issued") if event["id"] not in before]
    audiences.extend(event["facts"]["aud"] for event in told)
