"""The key by which push services know us (RFC 8292), and to which subscriptions are bound.

Made at its first use, and kept as the keys that sign tokens are; it is none of them. There is
one: browsers that know another would have to be asked again.
"""

from joserfc.jwk import ECKey
from sqlalchemy import BigInteger, Column, String, Table, Text, select

from ..core.db import Database, Transaction, insert_unless_present, metadata
from ..delegation.keys import KeyStore

vapid_key = Table(
    "deputize_vapid_key",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("private_jwk", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

_NAME = "vapid"


def server_key(db: Database, store: KeyStore) -> ECKey:
    """Return the key, the same to every worker."""
    with db.read() as tx:
        stored = _find(tx)
    if stored is None:
        sealed = store.seal(ECKey.generate_key("P-256", private=True).as_dict(private=True))
        with db.write() as tx:
            row = {"name": _NAME, "private_jwk": sealed, "created_at": tx.now}
            # Of workers that make one at a time, the first is believed.
            insert_unless_present(tx, vapid_key, row)
            stored = _find(tx)
    return ECKey.import_key(store.unseal(str(stored)))


def _find(tx: Transaction) -> str | None:
    return tx.execute(select(vapid_key.c.private_jwk)).scalar()
