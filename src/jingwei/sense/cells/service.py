"""The extended root: SensorThings with cells, for reading; what is written is written at the plain root."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from jingwei.errors import JingweiError
from jingwei.sense.cells.asking import CellAsking
from jingwei.sense.cells.functions import CLASSES, LINKING, SPEC, settings
from jingwei.sense.cells.kinds import CELL
from jingwei.sense.errors import NotOfThisKindError
from jingwei.sense.service import Answered, Asked, Sensing, root_of
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from jingwei.access import Asker
    from jingwei.sense.rollups import Aggregates

READING = ("datamodel/", "resource-path/", "request-data/", "multi-datastream")
"""What of 18-088 is at a root where nothing is written."""


class NotByClientsError(JingweiError):
    """Cells and figures follow from readings; nobody makes, changes or deletes them."""

    code = "sense-cells"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            Text(
                "网格及其统计由观测值自动得出，不能直接写入",
                "Cells and their figures follow from readings; they are not written.",
            ),
            mend=Text(
                "请在 /sta/v1.1 写入 Thing 的位置和观测值。",
                "Write places of Things and readings at /sta/v1.1.",
            ),
        )


def ask(
    sensing: Sensing, asker: Asker, asked: Asked, root: str, aggregates: Callable[[], Aggregates]
) -> Answered:
    """Answer a question.

    Parameters
    ----------
    sensing, asker, asked
        Who asks what of whom.
    root
        The address of the extended root, without a slash at its end.
    aggregates
        Answers what the asker may be told of cells, once that is asked.

    """
    if not asked.path.strip("/"):
        return Answered(HTTPStatus.OK, extended(root_of(root), root))
    with sensing.records.read() as session:
        asking = CellAsking(sensing.sight(session, asker), sensing.readings, root, aggregates)
        told = asking.answer_path(asked.path, asked.options, f"{root}/{asked.path.strip('/')}")
    return Answered(HTTPStatus.NO_CONTENT if told is None else HTTPStatus.OK, told)


def refuse(method: str, path: str) -> Exception:
    """Return why nothing is changed here: cells by nobody, all else at the plain root."""
    name = path.strip("/").partition("/")[0]
    if name.startswith(CELL.collection) or "~" in name:
        return NotByClientsError()
    return NotOfThisKindError(method, path)


def extended(plain: dict[str, Any], root: str) -> dict[str, Any]:
    """Return what the extended root tells, from what the plain one does."""
    told = plain["serverSettings"]["conformance"]
    kept = [one for one in told if one.partition("/req/")[2].startswith(READING)]
    classes = [*kept, *(f"{SPEC}conf/{one}" for one in CLASSES), LINKING]
    return {
        "value": [*plain["value"], {"name": CELL.collection, "url": f"{root}/{CELL.collection}"}],
        "serverSettings": {"conformance": classes} | settings(),
    }
