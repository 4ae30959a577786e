"""An agent's secret or keys are replaced, and the old ones stay good for a while, if that is said.

So that whoever runs it can bring the new ones out without a gap. Where nothing is said the old
ones are good for nothing at once: they may be what somebody stole.
"""

from dataclasses import replace

from sqlalchemy import update

from ..audit.record import Event, record
from ..core.db import Database, Kind, Lock, Transaction
from ..core.secrets import digest, new_secret
from .models import Agent, agent, agent_to_row, find_agent


def rotate_secret(
    db: Database, client_id: str, overlap: int, *, by: str | None = None
) -> str | None:
    """Give the agent a new secret and return it; None where it is none that has a secret.

    :param overlap: seconds in which the old one is good, too
    """
    with db.write([Lock(Kind.AGENT, client_id, exclusive=True)]) as tx:
        before = find_agent(tx, client_id)
        if before is None or before.secret_digest is None:
            return None
        secret = new_secret()
        renewed = replace(before, secret_digest=digest(secret), credential_overlap=overlap)
        after = replace(
            with_overlap(before, renewed, tx.now), credential_overlap=before.credential_overlap
        )
        _store(tx, after, by)
        return secret


def with_overlap(before: Agent, after: Agent, now: int) -> Agent:
    """Return `after` with what of `before` is good beside it, and until when.

    Whoever authenticates otherwise from now on leaves nothing behind.
    """
    is_same_way = before.token_endpoint_auth_method == after.token_endpoint_auth_method
    if credential_of(before) == credential_of(after) and is_same_way:
        return replace(after, retiring=before.retiring, retiring_until=before.retiring_until)
    if not after.credential_overlap or not is_same_way:
        return replace(after, retiring=None, retiring_until=None)
    until = now + after.credential_overlap
    return replace(after, retiring=credential_of(before), retiring_until=until)


def credential_of(known: Agent) -> str | None:
    """Return what it proves itself by: the hash of a secret, or its keys."""
    return known.secret_digest or known.jwks


def retiring_of(known: Agent, now: int) -> str | None:
    """Return what is still good beside that."""
    is_good = known.retiring_until is not None and now < known.retiring_until
    return known.retiring if is_good else None


def _store(tx: Transaction, after: Agent, by: str | None) -> None:
    # Of no matter for what it may do: its revision stays, and with it its tokens.
    tx.execute(
        update(agent).where(agent.c.client_id == after.client_id).values(**agent_to_row(after))
    )
    facts = {"by": by, "overlap_until": after.retiring_until}
    record(tx, Event("agent.credential_rotated", agent=after.client_id, facts=facts))
