"""A real server on a port of its own, for what a client within the process cannot see: streams."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from jingwei.web import listen
from jingwei.web.server import Server, protocol_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve `app` while the block lasts; gives its address."""
    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, http=protocol_for(app), log_level="error", timeout_graceful_shutdown=3)
    server = Server(config, app.state)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
