"""Checks what a log of Jingwei hands out: bundles and receipts.

This file stands alone. Copied to any machine it needs Python's standard library and, for signatures,
the `openssl` command: whoever checks the log need not trust, or install, the program that wrote it.

    python3 verify.py bundle BUNDLE.zip --key KEY [--checkpoint FILE ...]
    python3 verify.py receipt FILE.tlog-proof --key KEY

Sources: RFC 6962 (tree), RFC 9162 2.1.3.2 and 2.1.4.2 (checking proofs), C2SP signed-note,
tlog-checkpoint, tlog-tiles and tlog-proof.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import bisect
import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
import zlib
from array import array
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

HASH_SIZE = 32
TILE_WIDTH = 256
TILE_SIZE = TILE_WIDTH * HASH_SIZE
CHUNK = 32
"""Entry bundles that a process reads before it hands over what it found: some 8,000 entries."""
FEW_CHUNKS = 8
"""Up to here one process is done sooner than several are started."""
LARGEST_POSITION = 2**63
ED25519 = 0x01
ENTRY = re.compile(
    rb'\{"digest":"([0-9a-f]{64})","sealed":"([0-9T:.-]{26}Z)","time":"[0-9T:.-]{26}Z","type":"([a-z0-9_.]+)","v":1\}'
)
"""An entry: the digest of its payload, when it was sealed and appended, and what kind of event it is."""
EMPTY_ROOT = hashlib.sha256(b"").digest()

SignatureCheck = Callable[[bytes, bytes, bytes], bool]
"""Says whether `(public key, message, signature)` is a valid Ed25519 signature (RFC 8032)."""


# --- the tree (RFC 6962, 2.1) ---


def leaf_hash(entry: bytes) -> bytes:
    """Return the Merkle tree hash of one entry: SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split_hashes(hashes: bytes) -> list[bytes]:
    """Return the single hashes of a tile, or of any row of hashes."""
    return [hashes[i : i + HASH_SIZE] for i in range(0, len(hashes), HASH_SIZE)]


def perfect_subtrees(hashes: bytes) -> list[list[bytes]]:
    """Return the roots of all perfect subtrees over up to 256 hashes, by their height."""
    rows = [split_hashes(hashes)]
    while len(rows[-1]) > 1:
        below = rows[-1]
        rows.append([node_hash(left, right) for left, right in zip(below[::2], below[1::2], strict=False)])
    return rows


