"""Which records are the same thing: the model of Fellegi and Sunter, run by Splink on DuckDB.

I. Fellegi, A. Sunter, A Theory for Record Linkage, JASA 64 (1969). What agreement in a field is worth is
learnt from the data: how often strangers agree by chance from random pairs, how often the same thing does by
expectation maximisation over pairs that agree in something else.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from jingwei.errors import BadRequestError
from jingwei.lake.stopping import stoppable
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jingwei.matching.configuration import Configuration, Kind

MEMORY = "4GB"
SEED = 22239
RANDOM_PAIRS = 1e6
TRAINING_PAIRS = 1e6
"""Pairs from which the model learns; more do not make it better, see docs/benchmarks.md."""
MOST_TURNS = 25
FOUND_BY_RULES = 0.7
"""The share of the same things that agree in all fields of a block, taken for a beginning."""
MOST_PAIRS = 40_000_000

_PLAIN = "upper(regexp_replace(nfc_normalize({0}), '[\\s·•.,，。()（）\\-]', '', 'g'))"
_WIDE = "translate({0}, '０１２３４５６７８９Ｘ', '0123456789X')"
_FIRM = (
    "regexp_replace({0}, "
    "'(股份有限公司|有限责任公司|集团有限公司|有限公司|股份公司|集团公司|集团|公司|厂|店)$', '')"
)
_GAPS = "[{0}[: i - 1] || '_' || {0}[i + 1 :] FOR i IN range(1, length({0}) + 1)]"


class NothingToMatchError(BadRequestError):
    """There are no candidates from which anything could be learnt."""

    code = "matching-nothing"


@dataclass(frozen=True, slots=True)
class Matches:
    """Pairs of records that may be the same thing.

    Attributes
    ----------
    pairs
        `left_table`, `right_table` (which table, from 0), `left`, `right` (rows from 0), `probability`, and
        for each field `level_FIELD`: 0 where it differs, more where it agrees better, -1 where a value is
        missing.
    learnt
        What agreement in each field is worth: for each field a list of `level`, `label`, `m` and `u`: how
        often the same thing and how often strangers come out so.
    """

    pairs: pa.Table
    learnt: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def plain_sql(kind: Kind, column: str) -> str:
    """Return the SQL of a value as it is compared: without spaces, marks and widths; empty is missing.

    Parameters
    ----------
    kind
        Of the field.
    column
        The column, quoted.

    """
    text = _WIDE.format(f"CAST({column} AS VARCHAR)")
    if kind == "date":
        made = f"CAST(try_cast({text} AS DATE) AS VARCHAR)"
        digits = f"regexp_extract({text}, '^\\s*(\\d{{4}})\\D*(\\d{{1,2}})\\D*(\\d{{1,2}})', ['y', 'm', 'd'])"
        return (
            f"coalesce({made}, nullif(concat_ws('-', {digits}.y, lpad({digits}.m, 2, '0'), "
            f"lpad({digits}.d, 2, '0')), '-00-00'))"
        )
    if kind == "phone":
        return f"nullif(right(regexp_replace({text}, '\\D', '', 'g'), 11), '')"
    if kind == "identity":
        return f"nullif(regexp_replace(upper({text}), '[^0-9A-Z]', '', 'g'), '')"
    plain = _PLAIN.format(text)
    return f"nullif({_FIRM.format(plain) if kind == 'title' else plain}, '')"


def _with_help(kind: Kind, name: str) -> dict[str, str]:
    """Return further columns that comparing a field needs, by name, as SQL on `name`."""
    if kind == "name":
        return {f"{name}__gaps": _GAPS.format(name)}
    return {}


def _levels(kind: Kind, name: str) -> list[tuple[str, str, bool]]:
    """Return the levels of a comparison, best first: SQL, label, and whether rare values weigh more."""
    left, right = f'"{name}_l"', f'"{name}_r"'
    exact = (f"{left} = {right}", "equal", kind in ("name", "title", "address"))
    near = _one_figure(left, right)
    if kind == "name":
        # By characters, each left out in turn: the engine counts bytes, of which one has three.
        differ = f'list_has_any("{name}__gaps_l", "{name}__gaps_r")'
        return [
            exact,
            (f"{differ} AND length({left}) > 2", "one character differs", False),
            (f"{differ} AND {left}[1] = {right}[1]", "same surname", False),
        ]
    if kind in ("title", "address"):
        alike = f"jaro_winkler_similarity({left}, {right})"  # of bytes; what it is worth is learnt
        return [exact, (f"{alike} >= 0.95", "nearly equal", False), (f"{alike} >= 0.88", "alike", False)]
    if kind == "date":
        swapped = f"{left} = left({right}, 4) || '-' || right({right}, 2) || '-' || {right}[6:7]"
        return [
            exact,
            (near, "one figure differs", False),
            (swapped, "day and month swapped", False),
            (f"left({left}, 7) = left({right}, 7) OR right({left}, 5) = right({right}, 5)", "in part", False),
        ]
    if kind in ("identity", "phone"):
        return [exact, (near, "one figure differs", False)]
    return [exact]


def _one_figure(left: str, right: str) -> str:
    """Return the SQL of Latin texts that differ by one letter: one half of them is then the same."""
    half = f"(length({left}) // 2)"
    same = f"left({left}, {half}) = left({right}, {half}) OR right({left}, {half}) = right({right}, {half})"
    return f"CASE WHEN {same} THEN damerau_levenshtein({left}, {right}) <= 1 ELSE false END"


def settings_of(configuration: Configuration) -> dict[str, Any]:
    """Return a configuration as Splink's settings."""
    comparisons = []
    for name in configuration.shared:
        missing = {"sql_condition": f'"{name}_l" IS NULL OR "{name}_r" IS NULL', "is_null_level": True}
        levels: list[dict[str, Any]] = [{**missing, "label_for_charts": "missing"}]
        for sql, label, rare in _levels(configuration.kind(name), name):
            level: dict[str, Any] = {"sql_condition": sql, "label_for_charts": label}
            if rare:
                level |= {"tf_adjustment_column": name, "tf_adjustment_weight": 1.0}
            levels.append(level)
        levels.append({"sql_condition": "ELSE", "label_for_charts": "different"})
        comparisons.append({"output_column_name": name, "comparison_levels": levels})
    return {
        "link_type": "dedupe_only" if len(configuration.table) == 1 else "link_only",
        "unique_id_column_name": "row",
        "comparisons": comparisons,
        "blocking_rules_to_generate_predictions": [_block(block) for block in configuration.blocked],
        "retain_matching_columns": True,
        "retain_intermediate_calculation_columns": False,
        "em_convergence": 0.001,
        "max_iterations": MOST_TURNS,
    }


