"""The server's signing keys change, as its operator would have it."""

from support.world import World


def add_signing_key(world: World) -> str:
    """Let a new key sign at once; return its `kid`."""
    with world.context.db.write() as tx:
        return world.context.key_store.make(tx, tx.now)


def replace_signing_key(world: World) -> str:
    """Retire what signed until now; return the `kid` of what signs in its place."""
    with world.context.db.read() as tx:
        old = list(world.context.key_store.load(tx).by_kid)
    new = add_signing_key(world)
    with world.context.db.write() as tx:
        for kid in old:
            assert world.context.key_store.retire(tx, kid)
    return new
