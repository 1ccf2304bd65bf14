"""Texts of the city as they travel: both languages, the page chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jingwei.words import Text


class TextOut(BaseModel):
    """The same thing said in Chinese and in English."""

    zh: str
    en: str


def text_or_none(text: Text | None) -> TextOut | None:
    """Return a text as it travels, where there is one."""
    return None if text is None else text_out(text)


def text_out(text: Text | Mapping[str, str]) -> TextOut:
    """Return a text as it travels."""
    return TextOut(**(text if not hasattr(text, "as_json") else text.as_json()))
