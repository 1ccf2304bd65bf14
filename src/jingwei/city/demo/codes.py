"""Well-formed identifiers that belong to nobody: identity numbers, credit codes, telephone numbers."""

from __future__ import annotations

import numpy as np

from jingwei.city.demo.arrays import Ints, Texts

CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def identity_numbers(region: Texts, born: Texts, sequence: Ints) -> Texts:
    """Return 18-digit identity numbers with the check digit of GB 11643-1999 (ISO 7064, MOD 11-2).

    Parameters
    ----------
    region
        Six digits of the place of registration.
    born
        Date of birth, `YYYYMMDD`.
    sequence
        0 to 999; odd for men, even for women.

    """
    body = np.char.add(
        np.char.add(region.astype("U6"), born.astype("U8")), np.char.zfill(sequence.astype("U3"), 3)
    )
    digits = _characters(body, 17) - ord("0")
    weight = np.array([2 ** (17 - position) % 11 for position in range(17)])
    check = np.array(list("10X98765432"))[(digits * weight).sum(axis=1) % 11]
    return np.char.add(body, check)


def credit_codes(random: np.random.Generator, region: Texts, *, registrar: str) -> Texts:
    """Return unified social credit codes (GB 32100-2015) with both of their check characters.

    The organisation's part (GB 11714-1997) has its own check character, MOD 11; the whole has one more,
    MOD 31. `registrar` is the two leading characters (`91` firms, `92` traders, `11` government).
    """
    if not len(region):
        return np.array([], dtype=object)
    alphabet = np.array(list(CREDIT_ALPHABET))
    numbers = random.choice(90_000_000, len(region), replace=False, shuffle=False)
    body = np.char.zfill(numbers.astype("U8"), 8)
    digits = _characters(body, 8) - ord("0")
    remainder = (11 - (digits * np.array([3, 7, 9, 10, 5, 8, 4, 2])).sum(axis=1) % 11) % 11
    organisation = np.char.add(body, np.array(list("0123456789X"))[remainder])
    code = np.char.add(np.char.add(registrar, region.astype("U6")), organisation)
    index = np.full(128, -1)
    index[[ord(character) for character in CREDIT_ALPHABET]] = np.arange(len(CREDIT_ALPHABET))
    values = index[_characters(code, 17)]
    weight = np.array([pow(3, position, 31) for position in range(17)])
    check = (31 - (values * weight).sum(axis=1) % 31) % 31
    return np.char.add(code, alphabet[check]).astype(object)


def mobile_numbers(random: np.random.Generator, count: int) -> Texts:
    """Return well-formed mobile numbers of the range 154, which no operator has been given."""
    return np.char.add("154", np.char.zfill(random.integers(0, 100_000_000, count).astype("U8"), 8))


def is_identity_number(text: str) -> bool:
    """Tell whether an identity number is well formed and its check digit right."""
    if len(text) != 18 or not text[:17].isdigit():
        return False
    total = sum(int(digit) * (2 ** (17 - position) % 11) for position, digit in enumerate(text[:17]))
    return "10X98765432"[total % 11] == text[17]


def is_credit_code(text: str) -> bool:
    """Tell whether a unified social credit code is well formed and its last character right."""
    if len(text) != 18 or any(character not in CREDIT_ALPHABET for character in text):
        return False
    total = sum(CREDIT_ALPHABET.index(text[position]) * pow(3, position, 31) for position in range(17))
    return CREDIT_ALPHABET[(31 - total % 31) % 31] == text[17]


def _characters(texts: Texts, width: int) -> Ints:
    """Return the code points of texts of one width, shape (n, width)."""
    return np.ascontiguousarray(texts.astype(f"U{width}")).view(np.uint32).reshape(-1, width).astype(np.int64)
