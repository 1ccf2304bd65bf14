"""The versions of datasets that held at the times of a trial: a rule on history asks what was known then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jingwei.errors import BadRequestError
from jingwei.sense.rules.form import BadRuleError
from jingwei.sense.series import micros_of
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from jingwei.access import Asker
    from jingwei.lake import Version
    from jingwei.sense.rules.form import Rule
    from jingwei.sense.rules.grounds import Grounds, Held

MOST_SPANS = 100
"""Versions of one dataset that a trial goes through at most."""


@dataclass(frozen=True, slots=True)
class Used:
    """Which version of a dataset a trial asked, from when to when (UTC microseconds).

    Attributes
    ----------
    assumed
        Whether no version of that time is there, or none that is kept: it is then the nearest that is kept.
    trouble
        Why it could not be asked; the rule then begins nowhere.

    """

    dataset: str
    title: Text
    version: int
    published: datetime
    since: int
    until: int
    assumed: bool
    trouble: Text | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a period in which the datasets of a rule stay the same; `held` is None where one fails."""

    since: int
    until: int
    held: list[Held] | None


def spans(
    grounds: Grounds, asker: Asker, rule: Rule, since: int, until: int
) -> tuple[list[Span], list[Used]]:
    """Return the parts of a period, and which versions they ask, as an asker may read them.

    Parameters
    ----------
    grounds, asker, rule
        The rows of the lake, who asks, and the rule.
    since, until
        UTC microseconds.

    Raises
    ------
    BadRuleError, BadRequestError
        Where a dataset has no version that is kept, or too many in the period.

    """
    used: list[Used] = []
    numbers: dict[str, list[Used]] = {}
    for at, sign in enumerate(rule.datasets):
        if sign.dataset not in numbers:
            parts = list(_parts(grounds, asker, sign.dataset, at, since, until))
            numbers[sign.dataset] = parts
            used += parts
    troubles: dict[tuple[str, int], Text] = {}
    found = []
    cuts = sorted({one.since for one in used})
    for begin, end in zip(cuts, [*cuts[1:], until], strict=True):
        held: list[Held] = []
        for at, sign in enumerate(rule.datasets):
            now = next(one for one in numbers[sign.dataset] if one.since <= begin < one.until)
            try:
                held.append(grounds.held(asker, rule, at, now.version))
            except BadRuleError as error:
                troubles[sign.dataset, now.version] = error.what
                break
        found.append(Span(begin, end, held if len(held) == len(rule.datasets) else None))
    return found, [replace(one, trouble=troubles.get((one.dataset, one.version))) for one in used]


def _parts(grounds: Grounds, asker: Asker, dataset: str, at: int, since: int, until: int) -> Iterator[Used]:
    """Return which version of a dataset answers in which part of a period, without gaps."""
    versions = sorted(grounds.versions(asker, dataset), key=lambda one: one.number)
    kept = [one for one in versions if one.dropped is None]
    if not kept:
        raise BadRuleError(
            Text(f"数据集 {dataset} 没有保留的版本。", f"No version of the dataset {dataset} is kept."),
            where={"field": f"datasets[{at}].dataset"},
        )
    title = grounds.title(asker, dataset) or Text(dataset)
    inside = [one for one in versions if since < micros_of(one.published) < until]
    if len(inside) > MOST_SPANS:
        raise BadRequestError(
            Text(
                f"数据集 {dataset} 在这段时间有 {len(inside)} 个版本，太多了。",
                f"The dataset {dataset} has {len(inside)} versions in this period.",
            ),
            mend=Text("请缩短时段。", "Choose a shorter one."),
            where={"field": "since"},
        )
    begins = [since, *(micros_of(one.published) for one in inside)]
    earlier = [one for one in versions if micros_of(one.published) <= since]
    then: list[Version | None] = [earlier[-1] if earlier else None, *inside]
    for begin, end, version in zip(begins, [*begins[1:], until], then, strict=True):
        if begin < end:
            assumed = version is None or version.dropped is not None
            number = version.number if version is not None else 0
            asked = next((one for one in kept if one.number >= number), kept[-1])
            yield Used(dataset, title, asked.number, asked.published, begin, end, assumed)
