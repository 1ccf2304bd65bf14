"""The key by which a log signs: an Ed25519 key in a file that only its owner may read."""

from __future__ import annotations

import base64
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from jingwei.errors import JingweiError
from jingwei.ledger.verify import Checkpoint, Key
from jingwei.words import Text

FOLDER = "keys"
"""In the folder of a city: the keys, and nothing else."""
FORMER_FOLDER = "log"
"""Where keys lay before, beside the copy of the newest checkpoint."""


def settled(home: Path, name: str) -> Path:
    """Return the path of a key of the city in `home`; one that lies where keys lay before is moved there."""
    path, former = home / FOLDER / name, home / FORMER_FOLDER / name
    if former.exists() and not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):  # another process was quicker
            os.replace(former, path)  # noqa: PTH105 - atomic
    return path


class KeyFileError(JingweiError):
    """The file with the log's key cannot be used."""

    code = "ledger-key-unusable"
    status = 500

    def __init__(self, path: Path) -> None:
        super().__init__(
            Text(f"日志密钥文件不可用：{path}", f"the log's key file cannot be used: {path}."),
            mend=Text(
                "需要未加密的 PEM（PKCS#8）Ed25519 私钥，且只有本用户可读（chmod 600）",
                "It must be an unencrypted PEM (PKCS #8) with an Ed25519 private key, readable to its"
                " owner only (chmod 600).",
            ),
            where={"file": str(path)},
        )


@dataclass(frozen=True)
class Signer:
    """A private key with the name under which it signs."""

    name: str
    private: Ed25519PrivateKey

    @cached_property
    def key(self) -> Key:
        """The public key, as verifiers know it."""
        return Key.of(self.name, self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, checkpoint: Checkpoint) -> str:
        """Return the checkpoint as a signed note."""
        return f"{checkpoint}\n{self.signature_line(str(checkpoint))}"

    def signature_line(self, text: str) -> str:
        """Return the line of a signed note by which this key signs `text`."""
        packed = base64.b64encode(self.key.id + self.private.sign(text.encode())).decode()
        return f"— {self.name} {packed}\n"


def check_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether an Ed25519 signature is valid."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def new_origin() -> str:
    """Return a name for a new log, unique without asking anyone."""
    return f"jingwei.local/{secrets.token_hex(8)}"


def generate(path: Path) -> Ed25519PrivateKey:
    """Make a new key and store it at `path`, which must not exist yet."""
    private = Ed25519PrivateKey.generate()
    store_secret(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return private


def store_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read.

    Raises
    ------
    FileExistsError
        Where there is a file already; it stays as it is.

    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Written elsewhere and then linked: a crash leaves no half key, and two starters one key.
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(fresh)
    finally:
        fresh.unlink()


def load(path: Path) -> Ed25519PrivateKey:
    """Read the key at `path`.

    Raises
    ------
    KeyFileError
        Where the file is no such key, or others than its owner may read it.

    """
    try:
        if path.stat().st_mode & 0o077:
            raise KeyFileError(path)
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise KeyFileError(path) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(path)
    return private
