"""What a dataset is agreed to hold: its fields, their values, and the rules that its rows obey.

A contract is plain data that a person edits on a page. `jingwei.lake.odcs` writes it as an Open Data Contract
Standard 3.1 document and reads one; `jingwei.lake.checking` compiles it to SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from jingwei.errors import BadRequestError
from jingwei.words import Text

Name = Annotated[str, Field(min_length=1, max_length=200)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
FieldType = Literal["text", "integer", "number", "date", "time", "boolean", "geometry"]
Format = Literal["credit_code", "identity_number", "mobile", "division_code"]
Severity = Literal["error", "warning"]

FORMATS: dict[str, Text] = {
    "credit_code": Text("统一社会信用代码（GB 32100）", "unified social credit code (GB 32100)"),
    "identity_number": Text("公民身份号码（GB 11643）", "citizen identity number (GB 11643)"),
    "mobile": Text("手机号码", "mobile telephone number"),
    "division_code": Text("行政区划代码（GB/T 2260、GB/T 10114）", "division code (GB/T 2260, GB/T 10114)"),
}
DIMENSIONS: dict[str, Text] = {
    "normative": Text("规范性", "conformity"),
    "complete": Text("完整性", "completeness"),
    "accurate": Text("准确性", "accuracy"),
    "consistent": Text("一致性", "consistency"),
    "timely": Text("时效性", "timeliness"),
}
"""The indicators of GB/T 36344-2018 that can be counted in a table."""


class Part(BaseModel):
    """A part of a contract: unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldTerms(Part):
    """What one field holds.

    Attributes
    ----------
    placeholders
        Values that stand for a missing one (`-1`, `无`); each such row is a finding.
    least, most
        Bounds of its numbers, dates or times, both included; dates as ISO 8601.
    """

    name: Name
    title: str = Field(default="", max_length=200)
    type: FieldType = "text"
    required: bool = False
    unique: bool = False
    codes: list[str] = Field(default_factory=list, max_length=2_000)
    placeholders: list[str] = Field(default_factory=list, max_length=50)
    least: float | str | None = None
    most: float | str | None = None
    longest: int | None = Field(default=None, ge=1)
    pattern: str | None = Field(default=None, max_length=500)
    format: Format | None = None
    level: int | None = Field(default=None, ge=1, le=4)
    personal: bool | None = None
    severity: Severity = "error"


class _Rule(Part):
    """What all rules on rows or on a whole version share."""

    says: str = Field(default="", max_length=400, description="The rule in a person's words")
    severity: Severity = "error"


class Repeated(_Rule):
    """No row repeats another in all of some columns (all of them, if none are named)."""

    kind: Literal["repeated"] = "repeated"
    columns: list[Name] = Field(default_factory=list, max_length=50)


class Alike(_Rule):
    """No two rows are alike: texts that say the same in other words, of things near each other.

    Attributes
    ----------
    metres
        How near their places are, where the dataset has places.
    at, minutes
        A column of times, and how far these may lie apart.
    holds
        Whether a text that holds the other one whole says the same, too: a greeting before it, a province
        left out.
    """

    kind: Literal["alike"] = "alike"
    columns: list[Name] = Field(min_length=1, max_length=5)
    likeness: float = Field(default=0.9, ge=0.6, le=1.0)
    metres: float = Field(default=200.0, gt=0, le=5_000)
    at: Name | None = None
    minutes: float = Field(default=60.0, gt=0, le=525_600)
    holds: bool = False
    severity: Severity = "warning"


class Reference(_Rule):
    """What a column names is there in another dataset."""

    kind: Literal["reference"] = "reference"
    column: Name
    dataset: Identifier
    to: Name


class InForce(_Rule):
    """A code is one that was in force on the row's own date, by a table of codes with their periods."""

    kind: Literal["in-force"] = "in-force"
    column: Name
    date: Name
    dataset: Identifier
    code: Name
    since: Name | None = None
    until: Name | None = None


