"""A second reading of RFC 6962 and of the C2SP formats, sharing no code with the first.

It follows the definitions of the RFC word by word (recursion over the list of leaves, section 2.1), where
the product follows the iterative algorithms of RFC 9162 and keeps only a frontier.
"""

import base64
import hashlib
import json
import zipfile

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha(data):
    return hashlib.sha256(data).digest()


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(leaves):
    """Section 2.1: the Merkle tree hash of a list of entries."""
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return sha(b"\x00" + leaves[0])
    k = split(len(leaves))
    return sha(b"\x01" + mth(leaves[:k]) + mth(leaves[k:]))


def path(m, leaves):
    """Section 2.1.1: the audit path of the leaf m."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def proof(m, leaves):
    """Section 2.1.2: the consistency proof between the first m leaves and all."""
    return subproof(m, leaves, whole=True)


def subproof(m, leaves, *, whole):
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole=whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], whole=False), mth(leaves[:k])]


def verify_bundle(path, vkey):
    """Raise AssertionError unless the bundle's entries and payloads lead to the signed checkpoint."""
    with zipfile.ZipFile(path) as bundle:
        names = bundle.namelist()
        entries, payloads = [], []
        for name in sorted(n for n in names if n.startswith("tile/entries/")):
            data = bundle.read(name)
            while data:
                n = int.from_bytes(data[:2], "big")
                entries.append(data[2 : 2 + n])
                data = data[2 + n :]
        for name in sorted(n for n in names if n.startswith("tile/payloads/")):
            payloads += bundle.read(name).decode().splitlines()
        note = bundle.read("checkpoint").decode()
    text, _, signatures = note.partition("\n\n")
    origin, size, root = text.split("\n")
    name, key_id, material = vkey.split("+", 2)
    public = base64.b64decode(material)[1:]
    assert origin == name
    blobs = [line.split(" ")[2] for line in signatures.splitlines()]
    raw = [base64.b64decode(blob) for blob in blobs]
    (signature,) = [blob[4:] for blob in raw if blob[:4].hex() == key_id]
    Ed25519PublicKey.from_public_bytes(public).verify(signature, (text + "\n").encode())
    assert len(entries) == int(size)
    assert base64.b64decode(root) == mth(entries)
    for i, (entry, line) in enumerate(zip(entries, payloads, strict=True)):
        position, salt, *payload = line.split(" ", 2)
        assert int(position) == i
        if salt != "-":
            assert (
                hashlib.sha256(bytes.fromhex(salt) + payload[0].encode()).hexdigest()
                == json.loads(entry)["digest"]
            )
    return len(entries)
