"""CSV of any encoding and shape: every row comes out as a row or as a fault with its line number."""

import csv
import io
import itertools
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jingwei.errors import JingweiError
from jingwei.lake.forms import Reading, delimited, encodings, open_form, spool


def write(folder: Path, content: bytes | str, name: str = "t.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def read(reading: Reading) -> tuple[pa.Table, list[int], list]:
    with reading:
        return told(reading, reading.batches(size=3))


def told(reading, batches) -> tuple[pa.Table, list[int], list]:
    batches = list(batches)
    table = pa.Table.from_batches([batch.table for batch in batches], schema=reading.schema)
    rows = [int(row) for batch in batches for row in batch.rows]
    return table, rows, [fault for batch in batches for fault in batch.faults]


def test_rows_carry_the_line_a_person_counts(tmp_path):
    path = write(tmp_path, 'name,note\n甲,"two\nlines"\n\n乙,x\n丙,"a ""quote"""\n')
    table, rows, faults = read(open_form(path))
    assert rows == [2, 5, 6]
    assert table["note"].to_pylist() == ["two\nlines", "x", 'a "quote"']
    assert faults == []


def test_ragged_rows_are_faults_with_their_line(tmp_path):
    path = write(tmp_path, "a,b,c\n1,2,3\n4,5\n\n6,7,8,9\n10,11,12\n")
    table, rows, faults = read(open_form(path))
    assert rows == [2, 6]
    assert [(fault.row, fault.rule, fault.text) for fault in faults] == [
        (3, "wrong-width", "4,5"),
        (5, "wrong-width", "6,7,8,9"),
    ]
    assert table["a"].to_pylist() == [1, 10]


def test_a_quote_that_never_closes_costs_one_row(tmp_path):
    path = write(tmp_path, 'a,b\n1,x\n2,"open\n3,y\n4,z\n')
    _table, rows, faults = read(open_form(path))
    assert rows == [2, 4, 5]
    assert [(fault.row, fault.rule) for fault in faults] == [(3, "unclosed-quote")]


def test_a_stray_quote_swallows_no_rows(tmp_path):
    path = write(tmp_path, 'a,b\n1,"open\n2,y\n3,"z",\n4,5" pipe\n')
    table, rows, faults = read(open_form(path))
    assert sorted([*rows, *(fault.row for fault in faults)]) == [2, 3, 4, 5]
    assert table["b"].to_pylist() == ["y", '5" pipe']


def test_undecodable_lines_are_faults_not_the_end(tmp_path):
    content = "名称,值\n甲,1\n".encode() + "乙,2\n".encode("gb18030") + "丙,3\n".encode()
    table, rows, faults = read(open_form(write(tmp_path, content)))
    assert table["名称"].to_pylist() == ["甲", "丙"]
    assert rows == [2, 4]
    assert [(fault.row, fault.rule, fault.text) for fault in faults] == [(3, "undecodable", "\\xd2\\xd2,2")]


def test_utf8_lines_in_a_gb18030_file_are_faults_not_mojibake(tmp_path):
    lines = [f"深圳市南山区第{n}号道路".encode("gb18030") for n in range(50)]
    lines[20] = "深圳市南山区粤海街道".encode()
    table, _rows, faults = read(open_form(write(tmp_path, "道路\n".encode("gb18030") + b"\n".join(lines))))
    assert [fault.row for fault in faults] == [22]
    assert table.num_rows == 49


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "big5", "utf-16", "utf-16-le"])
def test_encodings_are_found(tmp_path, encoding):
    text = "站點名稱,經度\n" + "".join(f"中山公園站第{n}號出口,{n}.5\n" for n in range(40))
    if encoding != "big5":
        text = "站点名称,经度\n" + "".join(f"中山公园站第{n}号出口,{n}.5\n" for n in range(40))
    reading = open_form(write(tmp_path, text, encoding=encoding))
    table, rows, _ = read(reading)
    lines = text.splitlines()
    assert reading.columns == lines[0].split(",")
    assert table.column(0).to_pylist() == [line.split(",")[0] for line in lines[1:]]
    assert rows == list(range(2, 42))