def _block(fields: list[str]) -> str:
    return " AND ".join(f'l."{name}" = r."{name}"' for name in fields)


def match(
    tables: Mapping[str, pa.Table],
    configuration: Configuration,
    scratch: str,
    *,
    tell: Callable[[str], object] = lambda _: None,
) -> Matches:
    """Find records that may be the same thing.

    Parameters
    ----------
    tables
        By dataset: the columns that the configuration names.
    configuration
        What is to be matched, and how.
    scratch
        A folder for what does not fit into memory.
    tell
        Told what is being done: `reading`, `learning`, `comparing`.

    Raises
    ------
    NothingToMatchError
        If no two records agree in any of the blocks.

    """
    from splink import DuckDBAPI, Linker

    logging.getLogger("splink").setLevel(logging.ERROR)
    with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": scratch}) as engine:
        with stoppable(engine):
            tell("reading")
            names = _register(engine, tables, configuration)
            _refuse_wide(engine, names, configuration)
            interface = DuckDBAPI(engine)
            frames = [
                interface.register(engine.table(name), dataset_display_name=name, table_name=f"{name}_in")
                for name in names
            ]
            linker = Linker(
                frames if len(frames) > 1 else frames[0],
                settings_of(configuration),
                log_level=logging.ERROR,
            )
            tell("learning")
            _learn(linker, configuration)
            tell("comparing")
            found = linker.inference.predict(threshold_match_probability=configuration.review)
            pairs = _pairs(engine, found.physical_name, names, configuration)
        return Matches(pairs, _learnt(linker, configuration))


def _register(
    engine: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table], configuration: Configuration
) -> list[str]:
    names = []
    for number, one in enumerate(configuration.table):
        raw, name = f"raw_{number}", f"t{number}"
        engine.register(raw, tables[one.dataset])
        plain = [
            f"{plain_sql(configuration.kind(field), _quoted(one.fields[field]))} AS {_quoted(field)}"
            if field in one.fields
            else f"CAST(NULL AS VARCHAR) AS {_quoted(field)}"
            for field in configuration.shared
        ]
        more = [
            f"{sql} AS {_quoted(column)}"
            for field in configuration.shared
            for column, sql in _with_help(configuration.kind(field), field).items()
        ]
        engine.execute(
            f"CREATE TABLE {name} AS SELECT *{''.join(', ' + sql for sql in more)} FROM "
            f"(SELECT row_number() OVER () - 1 AS row, {', '.join(plain)} FROM {raw}) ORDER BY row"
        )
        engine.unregister(raw)
        names.append(name)
    return names


