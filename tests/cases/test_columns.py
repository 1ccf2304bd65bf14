"""Cases in columns are the same whether one process works them out or several."""

import pyarrow as pa

from jingwei.access import local_person
from jingwei.cases import regime
from jingwei.cases.columns import MANY, table_of, tables_of
from jingwei.cases.models import CaseRow


def test_many_chunks_are_worked_out_in_several_processes_as_in_one(office):
    with office.records.write() as session:
        days = {"days": {"2026-11-17": False}, "periods": [["09:00:00", "17:00:00"]]}
        regime.adopt(session, local_person(), "calendar", days)
        regime.adopt(session, local_person(), "settings", {"trusted": ["collector"]})
    for state in ("closed", "handling", "pending_check", "pending_dispatch"):
        office.to(state)
        office.wait(hours=7)
    with office.records.read() as session:
        now = office.desk.regime(session)
        rows = [(row.id, row.body, "井盖") for row in session.query(CaseRow)]
    chunks = [rows[n % 4 : n % 4 + 1] for n in range(4 * MANY)]
    alone = table_of(rows, now)
    several = pa.concat_tables(tables_of(chunks, now))
    assert several.num_rows == 4 * MANY
    told = {str(row) for row in several.to_pylist()}
    assert told == {str(row) for row in alone.to_pylist()}
    assert len(told) == 4
