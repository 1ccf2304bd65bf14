"""The extended root: SensorThings with cells, which streams and readings may name."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from jingwei.errors import JingweiError
from jingwei.sense.cells.asking import CellAsking
from jingwei.sense.cells.functions import CLASSES, LINKING, SPEC, settings
from jingwei.sense.cells.kinds import CELL
from jingwei.sense.cells.naming import CellWriting
from jingwei.sense.errors import NotOfThisKindError
from jingwei.sense.service import PATCH_TYPE, Answered, Asked, Sensing, root_of
from jingwei.sense.writing import finish
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.sense.rollups import Aggregates

KEPT = ("datamodel/", "resource-path/", "request-data/", "create-update-delete/", "multi-datastream")
"""What of 18-088 is at this root: all but batches, data arrays and MQTT."""
ELSEWHERE = ("$batch", "CreateObservations")


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
                "请写入 Thing 的位置和观测值，或在 Datastream 中以 Cell 引用网格。",
                "Write places of Things and readings, or name the Cell of a Datastream.",
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


def change(
    sensing: Sensing, asker: Asker, asked: Asked, root: str, aggregates: Callable[[], Aggregates]
) -> Answered:
    """Make a change whole, and tell what it did; parameters as of `ask`.

    Raises
    ------
    NotByClientsError
        Where cells or figures are to be changed.
    NotOfThisKindError
        Where it is done at the plain root: batches and data arrays.

    """
    _check_changed(asked.method, asked.path)
    if isinstance(asked.body, list) and not asked.media_type.startswith(PATCH_TYPE):
        raise NotOfThisKindError(asked.method, asked.path)
    with sensing.records.write() as session:
        writing = CellWriting(sensing.sight(session, asker), sensing.readings)
        done = sensing.do(writing, asked)
    ids = finish(writing.after, sensing.readings)

    def asking(session: Session) -> CellAsking:
        return CellAsking(sensing.sight(session, asker), sensing.readings, root, aggregates)

    return sensing.told_by(asking, done, ids, root)


def _check_changed(method: str, path: str) -> None:
    """Raise where nothing is changed at this root: cells by nobody, batches and arrays at the plain one.

    Raises
    ------
    NotByClientsError, NotOfThisKindError

    """
    parts = path.strip("/").split("/")
    if parts[0].startswith(CELL.collection) or "~" in path:
        raise NotByClientsError
    if parts[0] in ELSEWHERE or "Cell" in parts:
        raise NotOfThisKindError(method, path)


def extended(plain: dict[str, Any], root: str) -> dict[str, Any]:
    """Return what the extended root tells, from what the plain one does."""
    told = plain["serverSettings"]["conformance"]
    kept = [one for one in told if one.partition("/req/")[2].startswith(KEPT)]
    classes = [*kept, *(f"{SPEC}conf/{one}" for one in CLASSES), LINKING]
    return {
        "value": [*plain["value"], {"name": CELL.collection, "url": f"{root}/{CELL.collection}"}],
        "serverSettings": {"conformance": classes} | settings(),
    }
