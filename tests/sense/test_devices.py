"""Devices: registration, import with findings, maintenance, sign-off."""

import pytest

from jingwei.access.policy import RefusedError
from jingwei.ledger.models import Event
from jingwei.sense import devices
from jingwei.sense.devices import BadDeviceError, DeviceKnownError, NewDevice, UnknownDeviceError
from jingwei.sense.errors import DeviceStateError
from jingwei.sense.writing import Writing, finish

from .conftest import PARKS, WATER, datastream, reading, somebody

NEW = NewDevice("W-1", "一号井", "水位计", WATER, 116.4, 39.9, 43.5, devices.DATUMS[0])


@pytest.fixture
def keep(station):
    """Do something with devices in a transaction of its own."""

    def do(what, asker=None):
        with station.sensing.records.write() as session:
            writing = Writing(
                station.sensing.sight(session, asker or station.asker), station.sensing.readings
            )
            found = what(writing)
        finish(writing.after, station.sensing.readings)
        return found

    return do


def shown(station, thing, asker=None):
    with station.sensing.records.read() as session:
        return devices.one(station.sensing.sight(session, asker or station.asker), thing)


def test_a_device_is_a_thing_with_a_place_and_an_identifier(station, keep):
    thing = keep(lambda writing: devices.add(writing, NEW))
    assert station.get(f"Things({thing})/Locations")["value"][0]["location"]["coordinates"] == [
        116.4,
        39.9,
        43.5,
    ]
    row = shown(station, thing)
    assert (row["state"], row["height"], row["height_datum"], len(row["identifier"])) == (
        "installed",
        43.5,
        devices.DATUMS[0],
        13,
    )
    with pytest.raises(DeviceKnownError):
        keep(lambda writing: devices.add(writing, NEW))


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": " "},
        {"lat": None},
        {"height_datum": None},
        {"height_datum": "sea"},
        {"level": 9},
        {"sharing": "x"},
        {"state": "x"},
    ],
)
def test_what_cannot_be_is_refused(keep, wrong):
    given = {name: getattr(NEW, name) for name in NEW.__slots__} | wrong
    with pytest.raises(BadDeviceError):
        keep(lambda writing: devices.add(writing, NewDevice(**given)))


def test_a_table_is_taken_row_by_row_and_told_what_is_wrong(station, keep):
    rows = [
        {
            "设备编号": "1",
            "设备名称": "甲",
            "设备类型": "站",
            "经度": "116.4",
            "纬度": "39.9",
            "检定有效期": "2027-01-31",
        },
        {"设备编号": "2", "设备名称": "乙", "设备类型": "站", "经度": "东", "纬度": "39.9"},
        {"设备编号": "1", "设备名称": "又", "设备类型": "站"},
        {"设备编号": "3", "设备名称": "", "设备类型": "站"},
        {"设备编号": "4", "设备名称": "丁", "设备类型": "站", "高程": "3"},
        {"设备编号": "5", "设备名称": "戊", "设备类型": "站", "共享类型": "不予共享", "分级": "4"},
    ]
    told = keep(lambda writing: devices.import_table(writing, rows, "WGS84", WATER))
    assert (told.new, told.changed, told.same) == (2, 0, 0)
    assert [(one.row, one.column) for one in told.findings] == [
        (3, "lon"),
        (4, "key"),
        (5, "name"),
        (6, "height_datum"),
    ]
    again = keep(lambda writing: devices.import_table(writing, rows, "WGS84", WATER))
    assert (again.new, again.changed, again.same) == (0, 0, 2)
    moved = [rows[0] | {"经度": "116.5"}]
    assert keep(lambda writing: devices.import_table(writing, moved, "WGS84", WATER)).changed == 1
    assert len(station.values("Things(1)/HistoricalLocations")) == 2
    assert shown(station, 2)["sharing"] == "none"


def test_the_datum_of_a_table_is_heeded(station, keep):
    row = {"key": "1", "name": "n", "kind": "k", "lon": "116.4", "lat": "39.9"}
    keep(lambda writing: devices.import_table(writing, [row], "GCJ-02"))
    lon, lat = station.values("Locations")[0]["location"]["coordinates"]
    assert (lon, lat) == (pytest.approx(116.39376, abs=1e-4), pytest.approx(39.8986, abs=1e-4))


