"""Whoever has the exported log counts what the city counts."""

import json
import random

import pytest
from click.testing import CliRunner

from cases.conftest import STAFF
from cases.test_indicators import live
from jingwei.access import local_person
from jingwei.cases import regime
from jingwei.cases.board import Board, Choice
from jingwei.cases.calendar import instant
from jingwei.cases.errors import WithheldError
from jingwei.cases.indicators import figures
from jingwei.cases.recount import recount
from jingwei.cli import main
from jingwei.ledger import bundle
from jingwei.ledger.sealer import Sealer


@pytest.fixture
def exported(office, tmp_path):
    with office.records.write() as session:
        days = {"days": {"2026-11-17": False}}
        regime.adopt(session, local_person(), "calendar", days)
    with office.records.write() as session:
        live(office, session, random.Random(5))
    Sealer(office.records, tmp_path / "log").seal_all()
    with office.records.read() as session:
        bundle.export(session, tmp_path / "log.zip")
        bundle.export(session, tmp_path / "secret.zip", payloads=False)
    return tmp_path


def test_every_figure_of_the_exported_log_equals_that_of_the_city(office, exported):
    board = Board(office.records, office.desk)
    anew = recount(exported / "log.zip")
    now = instant(office.now)
    for by in ([], ["department"], ["street", "month"], ["collector"]):
        here = figures(board, STAFF["chief"], Choice(), now=now, by=by)
        assert figures(anew, local_person(), Choice(), now=now, by=by) == here
    assert here[0]["figures"]["report_num"].value > 0


def test_the_command_counts_a_sound_log_and_refuses_another(office, exported):
    told = CliRunner().invoke(
        main, ["cases", "recount", str(exported / "log.zip"), "--indicator", "report_num", "--by", "source"]
    )
    assert told.exit_code == 0, told.output
    counted = {one["by"][0]: one["figures"]["report_num"]["value"] for one in json.loads(told.output)}
    board = Board(office.records, office.desk)
    here = figures(board, STAFF["chief"], Choice(), now=0, by=["source"], keys=["report_num"])
    assert counted == {one["by"][0]: one["figures"]["report_num"].value for one in here}
    with pytest.raises(WithheldError):
        recount(exported / "secret.zip")
    forged = exported / "forged.zip"
    content = (exported / "log.zip").read_bytes()
    forged.write_bytes(content[: len(content) // 2])
    assert CliRunner().invoke(main, ["cases", "recount", str(forged)]).exit_code != 0