@pytest.mark.parametrize(
    ("delimiter", "name"), [("\t", "t.tsv"), (";", "t.csv"), ("|", "t.txt"), (",", "t.csv")]
)
def test_delimiters_are_found(tmp_path, delimiter, name):
    path = write(
        tmp_path, "\n".join(delimiter.join(row) for row in (["a", "b"], ["x", "1"], ["y", "2"])), name
    )
    table, _, _ = read(open_form(path))
    assert table.to_pydict() == {"a": ["x", "y"], "b": [1, 2]}


def test_titles_above_the_header_are_passed_over(tmp_path):
    path = write(
        tmp_path, "深圳市公交站点一览表,,\n单位：个,,\n站点,经度,纬度\n甲,114.1,22.5\n乙,114.2,22.6\n"
    )
    reading = open_form(path)
    table, rows, _ = read(reading)
    assert reading.columns == ["站点", "经度", "纬度"]
    assert rows == [4, 5]
    assert table["经度"].to_pylist() == [114.1, 114.2]


def test_a_file_without_header_keeps_its_first_row(tmp_path):
    reading = open_form(write(tmp_path, "甲,114.1,22.5\n乙,114.2,22.6\n"))
    table, rows, _ = read(reading)
    assert reading.columns == ["column_1", "column_2", "column_3"]
    assert rows == [1, 2]
    assert table.num_rows == 2


def test_years_may_name_columns(tmp_path):
    reading = open_form(write(tmp_path, "指标,2018,2019,2020\n人口,1303,1344,1756\n面积,1997,1997.5,1997\n"))
    assert reading.columns == ["指标", "2018", "2019", "2020"]
    reading = open_form(write(tmp_path, "甲,2018,3\n乙,2019,4\n"))
    assert reading.columns == ["column_1", "column_2", "column_3"]


def test_decimal_commas_do_not_hide_the_semicolon(tmp_path):
    table, _, faults = read(open_form(write(tmp_path, "名;值\n甲;1,5\n乙;2,5\n")))
    assert (table.to_pydict(), faults) == ({"名": ["甲", "乙"], "值": ["1,5", "2,5"]}, [])


def test_one_column_keeps_its_commas(tmp_path):
    notes = ["备注", "路灯不亮", "井盖破损，积水, 请处理", "占道经营", "噪音, 夜间", "树木倒伏", "无"]
    table, rows, faults = read(open_form(write(tmp_path, "\n".join(notes))))
    assert table["备注"].to_pylist() == notes[1:]
    assert (rows, faults) == (list(range(2, 8)), [])


def test_a_file_of_names_only_has_columns_and_no_rows(tmp_path):
    reading = open_form(write(tmp_path, "站点,经度,纬度\n"))
    assert reading.columns == ["站点", "经度", "纬度"]
    assert read(reading)[0].num_rows == reading.total == 0


def test_codes_stay_text_and_numbers_lose_nothing(tmp_path):
    path = write(
        tmp_path,
        "adcode,street,identity,long,amount,scientific,mixed\n"
        "440303,007,440301199001011234,1234567890123456,113.78947398104066,1E5,1\n"
        "440304,012,440301199001011235,1234567890123457,-0.5,2E7,x\n",
    )
    table, _, _ = read(open_form(path))
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {
        "adcode": "int64",
        "street": "string",
        "identity": "string",
        "long": "string",
        "amount": "double",
        "scientific": "string",
        "mixed": "string",
    }
    assert table["amount"].to_pylist() == [113.78947398104066, -0.5]


def test_one_late_word_makes_a_whole_column_text(tmp_path):
    path = write(tmp_path, "id,v\n" + "".join(f"{n},{n}\n" for n in range(400_000)) + "400000,unknown\n")
    reading = open_form(path)
    assert str(reading.schema.field("v").type) == "string"
    assert reading.total == 400_001
    batches = list(reading.batches())
    assert batches[0].table["v"][0].as_py() == "0"
    assert sum(batch.table.num_rows for batch in batches) == 400_001
    assert batches[-1].rows[-1] == 400_002


def test_columns_named_as_text_stay_text(tmp_path):
    table, _, _ = read(open_form(write(tmp_path, "code,v\n1,2\n3,4\n"), columns_as_text=["code"]))
    assert table.to_pydict() == {"code": ["1", "3"], "v": [2, 4]}


def test_repeated_and_missing_names_are_told_apart(tmp_path):
    reading = open_form(write(tmp_path, "name,Name,,v\nx,y,z,1\nx,y,z,2\n"))
    assert reading.columns == ["name", "Name_2", "column_3", "v"]
    assert any(evidence.about == "columns" for evidence in reading.evidence)


