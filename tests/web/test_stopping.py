"""When a reader goes away, the work for it stops."""

from __future__ import annotations

import asyncio
import threading

import duckdb
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from jingwei.lake.stopping import Stopped, Stopper, stoppable, stopping
from jingwei.web import stopping as web_stopping

ENDLESS = "SELECT count(*) FROM range(100000000000) a WHERE a.range % 7 = 3"


def test_a_running_question_is_stopped_from_another_thread():
    stopper = Stopper()
    with duckdb.connect() as engine, stopping(stopper):
        cursor = engine.cursor()
        timer = threading.Timer(0.2, stopper.stop)
        timer.start()
        with pytest.raises(Stopped), stoppable(cursor):
            cursor.execute(ENDLESS).fetchall()


def test_after_the_stop_no_further_question_begins():
    stopper = Stopper()
    stopper.stop()
    with duckdb.connect() as engine, stopping(stopper), pytest.raises(Stopped), stoppable(engine):
        pytest.fail("began")


def test_a_reader_who_goes_away_stops_the_work_on_the_server():
    async def gone() -> dict[str, str]:
        await asyncio.sleep(0.2)
        return {"type": "http.disconnect"}

    def work() -> None:
        with duckdb.connect() as engine, stoppable(engine):
            engine.execute(ENDLESS).fetchall()

    async def ask() -> None:
        await web_stopping.run(Request({"type": "http"}, gone), work)

    with pytest.raises(HTTPException) as error:
        asyncio.run(asyncio.wait_for(ask(), 30))
    assert error.value.status_code == web_stopping.CLIENT_CLOSED
