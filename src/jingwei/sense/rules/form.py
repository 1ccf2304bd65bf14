"""What a rule says, in a form that people read and records keep."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from jingwei.errors import BadRequestError
from jingwei.words import Text

Kind = Literal["above", "below", "rising", "falling", "frozen", "silent"]
Presence = Literal["has", "lacks"]
Together = Literal["stream", "thing", "zone"]
Severity = Literal["notice", "warning", "alarm"]
SEVERITIES: tuple[Severity, ...] = ("notice", "warning", "alarm")
"""From the least to the gravest."""
Seconds = Annotated[float, Meta(ge=0, le=366 * 86_400)]
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Words = Annotated[str, Meta(min_length=1, max_length=200)]


class Sign(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True, omit_defaults=True):
    """What is looked for in the readings of one stream.

    Attributes
    ----------
    observes, unit
        Name of the observed property, and symbol of the unit; any unit where it is left out.
    kind
        `above` and `below` a value; `rising` and `falling` by so much an hour between two readings that
        follow each other; `frozen`, the result does not differ by more than `tolerance` for `seconds`;
        `silent`, no reading for `seconds`.
    value, until
        From which value on the sign is there, that value included, and up to which it stays, that one not
        included. Without `until` it goes where it came.
    seconds
        For how long it must be so without a break, by the times of the readings.
    gap
        Of `rising` and `falling`: two readings further apart say nothing.
    least
        In how many streams of the group it must be there.

    """

    observes: Annotated[str, Meta(min_length=1, max_length=400)]
    kind: Kind
    unit: Annotated[str, Meta(max_length=60)] | None = None
    value: float | None = None
    until: float | None = None
    seconds: Seconds = 0.0
    gap: Seconds = 7200.0
    tolerance: Annotated[float, Meta(ge=0)] = 0.0
    least: Annotated[int, Meta(ge=1, le=10_000)] = 1


class DatasetSign(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True, omit_defaults=True):
    """What must be so in a dataset of the lake at the place where signs are there.

    Attributes
    ----------
    dataset
        Of the lake, with a place in each row.
    kind
        `has`: there are at least `count` rows; `lacks`: there are fewer.
    where
        Only rows of which this condition on their columns is true, see `jingwei.lake.filters`.
    metres
        Only rows so near to the place. Without it those in the same cell: the zone, or the cell of `level`
        in which the sensor stands.
    valid
        Only rows whose interval of time holds the moment in question.

    """

    dataset: Annotated[str, Meta(min_length=1, max_length=100)]
    kind: Presence = "has"
    where: Annotated[str, Meta(min_length=1, max_length=2_000)] | None = None
    metres: Annotated[float, Meta(gt=0, le=20_000)] | None = None
    valid: bool = False
    count: Annotated[int, Meta(ge=1, le=100_000)] = 1


class Quiet(Struct, forbid_unknown_fields=True, frozen=True, rename={"since": "from", "until": "to"}):
    """Hours of the city's clock in which nobody is called: from, to (past midnight where it is earlier).

    `days` are those on which they begin, 1 is Monday; every day where it is left out.
    """

    since: Clock
    until: Clock
    days: Annotated[list[Annotated[int, Meta(ge=1, le=7)]], Meta(max_length=7)] = []


class Escalation(Struct, forbid_unknown_fields=True, frozen=True):
    """Whom it goes to if it still lasts after so many minutes."""

    minutes: Annotated[float, Meta(gt=0, le=100_000)]
    to: Words


class Downstream(
    Struct,
    forbid_unknown_fields=True,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"upper": "from", "lower": "to"},
):
    """A network that takes on what a rule finds: what lies downstream of the sensors is in the same state.

    Attributes
    ----------
    dataset
        Of the lake, with a line in each row.
    metres
        How far along the network.
    upper, lower
        Columns (`from`, `to`) with the nodes between which each line flows. Without them lines are drawn
        in the direction of flow, and ends that touch are one node.
    near
        A sensor farther than so many metres from every line is not on the network.

    """

    dataset: Annotated[str, Meta(min_length=1, max_length=100)]
    metres: Annotated[float, Meta(gt=0, le=20_000)]
    upper: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    lower: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    near: Annotated[float, Meta(gt=0, le=500)] = 30.0


class Rule(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True, omit_defaults=True):
    """A rule: what must be there together in readings and in datasets, and what is then said.

    Attributes
    ----------
    zh, en
        Its title.
    signs
        All must be there.
    datasets
        All must be so there, too.
    together
        Where: in one stream, in the streams of one thing, or in one zone of `level` (GeoSOT).
    within
        Only streams in one of these cells.
    spread
        To how many rings of cells around it the state of a cell goes over.
    downstream
        The network over which it goes to what lies downstream of the sensors.
    cause
        What is raised by rules of one cause within minutes is one event; without it, what is raised near by
        or on one branch of a network.

    """

    zh: Words
    en: Words
    signs: Annotated[list[Sign], Meta(min_length=1, max_length=8)]
    datasets: Annotated[list[DatasetSign], Meta(max_length=4)] = []
    together: Together = "stream"
    level: Annotated[int, Meta(ge=1, le=32)] = 17
    within: Annotated[list[Annotated[str, Meta(max_length=60)]], Meta(max_length=100)] = []
    severity: Severity = "warning"
    spread: Annotated[int, Meta(ge=0, le=3)] = 0
    downstream: Downstream | None = None
    cause: Annotated[str, Meta(max_length=60)] = ""
    quiet: Annotated[list[Quiet], Meta(max_length=14)] = []
    escalation: Annotated[list[Escalation], Meta(max_length=10)] = []


class BadRuleError(BadRequestError):
    """A rule does not say what rules say."""

    code = "sense-rule-invalid"


def rule_of(body: Any) -> Rule:
    """Return what a body says.

    Raises
    ------
    BadRuleError
        With where it is wrong.

    """
    try:
        rule = msgspec.convert(body, Rule)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        field = where.strip("`").removeprefix("$").lstrip(".") or "rule"
        raise _wrong(
            field, Text(f"规则的这一部分无法理解：{what}", f"This part of the rule: {what}")
        ) from None
    _check(rule)
    return rule


def written(rule: Rule) -> dict[str, Any]:
    """Return a rule as records keep it."""
    found: dict[str, Any] = msgspec.to_builtins(rule)
    return found


def _check(rule: Rule) -> None:
    if rule.together == "stream" and (len(rule.signs) > 1 or rule.signs[0].least > 1):
        raise _wrong(
            "together",
            Text(
                "在单一数据流中只能有一个征兆。请改为 thing 或 zone。",
                "One stream shows one sign only. Look for them together in a `thing` or a `zone`.",
            ),
        )
    way = rule.downstream
    if way is not None and (way.upper is None) != (way.lower is None):
        raise _wrong(
            "downstream.to" if way.lower is None else "downstream.from",
            Text(
                "上游节点列和下游节点列须一起给出。",
                "Name both columns of nodes, `from` and `to`, or neither.",
            ),
        )
    for number, sign in enumerate(rule.signs):
        _check_sign(sign, f"signs[{number}]")


def _check_sign(sign: Sign, where: str) -> None:
    if sign.kind in ("frozen", "silent"):
        if sign.value is not None or sign.until is not None:
            raise _wrong(
                f"{where}.value",
                Text("卡死和静默没有数值。", "What is frozen or silent has no value; say `seconds`."),
            )
        if sign.seconds <= 0:
            raise _wrong(f"{where}.seconds", Text("请说明多少秒。", "Say for how many seconds."))
        return
    if sign.value is None:
        raise _wrong(f"{where}.value", Text("请给出数值。", "Say from which value on."))
    upward = sign.kind != "below"
    if sign.until is not None and (sign.until > sign.value if upward else sign.until < sign.value):
        raise _wrong(
            f"{where}.until",
            Text(
                "解除值不能比触发值更难达到。",
                "It would go before it came: `until` lies on the other side of `value`.",
            ),
        )


def _wrong(where: str, what: Text) -> BadRuleError:
    return BadRuleError(what, where={"field": re.sub(r"[^\w.\[\]]", "", where)})
