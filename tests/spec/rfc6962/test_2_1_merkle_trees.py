"""A batch of events is the Merkle tree that Certificate Transparency makes of a log."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deputize.audit.merkle import audit_path, is_in_tree, leaf_hash, tree_hash

pytestmark = pytest.mark.section("RFC 6962", "2.1")

#: The entries and roots that the RFC's authors publish with their implementation.
ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
TREES = st.lists(st.binary(max_size=8), min_size=1, max_size=70).map(
    lambda entries: [leaf_hash(entry) for entry in entries]
)


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots_are_reached(size: int) -> None:
    assert tree_hash([leaf_hash(entry) for entry in ENTRIES[:size]]).hex() == ROOTS[size]


@given(TREES)
def test_the_tree_is_the_one_that_the_definition_says(leaves: list[bytes]) -> None:
    assert tree_hash(leaves) == defined(leaves)


@given(TREES, st.data())
def test_a_path_proves_its_leaf_at_its_place_and_no_other(
    leaves: list[bytes], data: st.DataObject
) -> None:
    size, tree = len(leaves), tree_hash(leaves)
    index = data.draw(st.integers(0, size - 1))
    path = audit_path(leaves, index)
    assert is_in_tree(leaves[index], index, size, path, tree)
    assert not is_in_tree(leaf_hash(b"another, and longer"), index, size, path, tree)
    assert not is_in_tree(leaves[index], index, size, [*path, tree], tree)
    assert not is_in_tree(leaves[index], size, size, path, tree)
    if path:
        assert not is_in_tree(leaves[index], index, size, path[:-1], tree)
    other = data.draw(st.integers(0, size - 1))
    if leaves[other] != leaves[index]:
        assert not is_in_tree(leaves[index], other, size, path, tree)


def test_a_node_is_no_leaf() -> None:
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != tree_hash([left, right])


@pytest.mark.parametrize("index", [-1, 1])
def test_there_is_no_path_to_what_is_not_there(index: int) -> None:
    with pytest.raises(IndexError):
        audit_path([leaf_hash(b"")], index)


def defined(leaves: list[bytes]) -> bytes:
    """Return MTH(D[n]) as the RFC writes it down."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + defined(leaves[:split]) + defined(leaves[split:])).digest()
