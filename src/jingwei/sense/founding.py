"""What a city pack says of its sensors is taken in: rules over readings, as long as the city has none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from jingwei.errors import BadRequestError
from jingwei.sense.rules import service
from jingwei.sense.rules.models import RuleRow
from jingwei.words import Text

if TYPE_CHECKING:
    from pathlib import Path

    from jingwei.access import Asker
    from jingwei.city import City, Manifest


class BadRulesFileError(BadRequestError):
    """The file of a pack's rules holds none."""

    code = "sense-rules-file"

    def __init__(self, path: Path, why: Text) -> None:
        super().__init__(
            Text(f"规则文件 {path}：{why.zh}", f"The file of rules {path}: {why.en}"),
            mend=Text(
                "文件应为 JSON 数组，每项是一条规则，见 docs/rules.md。",
                "It is a JSON array with a rule in each element; see docs/rules.md.",
            ),
            where={"file": str(path)},
        )


def found_rules(city: City, manifest: Manifest, folder: Path, asker: Asker) -> int:
    """Take in the rules of a pack and switch them on; a city that has or had rules keeps its own.

    Parameters
    ----------
    city
        The open city.
    manifest, folder
        The pack's manifest and the folder of its files.
    asker
        On whose behalf.

    Returns
    -------
    How many were taken in.

    Raises
    ------
    BadRulesFileError, BadRuleError

    """
    if manifest.sense is None:
        return 0
    rules = _read(folder / manifest.sense.rules)
    policies = city.policies.current()
    with city.records.write() as session:
        if session.scalar(select(func.count()).select_from(RuleRow)):
            return 0
        for body in rules:
            made = service.write(session, policies, asker, body)
            service.switch(session, policies, asker, made.id, on=True)
    return len(rules)


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        why = error.strerror or str(error)
        raise BadRulesFileError(path, Text(f"无法读取（{why}）", f"cannot be read ({why}).")) from error
    except ValueError as error:
        raise BadRulesFileError(path, Text("不是 JSON", "is no JSON.")) from error
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadRulesFileError(path, Text("不是规则的数组", "holds no array of rules."))
    return found
