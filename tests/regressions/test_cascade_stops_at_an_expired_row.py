"""Elsewhere a cascade walked live parents only: below an expired one, children lived on.

An expired node is not ended: what stands below it must be reached all the same.
"""

from sqlalchemy import update

from deputize.delegation.models import delegation
from support.agents_http import decode
from support.world import CALENDAR, World


def test_what_is_below_an_expired_node_is_ended(world: World) -> None:
    root = world.hold()
    middle = world.hand_over(root, "planner", "booker", "calendar:read")
    low = world.hand_over(middle, "booker", "checker", "calendar:read")
    token = world.agent("checker").exchange(low, resource=CALENDAR).json()["access_token"]
    expire(world, middle)
    assert not world.agent("booker").introspect(middle).json()["active"]
    assert world.is_active(token)
    world.agent("planner").revoke(root)
    assert not world.is_active(token)
    assert world.agent("checker").exchange(low).is_client_error


def expire(world: World, token: str) -> None:
    """Let the node alone expire, as none of ours can while its children live."""
    claims = decode(token)[1]
    this = delegation.c.id == claims["delegation_id"]
    with world.context.db.write() as tx:
        tx.execute(update(delegation).where(this).values(expires_at=claims["iat"]))