def test_calibration_battery_and_sign_off(station, keep):
    thing = keep(lambda writing: devices.add(writing, NEW))
    keep(lambda writing: devices.work(writing, thing, "calibration", "对比", at=5, due=7))
    keep(lambda writing: devices.change(writing, thing, {"battery": 80.0}))
    keep(lambda writing: devices.sign_off(writing, thing))
    row = shown(station, thing)
    assert (row["calibrated"], row["calibration_due"], row["battery"], row["state"]) == (5, 7, 80, "active")
    assert row["signed_off_by"] == "local"
    with pytest.raises(DeviceStateError):
        keep(lambda writing: devices.sign_off(writing, thing))
    with station.sensing.records.read() as session:
        told = [one.type for one in session.query(Event).order_by(Event.id)]
    assert told[-3:] == ["sense.device_maintained", "sense.device_changed", "sense.device_signed_off"]


@pytest.fixture
def in_service(station, keep):
    """A device with a stream, signed off before it sent anything."""
    thing = keep(lambda writing: devices.add(writing, NEW))
    station.post(f"Things({thing})/Datastreams", datastream())
    keep(lambda writing: devices.sign_off(writing, thing))
    return thing


def place_of(station, feature=1):
    return station.get(f"FeaturesOfInterest({feature})")["feature"]["coordinates"]


def test_a_device_in_service_has_the_feature_of_its_first_reading(station, in_service):
    assert [one["@iot.id"] for one in station.values("FeaturesOfInterest")] == [1]
    assert place_of(station) == [116.4, 39.9, 43.5]
    station.post("Datastreams(1)/Observations", reading(1, 1))
    assert station.get("Observations(1)/FeatureOfInterest")["@iot.id"] == 1
    assert len(station.values("FeaturesOfInterest")) == 1
    assert [one["result"] for one in station.values("FeaturesOfInterest(1)/Observations")] == [1]


def test_a_feature_without_readings_goes_with_its_place_and_one_with_readings_stays(station, in_service):
    for lon, sent in ((116.5, 0), (116.6, 1), (116.7, 2)):
        place = {"type": "Point", "coordinates": [lon, 39.8]}
        station.send("PATCH", "Locations(1)", {"location": place})
        station.post("Datastreams(1)/Observations", reading(sent, sent))
        assert place_of(station) == [116.5, 39.8]
        assert station.get("Datastreams(1)")["observedArea"]["coordinates"] == [116.5, 39.8]


def test_a_device_that_moves_before_its_first_reading_is_read_where_it_is(station, in_service):
    there = {"name": "n", "description": "", "encodingType": "application/geo+json"}
    station.post(
        f"Things({in_service})/Locations",
        there | {"location": {"type": "Point", "coordinates": [116.5, 39.8]}},
    )
    station.post("Datastreams(1)/Observations", reading(1, 1))
    found = station.get("Observations(1)/FeatureOfInterest")
    assert (found["@iot.id"], found["feature"]["coordinates"]) == (2, [116.5, 39.8])


def test_a_device_was_last_seen_with_its_newest_reading(station, keep):
    thing = keep(lambda writing: devices.add(writing, NEW))
    station.post(f"Things({thing})/Datastreams", datastream(Observations=[reading(1, 1), reading(3, 3)]))
    with station.sensing.records.read() as session:
        streams = devices.streams_of(session, [thing])[thing]
    assert devices.last_seen(station.sensing.readings, streams) == 1_793_502_000_000_000


def test_devices_are_kept_by_their_department_and_seen_by_whom_the_policies_let(station, keep):
    keeper, other = somebody("device_keeper", department=WATER), somebody("device_keeper", department=PARKS)
    thing = keep(lambda writing: devices.add(writing, NEW), keeper)
    keep(lambda writing: devices.change(writing, thing, {"kind": "雨量计"}), keeper)
    with pytest.raises(RefusedError):
        keep(lambda writing: devices.add(writing, NEW), other)
    for what in (devices.sign_off, lambda writing, one: devices.work(writing, one, "repair", "")):
        with pytest.raises(UnknownDeviceError):
            keep(lambda writing, what=what: what(writing, thing), other)
    with pytest.raises(RefusedError):
        keep(lambda writing: devices.sign_off(writing, thing), somebody("operator"))
    assert shown(station, thing, somebody("operator"))["kind"] == "雨量计"
