"""In what words reporters are told something: the usual ones, a city's own, and what they look like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from jingwei.cases import plain
from jingwei.cases.errors import BadFieldError
from jingwei.words import Language, Text

Wish = Literal["received", "progress", "done"]
WISHES: tuple[Wish, ...] = ("received", "progress", "done")
FIELDS = ("city", "number", "type", "happened", "title", "meaning", "office")
"""What messages to reporters can tell."""
LONGEST = 2000
_TOLD = re.compile(r"\{(" + "|".join(FIELDS) + r")\}")
_HAPPENED = {
    "received": ("reported", "reported"),
    "progress": ("dispatched", "handling"),
    "done": ("closed", "closed"),
}
"""For each wish an event and the state after it, by which its words are shown."""


class NoticeWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In what words reporters are told something, in both languages, with `{field}` for what is told.

    Attributes
    ----------
    subject_zh, subject_en, body_zh, body_en
        Of a message.
    short_zh, short_en
        In place of the body where messages are short (SMS, WeChat); the body where they are empty.

    """

    subject_zh: str
    subject_en: str
    body_zh: str
    body_en: str
    short_zh: str = ""
    short_en: str = ""


_OFFICE = Text("市容环卫处", "City Cleaning Office")
USUAL = NoticeWords(
    "{city}：您的上报 {number} {title}",
    "{city}: your report {number}: {title}",
    "您好！\n\n您上报的“{type}”（编号 {number}）有了进展：{happened}。\n"
    "现在：{title}。{meaning}\n办理单位：{office}\n\n"
    "请用上报时得到的链接或查询码查看全部进展；也可在那里改变通知方式。\n此消息由系统发出，请勿回复。\n",
    "Hello,\n\nThere is news of your report “{type}” (number {number}): {happened}.\n"
    "Now: {title}. {meaning}\nOffice: {office}\n\n"
    "See all of it by the link or the code that you were given; there you can also change how you are told.\n"
    "This message was sent by a system; please do not answer it.\n",
)
"""What is said where a city says nothing else."""


def said(
    own: NoticeWords | None, told: Mapping[str, str], language: Language, *, short: bool
) -> tuple[str, str]:
    """Return subject and body of a message.

    Parameters
    ----------
    own
        The city's words; None for the usual ones.
    told
        A text for each of `FIELDS`, in that language.
    short
        Whether it goes by a channel of short messages.

    """
    words = own or USUAL
    subject = Text(words.subject_zh, words.subject_en).in_language(language)
    body = Text(words.body_zh, words.body_en)
    if short:
        body = Text(words.short_zh or words.body_zh, words.short_en or words.body_en)
    return subject.format(**told), body.in_language(language).format(**told)


def shown(wish: Wish, words: NoticeWords, city: Text) -> dict[Language, dict[str, str]]:
    """Return what a message would look like, in each language: `subject`, `body` and `short`.

    Raises
    ------
    BadFieldError
        Where it says nothing in one of the languages, or what cannot be told.

    """
    check(wish, words)
    event, state = _HAPPENED[wish]
    says = plain.says(state)
    found: dict[Language, dict[str, str]] = {}
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:
        told = {
            "city": city.in_language(language), "number": "00000020260101000001",
            "type": Text("暴露垃圾", "exposed rubbish").in_language(language),
            "happened": plain.HAPPENED[event].in_language(language),
            "title": says["title"].in_language(language),
            "meaning": says["meaning"].in_language(language),
            "office": "-" if wish == "received" else _OFFICE.in_language(language),
        }  # fmt: skip
        subject, body = said(words, told, language, short=False)
        _, brief = said(words, told, language, short=True)
        found[language] = {"subject": subject, "body": body, "short": brief}
    return found


def check(wish: str, words: NoticeWords) -> None:
    """Raise `BadFieldError` unless a message says something in both languages, and only what can be told."""
    for name in words.__struct_fields__:
        text: str = getattr(words, name)
        where = f"notices.{wish}.{name}"
        if len(text) > LONGEST or (not text.strip() and not name.startswith("short")):
            raise BadFieldError(
                where, Text(f"{where}：1 至 {LONGEST} 字", f"{where}: 1 to {LONGEST} characters.")
            )
        if any(mark in _TOLD.sub("", text) for mark in "{}") or ("subject" in name and "\n" in text):
            listed = ", ".join(f"{{{one}}}" for one in FIELDS)
            raise BadFieldError(
                where,
                Text(f"{where}：花括号内只能是 {listed}", f"{where}: braces hold one of {listed} alone."),
            )
