"""A log to test with."""

import importlib.util
from pathlib import Path

import pytest

from jingwei import ledger
from jingwei.ledger.sealer import Sealer
from jingwei.words import Text

ledger.declare(
    "test.noted",
    Text("测试", "Noted for a test"),
    subject="thing/<n>",
    fields={
        "n": ledger.Field(int, Text("数", "a number")),
        "words": ledger.Field(str, Text("文字", "words"), required=False),
    },
)


@pytest.fixture(scope="session")
def independent():
    """The second implementation of the tree and of the check of a bundle."""
    spec = importlib.util.spec_from_file_location("independent", Path(__file__).with_name("independent.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def note(records):
    """How to append one event, in a transaction of its own; gives its id."""

    def append(n: int) -> int:
        with records.write() as session:
            data = {"n": n, "words": "经纬 “jīngwěi”\n"}
            return ledger.append(session, "test.noted", actor="person/1", subject=f"thing/{n}", data=data)

    return append


@pytest.fixture
def sealer(records, tmp_path):
    """The sealer of a log named example.cn/log."""
    return Sealer(records, tmp_path / "log", origin="example.cn/log")
