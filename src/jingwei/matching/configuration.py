"""What is to be matched, and how: a document that a person reads and writes (TOML).

```toml
title = { zh = "户籍与就诊登记", en = "Residents and patients" }
blocks = [["identity"], ["name", "birth"], ["phone"]]   # candidates agree in all fields of one of these
sure = 0.99                                             # linked from this probability
review = 0.5                                            # shown to a reviewer from this one
once = true                                             # a record has at most one counterpart

[[table]]
dataset = "residents"
key = "编号"
fields = { name = "姓名", identity = "身份证号", birth = "出生日期", phone = "手机", address = "住址" }

[[table]]
dataset = "patients"
key = "就诊卡号"
fields = { name = "姓名", identity = "证件号码", birth = "出生", phone = "电话" }

[field.birth]
kind = "date"
authority = ["residents"]                               # whose value holds where they differ
```
"""

from __future__ import annotations

import tomllib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from jingwei.errors import BadRequestError
from jingwei.words import Text

Kind = Literal["name", "title", "identity", "date", "phone", "address", "exact"]
"""Of a field: a person's name, an organisation's, an identifying number, and so on."""

NAME = r"^[a-z][a-z0-9_]{0,39}$"
DATASET = r"^[a-z][a-z0-9_]{0,59}$"
USUAL: dict[str, Kind] = {
    "name": "name",
    "legal_person": "name",
    "title": "title",
    "identity": "identity",
    "credit_code": "identity",
    "licence": "identity",
    "birth": "date",
    "founded": "date",
    "phone": "phone",
    "mobile": "phone",
    "address": "address",
}
"""The kind of a field of this name, where none is said."""
USUAL_BLOCKS = (
    ("identity",),
    ("credit_code",),
    ("licence",),
    ("name", "birth"),
    ("phone",),
    ("mobile",),
    ("birth", "address"),
    ("title",),
    ("legal_person", "address"),
    ("legal_person", "founded"),
)


class BadConfigurationError(BadRequestError):
    """The document does not say what is to be matched."""

    code = "matching-invalid"


class Table(BaseModel):
    """A dataset that takes part: its key, and which of its columns is which field."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = Field(pattern=DATASET)
    key: str = Field(min_length=1, max_length=200)
    fields: dict[str, str] = Field(min_length=1, max_length=20)


class FieldRule(BaseModel):
    """How a field is compared, and which datasets hold what is authoritative, the first of them first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind | None = None
    authority: list[str] = Field(default_factory=list, max_length=10)


class Title(BaseModel):
    """A title in both languages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str = Field(min_length=1, max_length=120)
    en: str = Field(default="", max_length=120)


class Configuration(BaseModel):
    """What is to be matched, and how."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Title
    table: list[Table] = Field(min_length=1, max_length=6)
    field: dict[str, FieldRule] = Field(default_factory=dict)
    blocks: list[list[str]] = Field(default_factory=list, max_length=12)
    sure: float = Field(default=0.99, ge=0.5, lt=1)
    review: float = Field(default=0.5, ge=0.01, lt=1)
    once: bool = True

    @model_validator(mode="after")
    def _is_whole(self) -> Configuration:
        names = [one.dataset for one in self.table]
        if len(set(names)) < len(names):
            raise PydanticCustomError("twice", "a dataset stands there twice")
        known = {field for one in self.table for field in one.fields}
        bad = sorted(name for name in known if not name.isascii() or not name.isidentifier())
        if bad:
            raise PydanticCustomError(
                "badly_named", "wrong names of fields: {names}", {"names": ", ".join(bad)}
            )
        used = {name for block in self.blocks for name in block} | set(self.field)
        if used - known:
            names_ = ", ".join(sorted(used - known))
            raise PydanticCustomError("no_field", "no table has the field {names}", {"names": names_})
        heard = {name for rule in self.field.values() for name in rule.authority}
        if heard - set(names):
            names_ = ", ".join(sorted(heard - set(names)))
            raise PydanticCustomError("no_table", "no table is {names}", {"names": names_})
        if self.review > self.sure:
            raise PydanticCustomError("review_above_sure", "`review` is at most `sure`")
        if len(self.shared) < 2:
            raise PydanticCustomError(
                "too_few", "at least two fields have to be in two tables, or in the one"
            )
        if not self.blocked:
            raise PydanticCustomError("no_blocks", "say `blocks`: in which fields candidates agree")
        return self

    @property
    def shared(self) -> list[str]:
        """Return the fields that can be compared, in the order in which they are named."""
        least = min(2, len(self.table))
        count: dict[str, int] = {}
        for one in self.table:
            for field in one.fields:
                count[field] = count.get(field, 0) + 1
        return [field for field, tables in count.items() if tables >= least]

    @property
    def blocked(self) -> list[list[str]]:
        """Return the fields in which candidates agree: as said, or as is usual for the fields there are."""
        shared = set(self.shared)
        asked = self.blocks or [list(block) for block in USUAL_BLOCKS]
        return [block for block in asked if block and set(block) <= shared]

    def kind(self, field: str) -> Kind:
        """Return the kind of a field."""
        rule = self.field.get(field)
        return (rule.kind if rule else None) or USUAL.get(field, "exact")

    def authority(self, field: str, datasets: list[str]) -> str | None:
        """Return which of some datasets holds the authoritative value of a field; `None` if none is said."""
        rule = self.field.get(field)
        order = rule.authority if rule else []
        return next((name for name in order if name in datasets), None)


def read_configuration(text: str) -> Configuration:
    """Read a configuration.

    Raises
    ------
    BadConfigurationError
        Naming what is wrong and where.

    """
    try:
        return Configuration.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadConfigurationError(
            Text(f"不是 TOML：{error}", f"This is no TOML: {error}"),
            mend=Text("请按文档中的样例书写。", "Write it as in the example of the documentation."),
        ) from error
    except ValidationError as error:
        zh, en = ([_told(one, language) for one in error.errors()] for language in ("zh", "en"))
        raise BadConfigurationError(
            Text("比对配置有误：" + "；".join(zh), "The configuration is wrong: " + "; ".join(en)),
            mend=Text("请按文档中的样例书写。", "Write it as in the example of the documentation."),
            where={"fields": [".".join(map(str, one["loc"])) for one in error.errors()]},
        ) from error


_CHINESE = {
    "missing": "缺少",
    "extra_forbidden": "没有这个键",
    "string_too_short": "不能为空",
    "string_pattern_mismatch": "只能用小写字母、数字和 _",
    "literal_error": "没有这一种",
    "too_short": "太少",
    "too_long": "太多",
    "twice": "同一数据集写了两次",
    "badly_named": "字段名只能用小写字母、数字和 _：{names}",
    "no_field": "没有哪张表有字段 {names}",
    "no_table": "没有名为 {names} 的表",
    "review_above_sure": "review 不能大于 sure",
    "too_few": "至少要有两个字段能够比较",
    "no_blocks": "请写 blocks：候选在哪些字段上相同",
}
"""What is wrong, by the type of the fault; others are told as the library says them."""


def _told(error: Any, language: str) -> str:
    place = ".".join(str(part) for part in error["loc"])
    said = error["msg"]
    if language == "zh":
        said = _CHINESE.get(error["type"], "值不合要求").format(**error.get("ctx", {}))
    return f"{place}: {said}" if place else str(said)
