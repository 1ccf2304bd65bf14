"""Answers that staff give again and again: in both languages, offered where a reporter will read them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import msgspec

from jingwei.cases.errors import BadFieldError
from jingwei.cases.lifecycle import TRANSITIONS
from jingwei.cases.words import check_words
from jingwei.words import Text

HOTLINE = {
    "hotline_answer": Text("热线直接答复", "answer of the hotline at once"),
    "hotline_reply": Text("告知诉求人", "reply to who called"),
}
"""Where the hotline answers."""
STEPS = ("verify", "reject", "cancel", "suspend", "close", "approve_close", "publish")
"""Steps of a case whose words its reporter is shown."""
PLACES: dict[str, Text] = {one: TRANSITIONS[one].says for one in STEPS} | HOTLINE
"""Where answers are offered."""
FIELDS = ("number", "type", "office")
"""What an answer can name of its case: its number, its type, the office in charge."""
MOST, LONGEST, LONGEST_TITLE = 100, 1000, 40
_KEY = re.compile(r"[a-z][a-z0-9_]{0,29}")
_FIELD = re.compile(r"\{(" + "|".join(FIELDS) + r")\}")


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An answer: what staff find it by, what it says, and where it is offered (of `PLACES`)."""

    key: str
    title_zh: str
    title_en: str
    zh: str
    en: str
    places: tuple[str, ...]


@cache
def usual() -> tuple[Answer, ...]:
    """Return the answers that are offered where a city decided nothing."""
    told = json.loads((files("jingwei.cases") / "data" / "answers.json").read_text("utf-8"))
    return tuple(msgspec.convert(told["answers"], list[Answer]))


def check(answers: Sequence[Answer]) -> None:
    """Raise `BadFieldError` unless each says something in both languages, and is offered somewhere."""
    keys = [one.key for one in answers]
    if len(keys) > MOST or len(set(keys)) != len(keys) or not all(map(_KEY.fullmatch, keys)):
        raise BadFieldError(
            "answers",
            Text(
                f"至多 {MOST} 条，键为小写字母、数字和下划线且不重复",
                f"at most {MOST}, with different keys of small letters, digits and underscores.",
            ),
        )
    for one in answers:
        _check(one)


def _check(one: Answer) -> None:
    for name, longest in (
        ("title_zh", LONGEST_TITLE), ("title_en", LONGEST_TITLE), ("zh", LONGEST), ("en", LONGEST),
    ):  # fmt: skip
        text = check_words("words", getattr(one, name))
        where = f"answers.{one.key}.{name}"
        if not 0 < len(text) <= longest:
            raise BadFieldError(
                where, Text(f"{where}：1 至 {longest} 字", f"{where}: 1 to {longest} characters.")
            )
        if any(mark in _FIELD.sub("", text) for mark in "{}"):
            listed = ", ".join(f"{{{field}}}" for field in FIELDS)
            raise BadFieldError(
                where,
                Text(f"{where}：花括号内只能是 {listed}", f"{where}: braces hold one of {listed} alone."),
            )
    if not one.places or not set(one.places) <= PLACES.keys():
        where = f"answers.{one.key}.places"
        raise BadFieldError(
            where,
            Text(
                f"{where}：请选择用在哪些步骤",
                f"{where}: say at which known steps it is offered.",
            ),
        )