class Frontier:
    """The roots of the perfect subtrees that make up a tree, largest first: all that growing it needs."""

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.nodes = list(nodes)

    def push(self, leaf: bytes) -> None:
        """Add the hash of the next leaf."""
        size, node = self.size, leaf
        while size & 1:
            node = node_hash(self.nodes.pop(), node)
            size >>= 1
        self.nodes.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the tree of all leaves pushed so far."""
        if not self.nodes:
            return EMPTY_ROOT
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = node_hash(node, root)
        return root


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Say whether `proof` shows the leaf hash at `index` in the tree of `size` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or any(len(node) != HASH_SIZE for node in (leaf, *proof)):
        return False
    f, s, r = index, size - 1, leaf
    for node in proof:
        if s == 0:
            return False
        if f & 1 or f == s:
            r = node_hash(node, r)
            while not f & 1 and f:
                f, s = f >> 1, s >> 1
        else:
            r = node_hash(r, node)
        f, s = f >> 1, s >> 1
    return s == 0 and r == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Say whether `proof` shows that the tree of `old` leaves begins that of `new` (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new or any(len(node) != HASH_SIZE for node in proof):
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof
    if not proof:
        return False
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    f, s = old - 1, new - 1
    while f & 1:
        f, s = f >> 1, s >> 1
    fr = sr = path[0]
    for node in path[1:]:
        if s == 0:
            return False
        if f & 1 or f == s:
            fr, sr = node_hash(node, fr), node_hash(node, sr)
            while not f & 1 and f:
                f, s = f >> 1, s >> 1
        else:
            sr = node_hash(sr, node)
        f, s = f >> 1, s >> 1
    return s == 0 and fr == old_root and sr == new_root


# --- keys, notes, checkpoints, receipts (C2SP) ---


class FormatError(ValueError):
    """What was handed over is not of the form it should have."""


class Key(NamedTuple):
    """A public key by which a log signs: its name, its short identifier, and 32 bytes of Ed25519."""

    name: str
    id: bytes
    public: bytes

    @classmethod
    def of(cls, name: str, public: bytes) -> Key:
        """Return the key of that name; its identifier is computed as signed-note recommends."""
        return cls(
            name, hashlib.sha256(name.encode() + b"\n" + bytes([ED25519]) + public).digest()[:4], public
        )

    @classmethod
    def parse(cls, text: str) -> Key:
        """Read `name+id+base64(type || public key)`."""
        name, _, rest = text.strip().partition("+")
        short, _, material = rest.partition("+")
        raw = decode_base64(material)
        if not name or raw[:1] != bytes([ED25519]) or len(raw) != 1 + HASH_SIZE:
            raise FormatError("not an Ed25519 verifier key: " + text.strip()[:80])
        key = cls.of(name, raw[1:])
        if key.id.hex() != short:
            raise FormatError(f"the key's identifier {short} does not belong to it")
        return key

    def __str__(self) -> str:
        material = base64.b64encode(bytes([ED25519]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{material}"


class Checkpoint(NamedTuple):
    """The head of a log: who it is, how many entries it has, and the root over them."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a checkpoint (tlog-checkpoint)."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not lines[0] or not re.fullmatch(r"0|[1-9][0-9]*", lines[1]):
            raise FormatError("not the text of a checkpoint")
        root = decode_base64(lines[2])
        if len(root) != HASH_SIZE:
            raise FormatError("the root of a checkpoint has 32 bytes")
        return cls(lines[0], int(lines[1]), root)

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class Note(NamedTuple):
    """A signed text: each signature as `(key name, key id, signature)`."""

    text: str
    signatures: list[tuple[str, bytes, bytes]]

    @classmethod
    def parse(cls, note: str) -> Note:
        """Read a signed note, trusting nothing yet."""
        text, blank, lines = note.rpartition("\n\n")
        if not blank or not lines.endswith("\n") or any(ord(c) < 0x20 and c != "\n" for c in note):
            raise FormatError("not a signed note")
        signatures = []
        for line in lines[:-1].split("\n"):
            dash, name, signature = [*line.split(" "), "", ""][:3]
            raw = decode_base64(signature)
            if dash != "—" or not name or "+" in name or len(raw) < 5:
                raise FormatError("not a signature line of a note: " + line[:80])
            signatures.append((name, raw[:4], raw[4:]))
        return cls(text + "\n", signatures)

    def signers(self, keys: Iterable[Key], check: SignatureCheck) -> list[Key]:
        """Return which of `keys` signed; a wrong signature under the name and id of one is an error."""
        found = []
        known = {(key.name, key.id): key for key in keys}
        for name, key_id, signature in self.signatures:
            key = known.get((name, key_id))
            if key is None:
                continue
            if not check(key.public, self.text.encode(), signature):
                raise FormatError(f"the signature of {name}+{key_id.hex()} is false")
            found.append(key)
        return found


