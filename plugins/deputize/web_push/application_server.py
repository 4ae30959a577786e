"""This server as push services know it: the application server of RFC 8030, by its key (RFC 8292).

The key is made at its first use, and kept as the keys that sign tokens are; it is none of them.
There is one: subscriptions are bound to it, and a browser that knows another is asked again.
"""

from dataclasses import dataclass

from joserfc.jwk import ECKey
from sqlalchemy import BigInteger, Column, String, Table, Text, select

from ..core.db import Database, Transaction, insert_unless_present, metadata
from ..core.sealed import Box
from ..settings import WebPush

vapid_key = Table(
    "deputize_vapid_key",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("private_jwk", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

_NAME = "vapid"


@dataclass(frozen=True)
class ApplicationServer:
    """What adding a browser and telling it take.

    :param box: seals the key, and where browsers are reached
    """

    db: Database
    box: Box
    settings: WebPush

    def key(self) -> ECKey:
        """Return the key, the same in every worker."""
        with self.db.read() as tx:
            stored = _find(tx)
        return ECKey.import_key(self.box.open(stored or self._make()))

    def _make(self) -> str:
        sealed = self.box.seal(ECKey.generate_key("P-256", private=True).as_dict(private=True))
        with self.db.write() as tx:
            row = {"name": _NAME, "private_jwk": sealed, "created_at": tx.now}
            # Of workers that make one at a time, the first is believed.
            insert_unless_present(tx, vapid_key, row)
            return str(_find(tx))


def _find(tx: Transaction) -> str | None:
    return tx.execute(select(vapid_key.c.private_jwk)).scalar()
