"""The Merkle tree of one batch of events, as Certificate Transparency has it (RFC 6962 §2.1).

Leaves and nodes are hashed with prefixes of their own, so that no node can be passed off
as a leaf: "This domain separation is required to give second preimage resistance."
"""

from collections.abc import Sequence
from hashlib import sha256

#: Bytes of a hash: SHA-256.
SIZE = 32

_LEAF, _NODE = b"\x00", b"\x01"


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry."""
    return sha256(_LEAF + entry).digest()


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash over `leaves`, hashed already.

    The RFC splits at the largest power of two below the number of leaves. Going up level by
    level, the odd one passed on, makes the same tree.
    """
    if not leaves:
        return sha256().digest()
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def audit_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return what proves that the leaf at `index` is in the tree, from the leaf up (§2.1.1).

    :raises IndexError: where there is no such leaf
    """
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    path, level = [], list(leaves)
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            path.append(level[beside])
        level, index = _above(level), index // 2
    return path


def is_in_tree(leaf: bytes, index: int, size: int, path: Sequence[bytes], tree: bytes) -> bool:
    """Tell whether `path` proves that `leaf` is at `index` of the `size` leaves of `tree`."""
    if not 0 <= index < size:
        return False
    left, node = list(path), leaf
    while size > 1:
        if index ^ 1 < size:
            if not left:
                return False
            beside = left.pop(0)
            node = _node(beside, node) if index & 1 else _node(node, beside)
        index, size = index // 2, (size + 1) // 2
    return not left and node == tree


def _above(level: list[bytes]) -> list[bytes]:
    pairs = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return pairs + level[-1:] if len(level) % 2 else pairs


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()
