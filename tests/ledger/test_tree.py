"""The tree is that of RFC 6962, and proofs prove exactly what they should.

The vectors are those of the reference implementation of Certificate Transparency (transparency-dev/merkle,
log_verifier_test.go): leaves, roots of the first n leaves, and proofs.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei.ledger import tree
from jingwei.ledger.verify import (
    Frontier,
    leaf_hash,
    node_hash,
    tile_path,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [
    bytes.fromhex(text)
    for text in (
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
ROOTS = [
    bytes.fromhex(text)
    for text in (
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
]
INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (6, 7): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}


def node_of(leaves):
    """How to read the perfect subtrees of a small tree: by making them anew."""

    def node(height, index):
        if height == 0:
            return leaf_hash(leaves[index])
        return node_hash(node(height - 1, 2 * index), node(height - 1, 2 * index + 1))

    return node


def grown(leaves):
    frontier = Frontier()
    for leaf in leaves:
        frontier.push(leaf_hash(leaf))
    return frontier


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference(size):
    assert grown(LEAVES[:size]).root() == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proofs_are_those_of_the_reference(index, size):
    proof = tree.inclusion_proof(index, size, node_of(LEAVES))
    assert [node.hex() for node in proof] == INCLUSION[index, size]
    assert verify_inclusion(index, size, leaf_hash(LEAVES[index]), proof, ROOTS[size])


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_consistency_proofs_are_those_of_the_reference(old, new):
    proof = tree.consistency_proof(old, new, node_of(LEAVES))
    assert [node.hex() for node in proof] == CONSISTENCY[old, new]
    assert verify_consistency(old, new, ROOTS[old], ROOTS[new], proof)


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=40), st.data())
@settings(max_examples=200, deadline=None)
def test_every_proof_agrees_with_the_definitions_of_the_rfc(independent, leaves, data):
    size = len(leaves)
    root = grown(leaves).root()
    assert root == independent.mth(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion_proof(index, size, node_of(leaves))
    assert proof == independent.path(index, leaves)
    assert verify_inclusion(index, size, leaf_hash(leaves[index]), proof, root)
    old = data.draw(st.integers(1, size))
    proof = tree.consistency_proof(old, size, node_of(leaves))
    assert proof == independent.proof(old, leaves)
    assert verify_consistency(old, size, grown(leaves[:old]).root(), root, proof)


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_a_wrong_inclusion_proof_proves_nothing(index, size):
    leaf, root = leaf_hash(LEAVES[index]), ROOTS[size]
    proof = [bytes.fromhex(node) for node in INCLUSION[index, size]]
    assert not verify_inclusion(index - 1, size, leaf, proof, root)
    assert not verify_inclusion(index + 1, size, leaf, proof, root)
    assert not verify_inclusion(index ^ 2, size, leaf, proof, root)
    assert not verify_inclusion(index, size * 2, leaf, proof, root)
    assert not verify_inclusion(index, size // 2, leaf, proof, root)
    assert not verify_inclusion(index, size, b"WrongLeaf", proof, root)
    assert not verify_inclusion(index, size, leaf, proof, ROOTS[0])
    assert not verify_inclusion(index, size, leaf, [*proof, b""], root)
    assert not verify_inclusion(index, size, leaf, [*proof, root], root)
    assert not verify_inclusion(index, size, leaf, [root, *proof], root)
    for i in range(len(proof)):
        bent = [*proof]
        bent[i] = bytes([bent[i][0] ^ 8]) + bent[i][1:]
        assert not verify_inclusion(index, size, leaf, bent, root)
        assert not verify_inclusion(index, size, leaf, proof[:i], root)


@pytest.mark.parametrize(("old", "new"), [pair for pair in CONSISTENCY if pair != (1, 1)])
def test_a_wrong_consistency_proof_proves_nothing(old, new):
    before, after = ROOTS[old], ROOTS[new]
    proof = [bytes.fromhex(node) for node in CONSISTENCY[old, new]]
    assert not verify_consistency(old - 1, new, before, after, proof)
    assert not verify_consistency(old + 1, new, before, after, proof)
    assert not verify_consistency(old ^ 2, new, before, after, proof)
    assert not verify_consistency(old, new * 2, before, after, proof)
    assert not verify_consistency(old, new // 2, before, after, proof)
    assert not verify_consistency(old, new, b"WrongRoot", after, proof)
    assert not verify_consistency(old, new, before, b"WrongRoot", proof)
    assert not verify_consistency(old, new, after, before, proof)
    assert not verify_consistency(old, new, before, after, [])
    for extra in (b"", before, after):
        assert not verify_consistency(old, new, before, after, [*proof, extra])
        assert not verify_consistency(old, new, before, after, [extra, *proof])
    for i in range(len(proof)):
        bent = [*proof]
        bent[i] = bytes([bent[i][0] ^ 16]) + bent[i][1:]
        assert not verify_consistency(old, new, before, after, bent)


def test_trivial_consistency():
    assert verify_consistency(0, 0, ROOTS[0], ROOTS[0], [])
    assert verify_consistency(0, 5, ROOTS[0], ROOTS[5], [])
    assert not verify_consistency(0, 5, ROOTS[0], ROOTS[5], [ROOTS[0]])
    assert not verify_consistency(2, 1, ROOTS[2], ROOTS[1], [])
    assert not verify_consistency(5, 5, ROOTS[4], ROOTS[5], [])


@pytest.mark.parametrize(
    ("number", "width", "path"),
    [
        # The example of C2SP tlog-tiles.
        (1234067, 256, "tile/0/x001/x234/067"),
        (0, 256, "tile/0/000"),
        (273, 112, "tile/0/273.p/112"),
        (1000, 256, "tile/0/x001/000"),
    ],
)
def test_tile_paths(number, width, path):
    assert tile_path(0, number, width) == path
