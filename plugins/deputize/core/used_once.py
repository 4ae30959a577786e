"""What can be used once: the `jti` of an assertion, for as long as it would be believed.

The insert is the compare-and-set: under any interleaving, on any worker and after any
restart, one request wins.
"""

from sqlalchemy import BigInteger, Column, String, Table, bindparam, delete, select

from .db import Transaction, insert_unless_present, metadata
from .secrets import digest

used_once = Table(
    "deputize_used_once",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)


def use_once(tx: Transaction, kind: str, value: str, expires_at: int) -> bool:
    """Use `value` up until `expires_at` (seconds); tell whether it was unused."""
    name = digest(f"{kind}\n{value}")
    return insert_unless_present(tx, used_once, {"digest": name, "expires_at": expires_at})


def is_used(tx: Transaction, kind: str, value: str) -> bool:
    """Tell whether `value` was used up."""
    name = digest(f"{kind}\n{value}")
    return tx.execute(_FIND, {"digest": name}).first() is not None


def forget_used(tx: Transaction, leeway: int = 60) -> int:
    """Delete what expired more than `leeway` seconds ago; return how many."""
    return tx.execute(delete(used_once).where(used_once.c.expires_at < tx.now - leeway)).rowcount


_FIND = select(used_once.c.digest).where(used_once.c.digest == bindparam("digest"))
