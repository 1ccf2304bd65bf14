import pytest

from jingwei.access import local_person
from jingwei.city import load_pack, open_city, read_manifest

from .packs import STOPS, write_pack, write_stops


class Opened:
    """A city on disk that tests load packs into."""

    def __init__(self, home):
        self.home = home
        self.city = open_city(home, create=True)
        self.asker = local_person()

    def load(self, pack, data=None, **kwargs):
        report = load_pack(self.city, read_manifest(pack), pack, data, self.asker, **kwargs)
        return {source.id: source for source in report.sources}

    @property
    def lake(self):
        return self.city.lake

    def rows(self, dataset, **kwargs):
        return self.lake.query(self.asker, dataset, **kwargs).table.to_pylist()

    def dataset(self, name):
        return self.lake.dataset(self.asker, name)

    def quarantine(self, name):
        return self.lake.quarantine(self.asker, name).to_pylist()


@pytest.fixture
def opened(tmp_path):
    opened = Opened(tmp_path / "home")
    yield opened
    opened.city.close()


@pytest.fixture
def pack(tmp_path):
    folder = write_pack(tmp_path / "pack", STOPS)
    write_stops(folder)
    return folder
