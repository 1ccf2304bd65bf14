"""Text in the city's two languages, and the choice between them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]

LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """The same thing said in Chinese and in English; an empty English text falls back to Chinese."""

    zh: str
    en: str = ""

    def in_language(self, language: Language) -> str:
        """Return the text in `language`, or in the other one where this one is empty."""
        first, second = (self.zh, self.en) if language == "zh" else (self.en, self.zh)
        return first or second

    def as_json(self) -> dict[str, str]:
        """Return `{"zh": ..., "en": ...}`, the form in which texts travel."""
        return {"zh": self.zh, "en": self.en or self.zh}

    def __str__(self) -> str:
        return self.in_language(language_of_locale())


def language_of_locale() -> Language:
    """Return the language of this process by `JINGWEI_LANG`, `LC_ALL`, `LC_MESSAGES` or `LANG`."""
    for name in ("JINGWEI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def language_of_header(accept_language: str | None) -> Language:
    """Return the language that an `Accept-Language` header (RFC 9110, 12.5.4) prefers; Chinese if silent."""
    best: Language = "zh"
    best_weight = 0.0
    for part in (accept_language or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        weight = 1.0
        if parameters.strip().startswith("q="):
            try:
                weight = float(parameters.strip()[2:])
            except ValueError:
                weight = 0.0
        primary = tag.split("-")[0].lower()
        if primary in LANGUAGES and weight > best_weight:
            best, best_weight = ("zh" if primary == "zh" else "en"), weight
    return best