class Inside(_Rule):
    """Places lie inside the city, or inside areas of a dataset."""

    kind: Literal["inside"] = "inside"
    role: str = ""
    dataset: Identifier | None = None


class OnePlace(_Rule):
    """No more than so many rows (or different values of a column) lie at exactly one point or address."""

    kind: Literal["one-place"] = "one-place"
    columns: list[Name] = Field(default_factory=list, max_length=5)
    of: Name | None = None
    most: int = Field(default=20, ge=1)


class Never(_Rule):
    """A combination that cannot be: no row meets the condition."""

    kind: Literal["never"] = "never"
    where: str = Field(min_length=1, max_length=2_000)


class Order(_Rule):
    """One time does not lie before another, nor later than so many hours after it."""

    kind: Literal["order"] = "order"
    first: Name
    second: Name
    most_hours: float | None = Field(default=None, gt=0)


class Stale(_Rule):
    """What a date column says is not older than so many days, or than a day."""

    kind: Literal["stale"] = "stale"
    column: Name
    days: int | None = Field(default=None, ge=1)
    since: str | None = Field(default=None, max_length=40)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.days is None) == (self.since is None):
            msg = "either days or since"
            raise ValueError(msg)
        return self


class InNumber(_Rule):
    """What an identity number (GB 11643) tells of its holder stands in another column as well."""

    kind: Literal["in-number"] = "in-number"
    number: Name
    tells: Literal["birth", "sex"]
    column: Name


class Age(_Rule):
    """An age is that of its birthday, in whole years on a day: a column's, or today."""

    kind: Literal["age"] = "age"
    age: Name
    birth: Name
    on: Name | None = None


class Fresh(_Rule):
    """The newest fact is at most so many days older than the version."""

    kind: Literal["fresh"] = "fresh"
    days: float = Field(gt=0)


class Change(_Rule):
    """Against the last version, neither rows nor empty values of a column change by more than this share."""

    kind: Literal["change"] = "change"
    share: float = Field(default=0.2, gt=0, le=10)
    severity: Severity = "warning"


Rule = Annotated[
    Repeated
    | Alike
    | Reference
    | InForce
    | Inside
    | OnePlace
    | Never
    | Order
    | Stale
    | InNumber
    | Age
    | Fresh
    | Change,
    Field(discriminator="kind"),
]


class Contract(Part):
    """What a dataset is agreed to hold.

    Attributes
    ----------
    gate
        The score (0 to 100) below which a version is not published; `None` for no gate.
    deadline_days
        Working time that its department gets for corrections.
    retention_days
        How long a version answers after a newer one was published; `None` for ever.

    """

    dataset: Identifier
    title: str = Field(default="", max_length=200)
    purpose: str = Field(default="", max_length=2_000)
    owner: str = Field(default="", max_length=200)
    status: Literal["proposed", "active"] = "proposed"
    fields: list[FieldTerms] = Field(default_factory=list, max_length=2_000)
    rules: list[Rule] = Field(default_factory=list, max_length=200)
    gate: float | None = Field(default=None, ge=0, le=100)
    deadline_days: int = Field(default=10, ge=1, le=365)
    retention_days: int | None = Field(default=None, ge=1, le=36_500)

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        names = [one.name for one in self.fields]
        if len(set(names)) != len(names):
            msg = f"a field is there twice: {next(n for n in names if names.count(n) > 1)}"
            raise ValueError(msg)
        return self


class ContractError(BadRequestError):
    """A contract says what cannot be checked."""

    code = "contract-invalid"

    def __init__(
        self, dataset: str, what: Text, mend: Text | None = None, *, columns: Sequence[str] = ()
    ) -> None:
        super().__init__(
            Text(f"“{dataset}”的数据契约有误：{what.zh}", f"The contract of '{dataset}' is wrong: {what.en}"),
            mend=mend,
            where={"dataset": dataset, **({"field": columns[0]} if columns else {})},
        )
