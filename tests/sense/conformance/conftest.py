"""One open city for all classes: each test makes what it needs and looks at nothing else."""

import pytest
from fastapi.testclient import TestClient

from jingwei.city import open_city
from jingwei.city.models import CityRow
from jingwei.records import now_utc
from jingwei.web import OPEN, create_app

ROOT = "/sta/v1.1"
SPEC = "http://www.opengis.net/spec/iot_sensing/1.1/req/"
UNIT = {"name": "degree Celsius", "symbol": "°C", "definition": "ucum:Cel"}
SENSOR = {
    "name": "probe",
    "description": "",
    "encodingType": "text/html",
    "metadata": "https://maker.example",
}
OBSERVED = {"name": "heat", "definition": "https://terms.example/heat", "description": ""}
PLACE = {
    "name": "pole",
    "description": "",
    "encodingType": "application/geo+json",
    "location": {"type": "Point", "coordinates": [114.06, 22.54]},
}
STREAM = {
    "name": "air",
    "description": "",
    "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
    "unitOfMeasurement": UNIT,
    "Sensor": SENSOR,
    "ObservedProperty": OBSERVED,
}


class Service:
    """The service as a client meets it."""

    def __init__(self, client):
        self.client = client

    def get(self, path, status=200, **options):
        answer = self.client.get(
            f"{ROOT}{path}", params={f"${name}": value for name, value in options.items()}
        )
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def post(self, path, body, status=201, **more):
        answer = self.client.post(f"{ROOT}{path}", json=body, **more)
        assert answer.status_code == status, answer.text
        return answer

    def made(self, path, body):
        """Create an entity; return its path."""
        return self.post(path, body).headers["location"].partition(ROOT)[2]

    def thing(self, results=(), **more):
        """Create a thing with a place and a stream of readings; return its path and that of the stream."""
        told = [
            {"phenomenonTime": f"2026-01-01T{hour:02}:00:00Z", "result": one}
            for hour, one in enumerate(results)
        ]
        body = {"name": "station", "description": "", "Locations": [PLACE], **more}
        thing = self.made("/Things", body | {"Datastreams": [STREAM | {"Observations": told}]})
        (stream,) = self.get(f"{thing}/Datastreams")["value"]
        return thing, f"/Datastreams({stream['@iot.id']})"


@pytest.fixture(scope="package")
def service(tmp_path_factory):
    about = {"name": {"zh": "方城"}, "adcode": "990100", "generated": False, "time_zone": "Asia/Shanghai"}
    with open_city(tmp_path_factory.mktemp("conformance") / "home", create=True) as city:
        with city.records.write() as session:
            session.add(CityRow(id="small", about=about, pack="", data="", changed=now_utc()))
        app = create_app(city, entry=OPEN)
        with TestClient(app, raise_server_exceptions=False, base_url="http://localhost") as client:
            yield Service(client)