@dataclass(frozen=True)
class Receipt:
    """What a party keeps as evidence of one entry (tlog-proof), with the entry and what it digests."""

    entry: bytes
    salt: bytes | None
    payload: bytes | None
    index: int
    proof: list[bytes]
    checkpoint: str

    @classmethod
    def parse(cls, text: str) -> Receipt:
        """Read a `.tlog-proof` file."""
        head, blank, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not blank or len(lines) < 3 or lines[0] != "c2sp.org/tlog-proof@v1":
            raise FormatError("not a tlog-proof")
        index = re.fullmatch(r"index (0|[1-9][0-9]*)", lines[2])
        if not lines[1].startswith("extra ") or index is None:
            raise FormatError("a receipt has a line `extra` and a line `index`")
        extra = json.loads(decode_base64(lines[1][6:]))
        salt = extra.get("salt")
        return cls(
            entry=extra["entry"].encode(),
            salt=bytes.fromhex(salt) if salt else None,
            payload=extra["payload"].encode() if salt else None,
            index=int(index[1]),
            proof=[decode_base64(line) for line in lines[3:]],
            checkpoint=checkpoint,
        )

    def __str__(self) -> str:
        extra = {"entry": self.entry.decode()}
        if self.salt is not None and self.payload is not None:
            extra |= {"salt": self.salt.hex(), "payload": self.payload.decode()}
        packed = base64.b64encode(
            json.dumps(extra, ensure_ascii=False, separators=(",", ":")).encode()
        ).decode()
        hashes = "".join(base64.b64encode(node).decode() + "\n" for node in self.proof)
        return f"c2sp.org/tlog-proof@v1\nextra {packed}\nindex {self.index}\n{hashes}\n{self.checkpoint}"


def decode_base64(text: str) -> bytes:
    """Decode standard base64 (RFC 4648, section 4), refusing anything else."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if base64.b64encode(data).decode() != text:  # one form for each content: unused bits are zero
        raise FormatError("not base64: " + text[:80])
    return data


def payload_digest(salt: bytes, payload: bytes) -> str:
    """Return the digest by which an entry points at its payload: hex of SHA-256(salt || payload)."""
    return hashlib.sha256(salt + payload).hexdigest()


def check_by_openssl(public: bytes, message: bytes, signature: bytes) -> bool:
    """Check an Ed25519 signature with the `openssl` command (3.0 or newer)."""
    # RFC 8410: the fixed head of a SubjectPublicKeyInfo for Ed25519.
    spki = bytes.fromhex("302a300506032b6570032100") + public
    with tempfile.TemporaryDirectory() as folder:
        key, text, sign = (Path(folder, name) for name in ("key.der", "text", "signature"))
        key.write_bytes(spki)
        text.write_bytes(message)
        sign.write_bytes(signature)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", str(key), "-rawin"]
        command += ["-in", str(text), "-sigfile", str(sign)]
        try:
            done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - no foreign part
        except FileNotFoundError:
            raise FormatError("the openssl command is needed to check signatures, and is not here") from None
        return done.returncode == 0


# --- findings ---


@dataclass(frozen=True)
class Finding:
    """One thing that a check found. A fault means: do not trust; a notice: know this."""

    code: str
    zh: str
    en: str
    position: int | None = None
    fault: bool = True

    def __str__(self) -> str:
        mark = "FAULT" if self.fault else "note "
        return f"{mark} {self.code}: {self.en}\n      {self.zh}"


@dataclass
class Report:
    """What was checked and what was found."""

    size: int = 0
    checkpoint: Checkpoint | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing found means: do not trust."""
        return not any(finding.fault for finding in self.findings)

    def add(self, code: str, zh: str, en: str, position: int | None = None, *, fault: bool = True) -> None:
        """Add a finding."""
        self.findings.append(Finding(code, zh, en, position, fault))


# --- bundles ---


def tile_path(level: int | str, number: int, width: int = TILE_WIDTH) -> str:
    """Return the path of a tile (tlog-tiles): index in groups of three digits, all but the last with `x`."""
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"tile/{level}/{path}" + ("" if width == TILE_WIDTH else f".p/{width}")


def payload_path(number: int) -> str:
    """Return the path of the payloads of the entries of one bundle of entries."""
    return tile_path("payloads", number)


