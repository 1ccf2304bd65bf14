"""Formulas of indicators and rates in words: the conditions that are counted, said in Chinese and English."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.cases.indicators import Indicator

About = Literal["cases", "calls"]
HOURS = 3_600_000_000
"""Microseconds: what is measured over this is told in hours."""
_COUNTED = {"cases": Text("案件数", "cases"), "calls": Text("来电数", "calls")}
_LOGIC = {"AND": Text("且", "and"), "OR": Text("或", "or"), "NOT": Text("非", "not")}


@cache
def _words(about: About) -> tuple[re.Pattern[str], dict[str, Text]]:
    """Return the pattern of what can be said, the longest first, and how it is said."""
    table = json.loads((files("jingwei.cases") / "data" / "formula_words.json").read_text("utf-8"))
    words = {said: Text(zh, en) for said, zh, en in table[about]} | _LOGIC
    longest = "|".join(re.escape(said) for said in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{longest})(?!\w)"), words


def in_words(indicator: Indicator, about: About) -> Text:
    """Return the formula of an indicator in words: the same conditions as `Indicator.formula`.

    Parameters
    ----------
    indicator
        What is counted; one that waits for data has no formula.
    about
        Whether cases are counted, or calls.

    """
    if not indicator.rows:
        return Text("")
    return Text(*(_formula(indicator, about, language) for language in ("zh", "en")))


def _formula(indicator: Indicator, about: About, language: Literal["zh", "en"]) -> str:
    pattern, words = _words(about)

    def say(condition: str) -> str:
        return pattern.sub(lambda found: words[found[0]].in_language(language), condition)

    counted = _COUNTED[about].in_language(language)
    zh = language == "zh"

    def those(condition: str) -> str:
        return f"{counted}（{say(condition)}）" if zh else f"{counted} ({say(condition)})"

    above = those(indicator.rows)
    if indicator.measure:
        what = say(indicator.measure)
        hours = ("（小时）" if zh else " in hours") if indicator.scale == HOURS else ""
        above = f"{what}合计{hours}，{above}" if zh else f"sum of {what}{hours}, {above}"
    return f"{above} ÷ {those(indicator.of)}" if indicator.of else above
