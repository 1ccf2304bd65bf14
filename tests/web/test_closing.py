"""An application leaves nothing running behind its city."""

import threading

from fastapi.testclient import TestClient

from jingwei.web import OPEN, create_app

from .conftest import open_bare

ASKING = ("/api/cases", "/api/hotline/rates", "/api/sense/health", "/sta/v1.1/Things")


def test_what_an_application_opened_is_closed_with_its_city(tmp_path, migrated_sqlite):
    before = set(threading.enumerate())
    with open_bare(tmp_path / "home", migrated_sqlite) as city:
        app = create_app(city, entry=OPEN)
        with TestClient(app) as client:
            assert [client.get(path).status_code for path in ASKING] == [200] * len(ASKING)
        running = {thread.name for thread in threading.enumerate() if thread not in before}
        assert "readings intake" in running
    assert app.state.readings.closed
    left = {thread.name for thread in threading.enumerate() if thread not in before}
    assert not {name for name in left if not name.startswith("Thread-")}, "but the timer of the first warmth"
