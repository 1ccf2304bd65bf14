"""Passwords: what makes a good one, and how they are kept (argon2id, RFC 9106)."""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from jingwei.access.errors import WeakPasswordError
from jingwei.words import Text

SHORTEST = 10
LONGEST = 256
"""Longer ones are refused before they are hashed: hashing costs time by design."""

_AT_ONCE = threading.BoundedSemaphore(4)
"""Each hash takes 64 MiB by design: a crowd at the door waits instead of filling the memory."""

_COMMON = frozenset(
    """
    password passwd pass admin administrator root guest user test welcome login master system manager secret
    qwerty qwertyuiop qwert asdf asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc qweasd qweasdzxc wasd
    iloveyou letmein dragon monkey sunshine princess football baseball superman batman shadow michael
    jordan hello freedom whatever trustno changeme default temp abc abcd abcde abcdef abcdefg aaa
    woaini woaiwojia wodemima mima mimamima nihao nihaoma zhongguo beijing shanghai shenzhen
    guangzhou hangzhou wuhan chengdu tianjin chongqing zhang wang liu chen yang zhao huang zhou
    jingwei city cityos smartcity chengshi chengshidanao danao zhihuichengshi
    """.split()  # noqa: SIM905 - a hundred words read better as words
)
"""Words that by themselves, with digits or signs around them, are the first to be tried."""

_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb",
)
_SUBSTITUTED = str.maketrans("@$!013457", "asioleast")


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobody() -> str:
    """A hash to check against where there is no account, so that this takes as long."""
    return _hasher().hash("nobody has this password")


def check_strength(password: str, *about: str) -> None:
    """Raise unless a password is good enough.

    Parameters
    ----------
    password
        What the person chose.
    about
        What anyone knows about the person: the name to sign in with, the name.

    Raises
    ------
    WeakPasswordError
        Saying why.

    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPasswordError(
            Text(
                f"密码长度须为 {SHORTEST} 至 {LONGEST} 个字符",
                f"a password has {SHORTEST} to {LONGEST} characters.",
            )
        )
    plain = password.lower()
    if len(set(plain)) < 5:
        raise WeakPasswordError(Text("密码中重复字符过多", "the password repeats too few characters."))
    if any(len(word) >= 3 and word.lower() in plain for word in about):
        raise WeakPasswordError(Text("密码中不得包含姓名或用户名", "the password contains the name."))
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    words = {re.sub(r"[^a-z]", "", word) for word in (plain, core, core.translate(_SUBSTITUTED))}
    if words & _COMMON or _is_run(plain):
        raise WeakPasswordError(
            Text("密码过于常见，容易被猜中", "the password is one of the first to be guessed.")
        )


def _is_run(plain: str) -> bool:
    """Say whether three quarters of a password walk along the alphabet, the digits or the keyboard."""
    steps = {row[i : i + 2] for row in _ROWS for i in range(len(row) - 1)}
    steps |= {step[::-1] for step in steps} | {c * 2 for c in plain}
    walked = sum(plain[i : i + 2] in steps for i in range(len(plain) - 1))
    return walked >= 0.75 * (len(plain) - 1)


def hash_password(password: str) -> str:
    """Return what is kept of a password."""
    with _AT_ONCE:
        return _hasher().hash(unicodedata.normalize("NFKC", password))


def is_password(password: str, kept: str | None) -> bool:
    """Say whether `password` is the one of which `kept` is kept; takes as long where there is none."""
    try:
        with _AT_ONCE:
            right = _hasher().verify(
                kept or _nobody(), unicodedata.normalize("NFKC", password[: LONGEST + 1])
            )
    except (VerificationError, InvalidHashError):
        return False
    return right and kept is not None