def pack_entries(entries: Iterable[bytes]) -> bytes:
    """Return entries as an entry bundle: each with its length before it, two bytes, big-endian."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unpack_entries(packed: bytes) -> list[bytes]:
    """Return the entries of an entry bundle."""
    entries, at = [], 0
    while at < len(packed):
        end = at + 2 + int.from_bytes(packed[at : at + 2], "big")
        if end > len(packed):
            raise FormatError("an entry bundle is cut short")
        entries.append(packed[at + 2 : end])
        at = end
    return entries


class Row(NamedTuple):
    """One entry of a bundle, and the payload beside it: `None` once erased, or when not handed out."""

    position: int
    entry: bytes
    salt: bytes | None
    payload: bytes | None
    erased: bool = False


@dataclass
class _Part:
    """What reading some of the bundle's entries found, in their order."""

    leaves: bytes = b""
    positions: array[int] = field(default_factory=lambda: array("q"))
    findings: list[Finding] = field(default_factory=list)
    erased: list[int] = field(default_factory=list)
    withheld: bool = False
    erasures: list[int] = field(default_factory=list)
    new_keys: dict[int, str] = field(default_factory=dict)
    first: tuple[int, bytes, bytes] | None = None
    """Position, kind and time of the first seal, to be compared with the last one of the part before."""
    last_sealed: bytes = b""


