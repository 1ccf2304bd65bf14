"""What every part of a manifest is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from jingwei.words import Text

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


class Part(BaseModel):
    """A table of the manifest; keys that it does not know are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Part):
    """A text in Chinese and, if it is known, in English."""

    zh: str = Field(min_length=1, max_length=200)
    en: str = Field(default="", max_length=200)

    @property
    def text(self) -> Text:
        """The text for people."""
        return Text(self.zh, self.en)


class Area(Part):
    """An area taken from another source: all of its shapes, or those whose columns have these values."""

    source: Identifier
    where: dict[str, str] = Field(default_factory=dict)
