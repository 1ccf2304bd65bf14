"""When a reader goes away, the work for it stops."""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request

from jingwei.lake.stopping import Stopped, Stopper, stoppable, stopping
from jingwei.web import listen
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

    # In a thread of its own: a browser of another test may have left a loop running in this one.
    with ThreadPoolExecutor(1) as thread, pytest.raises(HTTPException) as error:
        thread.submit(lambda: asyncio.run(asyncio.wait_for(ask(), 30))).result()
    assert error.value.status_code == web_stopping.CLIENT_CLOSED


@pytest.mark.parametrize("http", ["httptools", "h11"])
def test_a_connection_that_is_cut_stops_the_work_behind_it(http):
    begun, ended = threading.Event(), threading.Event()
    ends = []
    app = FastAPI()

    def work() -> None:
        begun.set()
        try:
            with duckdb.connect() as engine, stoppable(engine):
                engine.execute(ENDLESS).fetchall()
        except Stopped:
            ends.append("stopped")
            raise
        finally:
            ended.set()

    @app.get("/endless")
    async def endless(request: Request) -> None:
        await web_stopping.run(request, work)

    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, http=http, log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with socket.create_connection(listener.getsockname()) as reader:
            reader.sendall(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert begun.wait(30)
        assert ended.wait(30)
        assert ends == ["stopped"]
    finally:
        server.should_exit = True
        thread.join()
