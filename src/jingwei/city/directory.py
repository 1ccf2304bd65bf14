"""The directory of a pack: the city's departments and people, added where they are not there yet.

What is there already stays as it is: from the first load on, it is administrators who change it.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from jingwei import access
from jingwei.access.models import PersonRow
from jingwei.access.people import WHOLE_CITY, login_of
from jingwei.access.roles import SEPARATED
from jingwei.city.errors import BadDirectoryError
from jingwei.errors import JingweiError
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.city.manifest import DepartmentsSpec, DirectorySpec, PeopleSpec
    from jingwei.city.service import City


def load_directory(city: City, spec: DirectorySpec, folder: Path, asker: Asker) -> tuple[int, int]:
    """Add the departments and people of a pack; return how many were new.

    Parameters
    ----------
    city
        The open city.
    spec
        Which files, and what their columns are.
    folder
        Where the files lie.
    asker
        On whose behalf.

    Raises
    ------
    BadDirectoryError
        Naming the file and the row; nothing is added then.

    """
    with city.records.write() as session:
        departments = people = 0
        if spec.departments is not None:
            departments = _add_departments(session, spec.departments, folder, asker)
        if spec.people is not None:
            people = _add_people(session, spec.people, folder, asker)
    return departments, people


def _add_departments(session: Session, spec: DepartmentsSpec, folder: Path, asker: Asker) -> int:
    known = {one.code for one in access.departments(session)}
    columns = [spec.code, spec.title, *([spec.parent] if spec.parent else [])]
    waiting = [
        (number, row)
        for number, row in _rows(folder / spec.file, spec.encoding, columns)
        if row[spec.code] not in known
    ]
    added = 0
    while waiting:
        # Those above come before those below them, in whatever order the file has them.
        ready = [item for item in waiting if not (parent := _parent(spec, item[1])) or parent in known]
        if not ready:
            number, row = waiting[0]
            missing = _parent(spec, row)
            why = Text(f"没有上级部门 {missing}", f"there is no department {missing} above it")
            raise BadDirectoryError(spec.file, number, why)
        for number, row in ready:
            try:
                code = row[spec.code]
                above = _parent(spec, row) or None
                access.add_department(session, asker, code, row[spec.title], parent=above)
            except JingweiError as error:
                raise BadDirectoryError(spec.file, number, error.what) from error
            known.add(code)
            added += 1
        waiting = [item for item in waiting if item not in ready]
    return added


def _parent(spec: DepartmentsSpec, row: dict[str, str]) -> str:
    return row[spec.parent] if spec.parent else ""


def _add_people(session: Session, spec: PeopleSpec, folder: Path, asker: Asker) -> int:
    known = set(session.scalars(select(PersonRow.login)))
    added: dict[str, str] = {}
    columns = [spec.login, spec.name, spec.role, spec.department]
    for number, row in _rows(folder / spec.file, spec.encoding, columns):
        login = login_of(row[spec.login])
        if login in known:
            continue
        try:
            if login not in added:
                added[login] = access.add_person(session, asker, login, row[spec.name])
            if role := row[spec.role]:
                where = WHOLE_CITY if role in SEPARATED else row[spec.department]
                access.give_role(session, asker, added[login], role, where)
        except JingweiError as error:
            raise BadDirectoryError(spec.file, number, error.what) from error
    return len(added)


def _rows(path: Path, encoding: str, columns: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a table with their numbers in the file; the header is row 1."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or [])]
            if missing:
                raise BadDirectoryError(
                    path.name, 1, Text(f"缺少列 {missing[0]}", f"there is no column {missing[0]}")
                )
            for number, row in enumerate(reader, start=2):
                yield number, {name: (row[name] or "").strip() for name in columns}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadDirectoryError(
            path.name, 0, Text(f"无法读取：{error}", f"it cannot be read: {error}")
        ) from error
