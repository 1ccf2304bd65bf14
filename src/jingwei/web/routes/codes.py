"""Codes: convert, explain, draw."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from jingwei.web import problems
from jingwei.web.explain import Explanation, explain
from jingwei.web.policies import open_to_all
from jingwei.web.reader import LanguageOf
from jingwei.web.reading import read_place

router = APIRouter(
    prefix="/codes", tags=["codes"], responses=problems.responses(400), dependencies=[open_to_all()]
)


@router.get(
    "/explain",
    summary="Explain a code or the cell around a pair of coordinates",
)
def explain_code(
    language: LanguageOf,
    q: Annotated[
        str,
        Query(
            min_length=1,
            max_length=120,
            description="A BeiDou or GeoSOT code, a 64-bit integer with its level, or latitude and longitude",
            examples=["N50F0503278214", "G001130230-200011", "22.5431, 114.0579"],
        ),
    ],
    level: Annotated[int | None, Query(ge=0, le=32, description="GeoSOT level for coordinates")] = None,
) -> Explanation:
    """Return both codes of the cell, its size, what each digit says, its parents and neighbours."""
    return explain(read_place(q, level), language)
