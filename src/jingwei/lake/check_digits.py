"""Check digits of Chinese numbers, as DuckDB expressions that are true where a number is wrong.

Sources: GB 11643-1999 (identity number, ISO 7064 MOD 11-2), GB 32100-2015 (social credit code, MOD 31).
"""

from __future__ import annotations

IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
IDENTITY_CHECKS = "10X98765432"
LATEST_BIRTH = "current_date + 1"
"""Who is born today east of Greenwich may be born tomorrow by UTC."""
CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))


def wrong_identity_number(text: str) -> str:
    """Return the condition that `text`, a column or expression, is no identity number of 18 characters."""
    shape = r"^[1-9]\d{5}(18|19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dXx]$"
    total = _sum(text, IDENTITY_WEIGHTS, "ascii(substr({text}, {place}, 1)) - 48")
    check = f"substr('{IDENTITY_CHECKS}', ({total}) % 11 + 1, 1)"
    return (
        f"CASE WHEN NOT regexp_matches({text}, '{shape}') THEN TRUE "
        f"WHEN coalesce(try_strptime(substr({text}, 7, 8), '%Y%m%d') > {LATEST_BIRTH}, TRUE) THEN TRUE "
        f"ELSE {check} <> upper(substr({text}, 18, 1)) END"
    )


def wrong_credit_code(text: str) -> str:
    """Return the condition that `text`, a column or expression, is no unified social credit code."""
    shape = f"^[1-9A-HJ-NPQRTUWXY][1-9][0-9]{{6}}[{CREDIT_ALPHABET}]{{10}}$"
    total = _sum(text, CREDIT_WEIGHTS, f"strpos('{CREDIT_ALPHABET}', substr({{text}}, {{place}}, 1)) - 1")
    check = f"substr('{CREDIT_ALPHABET}', (31 - ({total}) % 31) % 31 + 1, 1)"
    return (
        f"CASE WHEN NOT regexp_matches({text}, '{shape}') THEN TRUE ELSE {check} <> substr({text}, 18, 1) END"
    )


def _sum(text: str, weights: tuple[int, ...], value: str) -> str:
    return " + ".join(
        f"{weight} * ({value.format(text=text, place=place)})"
        for place, weight in enumerate(weights, start=1)
    )
