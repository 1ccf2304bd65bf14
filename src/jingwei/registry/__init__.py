"""Objects and their identifiers: issue, resolve, rename, move, split, merge, retire. A name lasts."""

from jingwei.registry.identifiers import parse_identifier
from jingwei.registry.schemas import NewObject, Object, Resolution
from jingwei.registry.service import (
    DATASET,
    dataset_of,
    find,
    get,
    history,
    issue,
    issue_table,
    merge,
    move,
    place_at,
    rename,
    resolve,
    retire,
    split,
    standing_in,
)

__all__ = [
    "DATASET",
    "NewObject",
    "Object",
    "Resolution",
    "dataset_of",
    "find",
    "get",
    "history",
    "issue",
    "issue_table",
    "merge",
    "move",
    "parse_identifier",
    "place_at",
    "rename",
    "resolve",
    "retire",
    "split",
    "standing_in",
]
