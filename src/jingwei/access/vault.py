"""The vault: what must be readable again, such as the secrets of second factors, sealed by a key of its own.

The key lies in a file apart from the record store: who gets hold of the records alone cannot read them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jingwei.errors import JingweiError
from jingwei.ledger.keys import store_secret
from jingwei.words import Text

KEY_FILE = "secrets.key"
KEY_BYTES = 32
NONCE_BYTES = 12


class VaultKeyError(JingweiError):
    """The file with the vault's key cannot be used."""

    code = "vault-key-unusable"
    status = 500

    def __init__(self, path: Path) -> None:
        super().__init__(
            Text(f"保密库密钥文件不可用：{path}", f"the vault's key file cannot be used: {path}."),
            mend=Text(
                "应为 32 个随机字节的 base64 文本，且只有本用户可读（chmod 600）",
                "It holds 32 random bytes in base64 and is readable to its owner only (chmod 600).",
            ),
            where={"file": str(path)},
        )


class SealBrokenError(JingweiError):
    """Something was sealed by another key, for something else, or was changed since."""

    code = "seal-broken"
    status = 400

    def __init__(self) -> None:
        super().__init__(
            Text("内容已失效或密钥不符", "this is no longer valid, or was sealed by another key.")
        )


class Vault:
    """Seals by AES-256-GCM (NIST SP 800-38D).

    Parameters
    ----------
    key
        32 random bytes; the keys for sealing and for digests are derived from it.

    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            msg = f"the key of a vault has {KEY_BYTES} bytes, not {len(key)}"
            raise ValueError(msg)
        self._sealing = AESGCM(hmac.digest(key, b"jingwei vault: sealing", hashlib.sha256))
        self._digesting = hmac.digest(key, b"jingwei vault: digests", hashlib.sha256)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the vault whose key lies at `path`; makes a key where there is none.

        Raises
        ------
        VaultKeyError
            Where the file holds no key, or others than its owner may read it.

        """
        with suppress(FileExistsError):
            if not path.exists():
                store_secret(path, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        try:
            if path.stat().st_mode & 0o077:
                raise VaultKeyError(path)
            return cls(base64.b64decode(path.read_bytes().strip(), validate=True))
        except (OSError, ValueError) as error:
            raise VaultKeyError(path) from error

    def seal(self, secret: str, about: str) -> str:
        """Return `secret` sealed; it opens only for the same `about`, such as whose secret it is."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._sealing.encrypt(nonce, secret.encode(), about.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def unseal(self, sealed: str, about: str) -> str:
        """Return what was sealed.

        Raises
        ------
        SealBrokenError
            Where it was not sealed by this vault for the same `about`.

        """
        try:
            packed = base64.b64decode(sealed.encode(), altchars=b"-_", validate=True)
            return self._sealing.decrypt(packed[:NONCE_BYTES], packed[NONCE_BYTES:], about.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise SealBrokenError from error

    def digest(self, text: str) -> bytes:
        """Return a keyed digest, by which what is easily guessed can be found again but not read."""
        return hmac.digest(self._digesting, text.encode(), hashlib.sha256)
