"""A small proof of work before a report: a telephone does it in a blink, a robot pays for every single one.

Nobody has to see or read anything for it, so that it locks out nobody. The more reports come from one
address, the more work each of them takes; only far beyond that is one told to wait.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time

from jingwei.errors import BadRequestError
from jingwei.words import Text

EASY, HARDEST = 10, 18
"""Leading zero bits that the digest must have: about a thousand tries, and about a quarter of a million."""
FREE = 10
"""Reports of one address within an hour before each takes more work."""
LASTS = 900
"""Seconds for which a stamp holds."""
EARLY = 5
"""Seconds by which clocks of one machine may differ."""


class NoProofError(BadRequestError):
    """A report came without the work that keeps robots away, or with an old stamp."""

    code = "proof-missing"

    def __init__(self) -> None:
        super().__init__(
            Text("这次发送没有通过防机器人校验", "the proof that keeps robots away is missing or too old."),
            mend=Text(
                "请取得新的 stamp（GET /api/public/stamp）后重新计算；所填内容都还在。",
                "Get a new stamp (GET /api/public/stamp) and do the work again; what you wrote is not lost.",
            ),
        )


class Stamps:
    """Gives stamps, and tells whether work was done on them. Stateless but for a key of this process's start.

    Parameters
    ----------
    key
        By which stamps are known again; every worker of one city uses the same.

    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def give(self, reports: int) -> tuple[str, int]:
        """Return a stamp and the zero bits it asks for, after so many reports of an address in an hour."""
        bits = min(HARDEST, EASY + 2 * max(0, (reports // FREE).bit_length()))
        body = f"{int(time.time())}.{bits}"
        return f"{body}.{self._seal(body)}", bits

    def check(self, stamp: str, secret: str, nonce: str) -> None:
        """Raise unless SHA-256 of `stamp:secret:nonce` begins with as many zero bits as the stamp asks for.

        Raises
        ------
        NoProofError
            Where it does not, or the stamp is old or not ours.

        """
        body, _, seal = stamp.rpartition(".")
        given, _, bits = body.partition(".")
        if not (
            hmac.compare_digest(seal.encode(), self._seal(body).encode())
            and given.isdigit()
            and bits.isdigit()
        ):
            raise NoProofError
        if not -EARLY <= time.time() - int(given) <= LASTS:
            raise NoProofError
        digest = hashlib.sha256(f"{stamp}:{secret}:{nonce}".encode()).digest()
        if int.from_bytes(digest) >> (256 - int(bits)):
            raise NoProofError

    def _seal(self, body: str) -> str:
        sealed = hmac.digest(self._key, b"stamp " + body.encode(), hashlib.sha256)[:15]
        return base64.urlsafe_b64encode(sealed).decode()