def check_bundle(
    path: Path,
    *,
    key: Key | None = None,
    kept: Sequence[str] = (),
    check: SignatureCheck = check_by_openssl,
    processes: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Report:
    """Check an exported bundle and name the exact item at fault.

    Parameters
    ----------
    path
        The bundle, as `jingwei ledger export` writes it.
    key
        The key that the reader trusts, received by another way than the bundle. Without it the bundle's
        own first key is taken, which shows that the log is whole but not whose it is.
    kept
        Checkpoints of the same log that the reader kept from earlier, or got from others.
    check
        How to check a signature.
    processes
        How many processes read; by default this one alone for a small bundle, else one for each core.
    progress
        Called now and then with how many of how many events are read.

    """
    report = Report()
    try:
        with zipfile.ZipFile(path) as bundle:
            _Audit(path, bundle, report, key, kept, check, processes, progress).run()
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        report.add("malformed", f"证据包格式有误：{error}", f"the bundle is not well formed: {error}")
    return report


class _Audit:
    """One pass over a bundle."""

    def __init__(
        self,
        path: Path,
        bundle: zipfile.ZipFile,
        report: Report,
        key: Key | None,
        kept: Sequence[str],
        check: SignatureCheck,
        processes: int | None,
        progress: Callable[[int, int], None],
    ) -> None:
        self.path = path
        self.bundle = bundle
        self.names = set(bundle.namelist())
        self.report = report
        self.check = check
        self.kept = kept
        self.key = key
        self.processes = processes
        self.progress = progress
        self.leaves = bytearray()
        self.positions: array[int] = array("q")
        self.erased: list[int] = []
        self.withheld = False
        self.erasures: set[int] = set()
        self.new_keys: dict[int, str] = {}
        self.roots: dict[int, bytes] = {}

    def run(self) -> None:
        first = self._text("key")
        if self.key is None:
            self.key = Key.parse(first)
            self.report.add(
                "key-from-bundle",
                "所用公钥取自证据包本身：只能证明日志完整，不能证明出自谁手；请向日志方另行索取公钥",
                "the key was taken from the bundle itself: this shows that the log is whole, not whose it is",
                fault=False,
            )
        head = Note.parse(self._text("checkpoint"))
        claimed = Checkpoint.parse(head.text)
        self.report.checkpoint = claimed
        history = [self._claim(note) for note in json.loads(self._text("checkpoints.json"))]
        handovers = json.loads(self._text("handovers.json"))
        sizes = {claimed.size, *(point.size for point in history)}
        sizes |= {self._claim(note).size for note in [*handovers, *self.kept]}
        self._read_entries(sizes, claimed.size)
        self.report.size = len(self.positions)
        keys = self._trusted_keys(handovers)
        if not self._signed(self._text("checkpoint"), keys, "checkpoint"):
            return
        self._compare_tree(claimed, history)
        self._compare_kept(keys)
        self._compare_erasures()

    # reading

    def _text(self, name: str) -> str:
        return self.bundle.read(name).decode()

    @staticmethod
    def _claim(note: str) -> Checkpoint:
        return Checkpoint.parse(Note.parse(note).text)

    def _parts(self) -> Iterator[_Part]:
        """Read all entries, on several cores where there are many."""
        count = next(number for number in itertools.count() if payload_path(number) not in self.names)
        chunks = [range(at, min(at + CHUNK, count)) for at in range(0, count, CHUNK)]
        processes = self.processes or ((os.cpu_count() or 1) if len(chunks) > FEW_CHUNKS else 1)
        if processes == 1:
            for chunk in chunks:
                yield _read_part(self.bundle, chunk)
            return
        with ProcessPoolExecutor(processes, initializer=_Reader.open, initargs=(self.path,)) as pool:
            yield from pool.map(_Reader.read, chunks)

    def _read_entries(self, sizes: set[int], claimed: int) -> None:
        """Read every entry, keeping the roots at `sizes` of the tree that they make up."""
        growing = _Growing(sizes)
        last_sealed = b""
        for part in self._parts():
            self.leaves += part.leaves
            self.positions += part.positions
            growing.take(part.leaves)
            if part.first is not None:
                position, kind, sealed = part.first
                if sealed < last_sealed:
                    self.report.findings.append(_clock_back(position, kind, last_sealed, sealed))
                last_sealed = part.last_sealed
            self.report.findings += part.findings
            self.erased += part.erased
            self.withheld = self.withheld or part.withheld
            self.erasures.update(part.erasures)
            self.new_keys.update(part.new_keys)
            self.progress(len(self.positions), max(claimed, len(self.positions)))
        self.roots = growing.finish()

    # judging

    def _signed(self, note: str, keys: list[Key], what: str) -> bool:
        try:
            if Note.parse(note).signers(keys, self.check):
                return True
            reason_zh, reason_en = "没有可信公钥的签名", "no trusted key signed it"
        except FormatError as error:
            reason_zh, reason_en = f"签名不符（{error}）", str(error)
        size = self._claim(note).size
        self.report.add(
            "forged-checkpoint",
            f"检查点（{what}，规模 {size}）是伪造的：{reason_zh}",
            f"the checkpoint ({what}, size {size}) is forged: {reason_en}",
            size,
        )
        return False

    def _trusted_keys(self, handovers: list[str]) -> list[Key]:
        """Follow the handovers from the trusted key; return the keys that may sign the newest checkpoint.

        A handover is the checkpoint that ends with the entry naming the new key, signed by the old one.
        """
        if self.key is None:
            raise FormatError("no key to start from")
        current = self.key
        for note in handovers:
            point = self._claim(note)
            if not self._signed(note, [current], "handover"):
                break
            named = self.new_keys.get(point.size - 1)
            if named is None or self.roots.get(point.size) != point.root:
                continue  # the tree itself is at fault, and is reported as such
            current = Key.parse(named)
        return [current]

    def _compare_tree(self, claimed: Checkpoint, history: list[Checkpoint]) -> None:
        whole = self.roots.get(claimed.size) == claimed.root and len(self.positions) == claimed.size
        if whole and self.positions == array("q", range(claimed.size)):
            for number, tile in self._tiles(claimed.size):
                at = number * TILE_WIDTH * HASH_SIZE
                if tile != self.leaves[at : at + len(tile)]:
                    path = tile_path(0, number)
                    self.report.add("changed-tile", f"哈希块 {path} 被改动", f"the tile {path} was changed")
            return
        tiles = b"".join(tile for _, tile in self._tiles(claimed.size))
        growing = _Growing({claimed.size})
        growing.take(tiles)
        if growing.finish().get(claimed.size) == claimed.root:
            self._align(split_hashes(tiles))
        else:
            self._bracket(claimed, history)

    def _tiles(self, size: int) -> Iterator[tuple[int, bytes]]:
        """Yield the tiles of level 0 with their numbers; zeros for one missing or of another width."""
        for number in range(-(-size // TILE_WIDTH)):
            width = min(TILE_WIDTH, size - number * TILE_WIDTH)
            name = tile_path(0, number, width)
            tile = self.bundle.read(name) if name in self.names else b""
            yield number, tile if len(tile) == width * HASH_SIZE else bytes(width * HASH_SIZE)

    def _align(self, signed: list[bytes]) -> None:
        """The tiles lead to the signed root: compare each entry found with the leaf that was signed."""
        leaves = split_hashes(bytes(self.leaves))
        true_position = {leaf: i for i, leaf in enumerate(signed)}
        found = {true_position[leaf] for leaf in leaves if leaf in true_position}
        numbered = list(zip(self.positions, leaves, strict=True))
        strangers = [position for position, leaf in numbered if leaf not in true_position]
        missing = [i for i in range(len(signed)) if i not in found]
        changed = set(strangers) & set(missing)
        for i in sorted(changed):
            self.report.add("changed-event", f"第 {i} 条事件被改动", f"event {i} was changed", i)
        for i in missing:
            if i not in changed:
                self.report.add("deleted-event", f"第 {i} 条事件被删除", f"event {i} was deleted", i)
        for i in strangers:
            if i not in changed:
                self.report.add("inserted-event", f"第 {i} 条事件是插入的", f"event {i} was inserted", i)
        pairs = [(position, true_position[leaf]) for position, leaf in numbered if leaf in true_position]
        for i in _moved(pairs, shifted=bool(set(missing) ^ set(strangers))):
            self.report.add("reordered-event", f"第 {i} 条事件被挪了位置", f"event {i} was moved", i)

    def _bracket(self, claimed: Checkpoint, history: list[Checkpoint]) -> None:
        """Tiles and entries both disagree with the signed root: narrow it down by the signed history."""
        good, bad = 0, claimed.size
        for point in sorted(history, key=lambda p: p.size):
            if self.roots.get(point.size) == point.root:
                good = max(good, point.size)
            else:
                bad = min(bad, point.size)
        self.report.add(
            "changed-history",
            f"第 {good} 至 {bad - 1} 条事件中有改动，且哈希块也被重算；此前的记录仍与签名相符",
            f"something in events {good} to {bad - 1} was changed and the tiles were made to fit;"
            " what lies before still agrees with its signature",
            good,
        )

    def _compare_kept(self, keys: list[Key]) -> None:
        trusted = [*keys, *([self.key] if self.key else []), *map(Key.parse, self.new_keys.values())]
        for note in self.kept:
            point = self._claim(note)
            if not self._signed(note, trusted, "kept"):
                continue
            if point.size > len(self.positions):
                self.report.add(
                    "rolled-back",
                    f"数据库被回退：已签名的检查点有 {point.size} 条，这里只有 {len(self.positions)} 条",
                    f"the database was rolled back: a signed checkpoint counts {point.size} events, here are"
                    f" {len(self.positions)}; events {len(self.positions)} to {point.size - 1} are gone",
                    len(self.positions),
                )
            elif self.roots.get(point.size) != point.root:
                self.report.add(
                    "split-view",
                    f"前 {point.size} 条与留存的检查点不符：日志给不同的人看了不同的历史",
                    f"the first {point.size} events do not lead to the kept checkpoint: it was rewritten",
                    point.size,
                )

    def _compare_erasures(self) -> None:
        if self.withheld:
            self.report.add(
                "payloads-withheld",
                "证据包未附事件内容，只能检验顺序与完整性",
                "payloads are not in the bundle: only order and completeness were checked",
                fault=False,
            )
            return
        for position in self.erased:
            if position not in self.erasures:
                self.report.add(
                    "erased-without-record",
                    f"第 {position} 条事件的内容缺失，日志中没有依法删除的记录",
                    f"the payload of event {position} is gone, and no entry records its erasure",
                    position,
                )


class _Growing:
    """A tree that grows by leaves in any number at once, and keeps its roots at chosen sizes."""

    def __init__(self, sizes: Collection[int]) -> None:
        self.sizes = frozenset(sizes)
        self.roots = {0: EMPTY_ROOT}
        self._tiles = Frontier()
        self._rest = b""

    def take(self, leaves: bytes) -> None:
        """Add the hashes of the next leaves."""
        self._rest += leaves
        whole = len(self._rest) // TILE_SIZE * TILE_SIZE
        for at in range(0, whole, TILE_SIZE):
            self._tiles.push(self._add(self._rest[at : at + TILE_SIZE])[-1][0])
        self._rest = self._rest[whole:]

    def finish(self) -> dict[int, bytes]:
        """Return the roots at the chosen sizes, of those that the tree has reached."""
        self._add(self._rest)
        return self.roots

    def _add(self, tile: bytes) -> list[list[bytes]]:
        rows = perfect_subtrees(tile)
        start = self._tiles.size * TILE_WIDTH
        for width in range(1, len(rows[0]) + 1):
            if start + width in self.sizes:
                inside = [row[(width >> h) - 1] for h, row in enumerate(rows) if width >> h & 1]
                self.roots[start + width] = Frontier(0, [*self._tiles.nodes, *reversed(inside)]).root()
        return rows


class _Reader:
    """The bundle in a process that does nothing but read it."""

    bundle: zipfile.ZipFile

    @classmethod
    def open(cls, path: Path) -> None:
        """Open the bundle, once for each process."""
        cls.bundle = zipfile.ZipFile(path)

    @classmethod
    def read(cls, numbers: range) -> _Part:
        """Read some of its entries."""
        return _read_part(cls.bundle, numbers)


def _read_part(bundle: zipfile.ZipFile, numbers: range) -> _Part:
    """Hash every entry of the entry bundles `numbers`, and check each against payload and clock."""
    hashes: list[bytes] = []
    part = _Part()
    for row in _rows(bundle, numbers):
        hashes.append(leaf_hash(row.entry))
        part.positions.append(row.position)
        told = ENTRY.fullmatch(row.entry)
        if told is None:
            continue  # the comparison with the signed tree names it
        digest, sealed, kind = told.groups()
        if row.salt is None or row.payload is None:
            if row.erased:
                part.erased.append(row.position)
            else:
                part.withheld = True
        elif payload_digest(row.salt, row.payload) != digest.decode():
            part.findings.append(_payload_changed(row.position, kind.decode()))
        elif kind.startswith(b"ledger."):  # what the log says about itself
            data = json.loads(row.payload)["data"]
            if kind == b"ledger.erased":
                part.erasures.extend(data["positions"])
            elif kind == b"ledger.key_rotated":
                part.new_keys[row.position] = data["new_key"]
        if part.first is None:
            part.first = (row.position, kind, sealed)
        elif sealed < part.last_sealed:
            part.findings.append(_clock_back(row.position, kind, part.last_sealed, sealed))
        part.last_sealed = sealed
    part.leaves = b"".join(hashes)
    return part


def _rows(bundle: zipfile.ZipFile, numbers: range) -> Iterator[Row]:
    for number in numbers:
        name = payload_path(number)
        entries = unpack_entries(bundle.read(tile_path("entries", number)))
        lines = bundle.read(name).split(b"\n")[:-1]
        if len(lines) != len(entries):
            raise FormatError(f"{name} has {len(lines)} payloads for {len(entries)} entries")
        yield from map(_row, itertools.count(number * TILE_WIDTH), entries, lines)


def _payload_changed(position: int, kind: str) -> Finding:
    return Finding(
        "changed-payload",
        f"第 {position} 条事件（{kind}）的内容被改动",
        f"the payload of event {position} ({kind}) was changed",
        position,
    )


def _clock_back(position: int, kind: bytes, before: bytes, after: bytes) -> Finding:
    return Finding(
        "clock-moved-back",
        f"第 {position} 条事件处时钟倒退：由 {before.decode()} 到 {after.decode()}",
        f"at event {position} the clock was moved back, from {before.decode()} to {after.decode()}",
        position,
        # The log says so itself where its own clock moved back: know it, but the log is whole.
        fault=kind != b"ledger.clock_moved_back",
    )


def _row(expected: int, entry: bytes, line: bytes) -> Row:
    """Read a line of payloads: position, salt in hex, payload; `-` where erased, `~` where withheld."""
    try:
        number, salt, *payload = line.split(b" ", 2)
        position = int(number)
        if 0 <= position < LARGEST_POSITION and b"%d" % position == number:  # one form for each content
            if salt in (b"-", b"~") and not payload:
                return Row(position, entry, None, None, erased=salt == b"-")
            raw = bytes.fromhex(salt.decode())
            if raw.hex().encode() == salt:
                return Row(position, entry, raw, payload[0])
    except (ValueError, IndexError):
        pass
    return Row(expected, entry, b"", line)  # fits no digest, and is named as changed


def _moved(pairs: Sequence[tuple[int, int]], *, shifted: bool) -> list[int]:
    """Return which entries were moved, given pairs of (position claimed, position signed).

    Of the two explanations, `these are out of order` and `these bear another's number`, the one with fewer
    entries; `shifted` where numbers differ because entries are missing or were put in.
    """
    out_of_order = _out_of_order([true for _, true in pairs])
    misnumbered = sorted(true for position, true in pairs if position != true)
    if not shifted and (not out_of_order or len(misnumbered) <= len(out_of_order)):
        return misnumbered
    return out_of_order


def _out_of_order(order: Sequence[int]) -> list[int]:
    """Return the elements outside a longest increasing subsequence: the fewest moves that explain `order`."""
    tails: list[int] = []
    before: dict[int, int | None] = {}
    for value in order:
        at = bisect.bisect_left(tails, value)
        before[value] = tails[at - 1] if at else None
        tails[at : at + 1] = [value]
    kept = set()
    walk: int | None = tails[-1] if tails else None
    while walk is not None:
        kept.add(walk)
        walk = before[walk]
    return sorted(value for value in order if value not in kept)


def check_receipt(text: str, *, key: Key, check: SignatureCheck = check_by_openssl) -> Report:
    """Check a receipt by itself: signature, inclusion, and the payload that it carries."""
    report = Report()
    try:
        receipt = Receipt.parse(text)
        note = Note.parse(receipt.checkpoint)
        point = Checkpoint.parse(note.text)
        report.size, report.checkpoint = 1, point
        signed = note.signers([key], check)
    except (FormatError, ValueError, KeyError) as error:
        report.add("forged-checkpoint", f"回执的检查点不可信：{error}", f"the receipt's checkpoint: {error}")
        return report
    i = receipt.index
    if not signed:
        report.add(
            "forged-checkpoint", "回执没有可信公钥的签名", "no trusted key signed the receipt's checkpoint"
        )
    elif not verify_inclusion(i, point.size, leaf_hash(receipt.entry), receipt.proof, point.root):
        report.add("changed-event", f"第 {i} 条事件不在此日志中", f"event {i} is not in this log", i)
    elif receipt.salt is not None and receipt.payload is not None:
        told: dict[str, Any] = json.loads(receipt.entry)
        if payload_digest(receipt.salt, receipt.payload) != told["digest"]:
            report.add(
                "changed-payload", f"第 {i} 条事件的内容被改动", f"the payload of event {i} was changed", i
            )
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; 0 when sound, 1 when not."""
    parser = argparse.ArgumentParser(description="Check a bundle or a receipt of a log of Jingwei.")
    parser.add_argument("kind", choices=["bundle", "receipt"])
    parser.add_argument("path", type=Path)
    parser.add_argument("--key", help="the log's verifier key, name+id+base64, got by another way")
    parser.add_argument(
        "--checkpoint", type=Path, action="append", default=[], help="a checkpoint kept from before"
    )
    given = parser.parse_args(arguments)
    key = Key.parse(given.key) if given.key else None
    if given.kind == "bundle":
        kept = [path.read_text(encoding="utf-8") for path in given.checkpoint]
        report = check_bundle(given.path, key=key, kept=kept)
    elif key is None:
        parser.error("a receipt is checked with --key")
    else:
        report = check_receipt(given.path.read_text(encoding="utf-8"), key=key)
    for finding in report.findings:
        print(finding)  # noqa: T201
    root = base64.b64encode(report.checkpoint.root).decode() if report.checkpoint else "-"
    verdict = "sound 可信" if report.sound else "NOT SOUND 不可信"
    print(f"{verdict}: {report.size} events, root {root}")  # noqa: T201
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main())
