"""Numbers of persons and enterprises with their check characters, written from the standards' tables."""

from __future__ import annotations

from datetime import date

import numpy as np

CREDIT_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015, table 1: without I, O, S, V, Z
CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)  # GB 32100-2015, table 4
BODY_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # GB 11714-1997
BODY_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
PERSON_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999, annex A
PERSON_CHECKS = "10X98765432"


def credit_check(first: str) -> str:
    """Give the 18th character of a unified social credit code (GB 32100-2015, 6.2) from the first 17."""
    total = sum(CREDIT_CHARACTERS.index(c) * w for c, w in zip(first, CREDIT_WEIGHTS, strict=True))
    return CREDIT_CHARACTERS[(31 - total % 31) % 31]


def body_check(first: str) -> str:
    """Give the ninth character of an organisation's code (GB 11714-1997) from the first eight."""
    total = sum(BODY_CHARACTERS.index(c) * w for c, w in zip(first, BODY_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11] if total % 11 else "0"


def person_check(first: str) -> str:
    """Give the 18th character of an identity number (GB 11643-1999) from the first 17."""
    return PERSON_CHECKS[sum(int(c) * w for c, w in zip(first, PERSON_WEIGHTS, strict=True)) % 11]


def body_code(rng: np.random.Generator) -> str:
    """Draw an organisation's code: since 2015 most begin with MA and hold letters."""
    if rng.random() < 0.6:
        first = "MA" + "".join(CREDIT_CHARACTERS[i] for i in rng.integers(0, 31, 6))
    else:
        first = "".join(str(i) for i in rng.integers(0, 10, 8))
    return first + body_check(first)


def credit_code(division: str, body: str, kind: str = "91") -> str:
    """Put a unified social credit code together; ``kind`` is the registering department and category."""
    first = kind + division + body
    return first + credit_check(first)


def identity_number(division: str, birth: date, order: int) -> str:
    """Put an identity number together; ``order`` (0 to 999) is odd for men, even for women."""
    first = f"{division}{birth:%Y%m%d}{order:03d}"
    return first + person_check(first)


def another_check(number: str, rng: np.random.Generator, characters: str) -> str:
    """Give ``number`` with another last character."""
    others = [c for c in characters if c != number[-1]]
    return number[:-1] + others[int(rng.integers(len(others)))]


def mistyped(number: str, rng: np.random.Generator, characters: str, places: range) -> str:
    """Give ``number`` with one character of ``places`` mistyped, so that its check no longer fits."""
    at = int(rng.integers(places.start, places.stop))
    others = [c for c in characters if c != number[at]]
    return number[:at] + others[int(rng.integers(len(others)))] + number[at + 1 :]