cell = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cn", "Cc"), exclude_characters="\ufeff"),
    max_size=12,
) | st.sampled_from(
    ["", "007", "1", "-2.5", 'a"b', "two\nlines", "x,y", "1e5", "nan", '"', "全角，", "\n", "a\rb"]
)


@pytest.fixture(params=[7, 64, 2**22])
def block_bytes(request, monkeypatch):
    """Blocks so small that every kind of cut happens, and of the size in use."""
    monkeypatch.setattr(delimited, "BLOCK_BYTES", request.param)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=20),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-be", "utf-32"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_any_table_round_trips(tmp_path, block_bytes, rows, encoding, quoting, newline):
    path = tmp_path / "any.csv"
    starts = write_rows(path, [("a", "b", "c"), *rows], encoding, quoting=quoting, lineterminator=newline)
    reading = open_form(path, encoding=encoding, delimiter=",", header_row=1, columns_as_text=["a", "b", "c"])
    table, numbers, faults = read(reading)
    assert faults == []
    assert [tuple(v or "" for v in row.values()) for row in table.to_pylist()] == rows
    assert numbers == starts[1:]


def write_rows(path, rows, encoding, **dialect):
    """Write a table and return the line on which each record starts."""
    starts, line, texts = [], 1, []
    for row in rows:
        text = io.StringIO(newline="")
        csv.writer(text, **dialect).writerow(row)
        starts.append(line)
        line += text.getvalue().count("\n")
        texts.append(text.getvalue())
    path.write_bytes("".join(texts).encode(encoding))
    return starts


def test_old_line_ends(tmp_path, block_bytes):
    table, rows, faults = read(open_form(write(tmp_path, "a,b\r1,x\r2,y\r")))
    assert table.to_pydict() == {"a": [1, 2], "b": ["x", "y"]}
    assert (rows, faults) == ([2, 3], [])


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.lists(
        st.sampled_from(
            [
                b"1,2,3",
                b"1,2",
                b'"',
                b'"x',
                b'y"',
                b',"a,b",',
                b"\xff",
                b"\xb9\xab,1,2",
                b"",
                b"\r",
                b'a""b,1,2',
                b"\xef\xbb\xbf",
            ]
        )
        | st.binary(max_size=8).map(lambda raw: raw.replace(b"\n", b" ")),
        max_size=12,
    )
)
def test_no_line_is_ever_lost(tmp_path, block_bytes, body):
    path = tmp_path / "bad.csv"
    body = ["甲,乙,丙".encode()] * 13 + body
    path.write_bytes(b"a,b,c\n" + b"\n".join(body))
    reading = open_form(path, encoding="utf-8", delimiter=",", header_row=1)
    _table, rows, faults = read(reading)
    seen = sorted([*rows, *(fault.row for fault in faults)])
    assert len(set(seen)) == len(seen) == reading.total
    owner = {row: seen[at + 1] if at + 1 < len(seen) else len(body) + 2 for at, row in enumerate(seen)}
    covered = {line for row, stop in owner.items() for line in range(row, stop)}
    assert {n for n, line in enumerate(body, start=2) if line.strip(b"\r")} <= covered
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "WORTH_SPOOLING", 0)
        with open_form(path, encoding="utf-8", delimiter=",", header_row=1, spool=tmp_path) as spooled:
            path.write_bytes(b"gone")  # what was parsed once is not parsed again
            assert read(spooled) == (_table, rows, faults)
    assert [one.name for one in tmp_path.iterdir()] == ["bad.csv"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["", "7", "-12", "0.50", "2.25", "x", "007"]), min_size=1, max_size=60),
    st.sampled_from([0, 600, 10**9]),
)
def test_what_is_kept_of_the_first_look_says_what_the_file_says(tmp_path, block_bytes, values, part):
    path = tmp_path / "wider.csv"
    path.write_text("a,b\n" + "".join(f"{value},{n}\n" for n, value in enumerate(sorted(values, key=len))))
    with pytest.MonkeyPatch.context() as patch:
        wanted = read(open_form(path, delimiter=",", header_row=1))
        patch.setattr(delimited, "WORTH_SPOOLING", 0)
        patch.setattr(spool, "PART", part)
        with open_form(path, delimiter=",", header_row=1, spool=tmp_path) as spooled:
            assert told(spooled, spooled.batches(3)) == wanted
            assert told(spooled, spooled.last_batches(3)) == wanted
            assert [one.name for one in tmp_path.iterdir()] == ["wider.csv"], "it went on the way"
            assert read(spooled) == wanted, "the file itself is asked again"
    assert [one.name for one in tmp_path.iterdir()] == ["wider.csv"]


