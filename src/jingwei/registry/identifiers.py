"""What an identifier looks like: twelve characters drawn at random and one to check them.

Sixty random bits say nothing of the object, so that nothing about it can become untrue, and cannot be
guessed in a row. The alphabet is Crockford's base 32, without I, L, O and U; the check character is that of
ISO/IEC 7064, MOD 37,36, which finds every single wrong character and nearly every transposition.
"""

from __future__ import annotations

import secrets

import numpy as np

from jingwei.errors import BadRequestError
from jingwei.words import Text

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECK_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LENGTH = 12
_BYTES = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
_CHECK_BYTES = np.frombuffer(CHECK_ALPHABET.encode(), dtype=np.uint8)
_CHECK_VALUES = np.array([CHECK_ALPHABET.index(c) for c in ALPHABET], dtype=np.int64)
_LOOKALIKES = str.maketrans("ILO", "110")


class NotAnIdentifierError(BadRequestError):
    """The text is not an identifier, or was mistyped."""

    code = "identifier-invalid"

    def __init__(self, text: str) -> None:
        super().__init__(
            Text(f"“{text[:40]}”不是对象标识", f"“{text[:40]}” is not an identifier of an object."),
            mend=Text(
                "标识共 13 位，最后一位是校验位；请核对",
                "An identifier has 13 characters, of which the last one checks the others; compare them.",
            ),
        )


def new_identifiers(count: int) -> list[str]:
    """Return `count` new identifiers."""
    numbers = np.frombuffer(secrets.token_bytes(8 * count), dtype="<u8")
    shifts = np.arange(5 * (LENGTH - 1), -1, -5, dtype=np.uint64)
    digits = ((numbers[:, None] >> shifts) & np.uint64(31)).astype(np.int64)
    values = _CHECK_VALUES[digits]
    written = np.empty((count, LENGTH + 1), dtype=np.uint8)
    written[:, :LENGTH] = _BYTES[digits]
    written[:, LENGTH] = _CHECK_BYTES[_check_value(values)]
    return [bytes(row).decode() for row in written]


def _check_value(values: np.ndarray) -> np.ndarray:
    """Return the check value of rows of character values (ISO/IEC 7064, MOD 37,36)."""
    product = np.full(values.shape[0], 36, dtype=np.int64)
    for column in range(values.shape[1]):
        total = (product + values[:, column]) % 36
        total[total == 0] = 36
        product = total * 2 % 37
    return (37 - product) % 36


def check_character(text: str) -> str:
    """Return the MOD 37,36 check character of a text of digits and capital letters."""
    values = np.array([[CHECK_ALPHABET.index(c) for c in text]], dtype=np.int64)
    return CHECK_ALPHABET[int(_check_value(values)[0])]


def parse_identifier(text: str) -> str:
    """Return the identifier that a person or a scanner gave, in its one form.

    Raises
    ------
    NotAnIdentifierError
        Where it is none, or a character is wrong.

    """
    plain = text.strip().upper().replace("-", "").replace(" ", "")
    head, check = plain[:LENGTH].translate(_LOOKALIKES), plain[LENGTH:]
    if len(head) != LENGTH or any(c not in ALPHABET for c in head) or check_character(head) != check:
        raise NotAnIdentifierError(text)
    return head + check
