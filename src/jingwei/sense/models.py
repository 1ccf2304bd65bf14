"""Tables of sensing: the entities of SensorThings 1.1, and what a city knows of its devices.

Every entity has an owner, a way of being shared and a level of classification, by which the policies decide
who may see it. Identifiers are never given out twice. Times are UTC microseconds.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from jingwei.records.base import Base, Counter

Document = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""What a client gave as JSON; nothing at all is NULL, so that SQL finds it so."""

NEVER_TWICE = {"sqlite_autoincrement": True}
"""SQLite gives out the number of the last row anew once that is deleted, unless it is told not to."""


class _Entity:
    """What all entities have."""

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    owner: Mapped[str] = mapped_column(String(18))
    sharing: Mapped[str] = mapped_column(String(20))
    level: Mapped[int]


class _Described(_Entity):
    """What all entities with a name have."""

    name: Mapped[str] = mapped_column(Text, index=True)
    description: Mapped[str] = mapped_column(Text)
    properties: Mapped[Any | None] = mapped_column(Document)


class _Placed:
    """A geometry, its bounds and cell.

    As WKB in degrees (WGS84) where it is given as GeoJSON; the cell of a point is a signed GeoSOT code of
    level 32.
    """

    geometry: Mapped[bytes | None] = mapped_column(LargeBinary)
    west: Mapped[float | None] = mapped_column(Float)
    south: Mapped[float | None] = mapped_column(Float)
    east: Mapped[float | None] = mapped_column(Float)
    north: Mapped[float | None] = mapped_column(Float)
    cell: Mapped[int | None] = mapped_column(BigInteger, index=True)


class ThingRow(_Described, Base):
    """A thing: what a city's sensors are fixed to, or are."""

    __tablename__ = "sense_thing"
    __table_args__ = NEVER_TWICE


class LocationRow(_Described, _Placed, Base):
    """A place of things."""

    __tablename__ = "sense_location"
    __table_args__ = NEVER_TWICE

    encoding_type: Mapped[str] = mapped_column(String(200))
    location: Mapped[Any] = mapped_column(Document)
    feature_id: Mapped[int | None] = mapped_column(
        ForeignKey("sense_feature.id", ondelete="SET NULL"), index=True
    )


class ThingLocation(Base):
    """Where a thing is now."""

    __tablename__ = "sense_thing_location"

    thing_id: Mapped[int] = mapped_column(ForeignKey("sense_thing.id", ondelete="CASCADE"), primary_key=True)
    location_id: Mapped[int] = mapped_column(
        ForeignKey("sense_location.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class HistoricalLocationRow(_Entity, Base):
    """Where a thing was from a moment on."""

    __tablename__ = "sense_historical_location"
    __table_args__ = (Index("ix_sense_historical_location_thing", "thing_id", "time"), NEVER_TWICE)

    time: Mapped[int] = mapped_column(BigInteger)
    thing_id: Mapped[int] = mapped_column(ForeignKey("sense_thing.id", ondelete="CASCADE"))


class HistoricalPlace(Base):
    """The places of a historical location."""

    __tablename__ = "sense_historical_place"

    historical_location_id: Mapped[int] = mapped_column(
        ForeignKey("sense_historical_location.id", ondelete="CASCADE"), primary_key=True
    )
    location_id: Mapped[int] = mapped_column(
        ForeignKey("sense_location.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class SensorRow(_Described, Base):
    """An instrument, or a kind of instrument."""

    __tablename__ = "sense_sensor"
    __table_args__ = NEVER_TWICE

    encoding_type: Mapped[str] = mapped_column(String(200))
    details: Mapped[Any] = mapped_column(Document)


class ObservedPropertyRow(_Described, Base):
    """What is observed."""

    __tablename__ = "sense_observed_property"
    __table_args__ = NEVER_TWICE

    definition: Mapped[str] = mapped_column(Text)


class StreamRow(_Described, _Placed, Base):
    """A Datastream, or where `multi` a MultiDatastream: both count with the same numbers.

    The geometry is `observedArea`. When the stream was observed is known to the store of readings.
    """

    __tablename__ = "sense_stream"
    __table_args__ = NEVER_TWICE

    multi: Mapped[bool]
    observation_type: Mapped[str] = mapped_column(Text)
    part_types: Mapped[Any | None] = mapped_column(Document)
    unit: Mapped[Any] = mapped_column(Document)
    observed_area: Mapped[Any | None] = mapped_column(Document)
    thing_id: Mapped[int] = mapped_column(ForeignKey("sense_thing.id", ondelete="CASCADE"), index=True)
    sensor_id: Mapped[int] = mapped_column(ForeignKey("sense_sensor.id", ondelete="CASCADE"), index=True)


class StreamProperty(Base):
    """What a stream observes: one property of a Datastream, several in order of a MultiDatastream."""

    __tablename__ = "sense_stream_property"

    stream_id: Mapped[int] = mapped_column(
        ForeignKey("sense_stream.id", ondelete="CASCADE"), primary_key=True
    )
    rank: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    observed_property_id: Mapped[int] = mapped_column(
        ForeignKey("sense_observed_property.id", ondelete="CASCADE"), index=True
    )


class StreamFeature(Base):
    """Which features of interest a stream has readings of."""

    __tablename__ = "sense_stream_feature"

    stream_id: Mapped[int] = mapped_column(
        ForeignKey("sense_stream.id", ondelete="CASCADE"), primary_key=True
    )
    feature_id: Mapped[int] = mapped_column(
        ForeignKey("sense_feature.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class FeatureRow(_Described, _Placed, Base):
    """A feature of interest."""

    __tablename__ = "sense_feature"
    __table_args__ = NEVER_TWICE

    encoding_type: Mapped[str] = mapped_column(String(200))
    feature: Mapped[Any] = mapped_column(Document)


class DeviceRow(Base):
    """What a city keeps about a thing as a device of its own.

    `identifier` is the one of the registry; `height` in metres above `height_datum`.
    """

    __tablename__ = "sense_device"
    __table_args__ = (Index("ix_sense_device_key", "owner", "key", unique=True),)

    thing_id: Mapped[int] = mapped_column(
        ForeignKey("sense_thing.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    identifier: Mapped[str] = mapped_column(String(13), unique=True)
    owner: Mapped[str] = mapped_column(String(18))
    key: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(80), index=True)
    state: Mapped[str] = mapped_column(String(20), index=True)
    height: Mapped[float | None] = mapped_column(Float)
    height_datum: Mapped[str | None] = mapped_column(String(40))
    battery: Mapped[float | None] = mapped_column(Float)
    battery_seen: Mapped[int | None] = mapped_column(BigInteger)
    calibrated: Mapped[int | None] = mapped_column(BigInteger)
    calibration_due: Mapped[int | None] = mapped_column(BigInteger)
    signed_off: Mapped[datetime | None]
    signed_off_by: Mapped[str | None] = mapped_column(String(120))


class MaintenanceRow(Base):
    """Work done on a device: an inspection, a repair, a calibration.

    From `at` until `until`, where that is known, what the device says is nothing, nor is its silence.
    """

    __tablename__ = "sense_maintenance"

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    thing_id: Mapped[int] = mapped_column(ForeignKey("sense_device.thing_id", ondelete="CASCADE"), index=True)
    at: Mapped[int] = mapped_column(BigInteger)
    until: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(String(1000))
    by: Mapped[str] = mapped_column(String(120))