def _refuse_wide(engine: duckdb.DuckDBPyConnection, names: list[str], configuration: Configuration) -> None:
    """Refuse blocks that bring too many candidates, before a machine drowns in them."""
    for block in configuration.blocked:
        keys = ", ".join(_quoted(name) for name in block)
        some = " AND ".join(f"{_quoted(name)} IS NOT NULL" for name in block)
        both = " UNION ALL ".join(f"SELECT {keys} FROM {name} WHERE {some}" for name in names)
        answer = engine.execute(
            "SELECT coalesce(sum(n * (n - 1) / 2), 0) "
            f"FROM (SELECT count(*) AS n FROM ({both}) GROUP BY {keys})"
        ).fetchall()
        if answer[0][0] > MOST_PAIRS:
            raise BadRequestError(
                Text(
                    f"按“{'、'.join(block)}”相同取候选会得到 {int(answer[0][0])} 对，太多。",
                    f"Equal {', '.join(block)} gives {int(answer[0][0])} candidates, which is too many.",
                ),
                mend=Text("请在 blocks 中加一个字段。", "Add a field to this block."),
                where={"block": block},
            )


def _learn(linker: Any, configuration: Configuration) -> None:
    from splink.internals.exceptions import EMTrainingException

    blocks = [_block(block) for block in configuration.blocked]
    linker.training.estimate_probability_two_random_records_match(blocks, recall=FOUND_BY_RULES)
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)
    learnt = 0
    for block in blocks:
        with contextlib.suppress(EMTrainingException):  # a block without pairs teaches nothing
            linker.training.estimate_parameters_using_expectation_maximisation(
                block, max_pairs=TRAINING_PAIRS
            )
            learnt += 1
    if not learnt:
        raise NothingToMatchError(
            Text("没有可供学习的候选记录。", "No records agree in anything, so nothing can be learnt."),
            mend=Text("请检查字段与 blocks。", "Check the fields, and the blocks."),
        )


def _pairs(
    engine: duckdb.DuckDBPyConnection, predicted: str, names: list[str], configuration: Configuration
) -> pa.Table:
    levels = ", ".join(
        f"CAST({_quoted('gamma_' + name)} AS TINYINT) AS {_quoted('level_' + name)}"
        for name in configuration.shared
    )
    which = "0 AS left_table, 0 AS right_table"
    if len(names) > 1:
        number = "CAST(source_dataset_{0}[2:] AS TINYINT) AS {1}_table"
        which = ", ".join(number.format(*side) for side in (("l", "left"), ("r", "right")))
    question = (
        f'SELECT {which}, row_l AS "left", row_r AS "right", match_probability AS probability, {levels} '
        f"FROM {predicted}"
    )
    turned = (
        "SELECT * REPLACE (least(left_table, right_table) AS left_table, "
        "greatest(left_table, right_table) AS right_table, "
        'CASE WHEN swap THEN "right" ELSE "left" END AS "left", '
        'CASE WHEN swap THEN "left" ELSE "right" END AS "right") FROM (SELECT *, '
        '(left_table, "left") > (right_table, "right") AS swap FROM '
        f"({question}))"
    )
    pairs: pa.Table = engine.sql(
        f'SELECT * EXCLUDE (swap) FROM ({turned}) ORDER BY left_table, right_table, "left", "right"'
    ).to_arrow_table()
    return pairs


def _learnt(linker: Any, configuration: Configuration) -> dict[str, list[dict[str, Any]]]:
    told = {}
    for one in linker.misc.save_model_to_json()["comparisons"]:
        levels = [level for level in one["comparison_levels"] if not level.get("is_null_level")]
        told[one["output_column_name"]] = [
            {
                "level": len(levels) - 1 - place,
                "label": level["label_for_charts"],
                "m": level.get("m_probability"),
                "u": level.get("u_probability"),
            }
            for place, level in enumerate(levels)
        ]
    return {name: told[name] for name in configuration.shared}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