def test_a_glance_shows_rows_from_all_over_the_file_as_what_they_turn_out_to_be(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "WORTH_SPOOLING", 0)
    monkeypatch.setattr(delimited, "BLOCK_BYTES", 600)
    monkeypatch.setattr(spool, "GLANCED", 7)
    path = write(tmp_path, "n,x\n" + "".join(f"{n},{n if n < 300 else n / 4}\n" for n in range(500)))
    with open_form(path, spool=tmp_path) as reading:
        glance = reading.glance()
        assert glance.schema == reading.schema
        seen = glance["n"].to_pylist()
        assert seen == sorted(set(seen))
        assert max(later - earlier for earlier, later in itertools.pairwise([*seen, 500])) <= 7
        assert glance["x"].to_pylist() == [float(n if n < 300 else n / 4) for n in seen]
        list(reading.last_batches())
    monkeypatch.setattr(delimited, "WORTH_SPOOLING", 10**9)
    with open_form(path, spool=tmp_path) as reading:
        assert reading.glance() is None, "nothing was kept"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    places=st.lists(st.integers(0, 59), unique=True, max_size=25),
    damage=st.sampled_from([b"short", b"one,field,too,many", b"\xff\xfe,bad,bytes", b'"open,a,b']),
)
def test_every_damaged_line_is_a_fault_and_no_other(tmp_path, block_bytes, places, damage):
    lines = [f"站{n},{n},{n / 4}".encode() for n in range(60)]
    for place in places:
        lines[place] = damage
    path = tmp_path / "damaged.csv"
    path.write_bytes("名,n,x\n".encode() + b"\n".join(lines) + b"\n")
    table, rows, faults = read(open_form(path, encoding="utf-8", delimiter=",", header_row=1))
    assert sorted(fault.row for fault in faults) == sorted(place + 2 for place in places)
    assert rows == [n + 2 for n in range(60) if n not in places]
    assert table["n"].to_pylist() == [n for n in range(60) if n not in places]


def test_a_few_chinese_lines_deep_in_an_ascii_file_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(encodings, "SAMPLE_WINDOW", 256)
    lines = [b"stop %d,%d" % (n, n) for n in range(5_000)]
    lines[2_345] = "深圳北站西广场公交站,2345".encode("gb18030")
    lines[2_346] = "深圳大学地铁站,2346".encode("gb18030")
    path = tmp_path / "deep.csv"
    path.write_bytes(b"name,n\n" + b"\n".join(lines))
    reading = open_form(path)
    batches = list(reading.batches())
    assert not any(batch.faults for batch in batches)
    assert batches[0].table["name"][2_345].as_py() == "深圳北站西广场公交站"
    assert [e.verdict for e in reading.evidence if e.about == "encoding"] == ["gb18030"]


def test_a_file_that_changes_between_the_passes_is_said_so(tmp_path):
    path = write(tmp_path, "a,b\n1,2\n3,4\n")
    reading = open_form(path)
    path.write_text("a,b\nx,2\ny,4\n")
    with pytest.raises(JingweiError) as caught:
        list(reading.batches())
    assert caught.value.code == "form-changed"


def test_the_delimiter_is_seen_though_every_record_goes_over_two_lines(tmp_path):
    rows = "".join(f'{n},第{n}站,"第一行\n第二行，""引号"""\n' for n in range(30))
    table, numbers, faults = read(open_form(write(tmp_path, "编号,名称,备注\n" + rows)))
    assert table.column_names == ["编号", "名称", "备注"]
    assert (table.num_rows, numbers[:2], faults) == (30, [2, 4], [])


def test_the_header_is_told_by_the_line_a_person_counts(tmp_path):
    with open_form(write(tmp_path, "统计表\n\n编号,名称,数量\n" + "1,甲,3\n" * 9)) as reading:
        (header,) = [one for one in reading.evidence if one.about == "header"]
    assert header.verdict == "3"
    assert "第 3 行是列名" in header.reason.zh
