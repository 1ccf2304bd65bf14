"""Signatures by which a subscriber knows that an event is the city's: Standard Webhooks, v1 (HMAC-SHA-256).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from jingwei.exchange.errors import BadSecretError

PREFIX = "whsec_"
LEAST, MOST, MADE = 24, 64, 32
"""Bytes of a secret: at least, at most, and of one that is made here."""


def new_secret() -> str:
    """Return a secret of random bytes as it is shown once."""
    return PREFIX + base64.b64encode(secrets.token_bytes(MADE)).decode()


def key_of(secret: str) -> bytes:
    """Return the bytes of a secret.

    Raises
    ------
    BadSecretError

    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise BadSecretError from None
    if not secret.startswith(PREFIX) or not LEAST <= len(key) <= MOST:
        raise BadSecretError
    return key


def headers(secret: str, identifier: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers that go with a body.

    Parameters
    ----------
    secret
        Of the subscriber.
    identifier
        The same however often it is sent.
    timestamp
        Seconds since 1970 at which it is sent, so that nobody can send it again much later.
    body
        What is sent.

    """
    signed = b".".join((identifier.encode(), str(timestamp).encode(), body))
    signature = base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()
    return {
        "webhook-id": identifier,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
