"""Entities of SensorThings, and devices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from jingwei.records.base import Counter, UtcDateTime

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None

DOCUMENT = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "sense_feature",
        sa.Column("encoding_type", sa.String(200), nullable=False),
        sa.Column("feature", DOCUMENT, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("properties", DOCUMENT),
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("owner", sa.String(18), nullable=False),
        sa.Column("sharing", sa.String(20), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("geometry", sa.LargeBinary),
        sa.Column("west", sa.Float),
        sa.Column("south", sa.Float),
        sa.Column("east", sa.Float),
        sa.Column("north", sa.Float),
        sa.Column("cell", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sense_feature_cell", "sense_feature", ["cell"])
    op.create_index("ix_sense_feature_name", "sense_feature", ["name"])
    op.create_table(
        "sense_observed_property",
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("properties", DOCUMENT),
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("owner", sa.String(18), nullable=False),
        sa.Column("sharing", sa.String(20), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sense_observed_property_name", "sense_observed_property", ["name"])
    op.create_table(
        "sense_sensor",
        sa.Column("encoding_type", sa.String(200), nullable=False),
        sa.Column("details", DOCUMENT, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("properties", DOCUMENT),
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("owner", sa.String(18), nullable=False),
        sa.Column("sharing", sa.String(20), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sense_sensor_name", "sense_sensor", ["name"])
    op.create_table(
        "sense_thing",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("properties", DOCUMENT),
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("owner", sa.String(18), nullable=False),
        sa.Column("sharing", sa.String(20), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sense_thing_name", "sense_thing", ["name"])
    op.create_table(
        "sense_device",
        sa.Column(
            "thing_id",
            Counter,
            sa.ForeignKey("sense_thing.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("identifier", sa.String(13), nullable=False, unique=True),
        sa.Column("owner", sa.String(18), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(80), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("height", sa.Float),
        sa.Column("height_datum", sa.String(40)),
        sa.Column("battery", sa.Float),
        sa.Column("battery_seen", sa.BigInteger),
        sa.Column("calibrated", sa.BigInteger),
        sa.Column("calibration_due", sa.BigInteger),
        sa.Column("signed_off", UtcDateTime()),
        sa.Column("signed_off_by", sa.String(120)),
    )
    op.create_index("ix_sense_device_key", "sense_device", ["owner", "key"], unique=True)
    op.create_index("ix_sense_device_kind", "sense_device", ["kind"])
    op.create_index("ix_sense_device_state", "sense_device", ["state"])
    op.create_table(
        "sense_historical_location",
        sa.Column("time", sa.BigInteger, nullable=False),
        sa.Column("thing_id", Counter, sa.ForeignKey("sense_thing.id", ondelete="CASCADE"), nullable=False),
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("owner", sa.String(18), nullable=False),
        sa.Column("sharing", sa.String(20), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sense_historical_location_thing", "sense_historical_location", ["thing_id", "time"])
    op.create_table(
        "sense_location",
        sa.Column("encoding_type", sa.String(200), nullable=False),
        sa.Column("location", DOCUMENT, nullable=False),
        sa.Column("feature_id", Counter, sa.ForeignKey("sense_feature.id", ondelete="SET NULL")),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("properties", DOCUMENT),
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("owner", sa.String(18), nullable=False),
        sa.Column("sharing", sa.String(20), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("geometry", sa.LargeBinary),
        sa.Column("west", sa.Float),
        sa.Column("south", sa.Float),
        sa.Column("east", sa.Float),
        sa.Column("north", sa.Float),
        sa.Column("cell", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sense_location_cell", "sense_location", ["cell"])
    op.create_index("ix_sense_location_feature_id", "sense_location", ["feature_id"])
    op.create_index("ix_sense_location_name", "sense_location", ["name"])
    op.create_table(
        "sense_stream",
        sa.Column("multi", sa.Boolean, nullable=False),
        sa.Column("observation_type", sa.Text, nullable=False),
        sa.Column("part_types", DOCUMENT),
        sa.Column("unit", DOCUMENT, nullable=False),
        sa.Column("observed_area", DOCUMENT),
        sa.Column("thing_id", Counter, sa.ForeignKey("sense_thing.id", ondelete="CASCADE"), nullable=False),
        sa.Column("sensor_id", Counter, sa.ForeignKey("sense_sensor.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("properties", DOCUMENT),
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("owner", sa.String(18), nullable=False),
        sa.Column("sharing", sa.String(20), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("geometry", sa.LargeBinary),
        sa.Column("west", sa.Float),
        sa.Column("south", sa.Float),
        sa.Column("east", sa.Float),
        sa.Column("north", sa.Float),
        sa.Column("cell", sa.BigInteger),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sense_stream_cell", "sense_stream", ["cell"])
    op.create_index("ix_sense_stream_name", "sense_stream", ["name"])
    op.create_index("ix_sense_stream_sensor_id", "sense_stream", ["sensor_id"])
    op.create_index("ix_sense_stream_thing_id", "sense_stream", ["thing_id"])
    op.create_table(
        "sense_historical_place",
        sa.Column(
            "historical_location_id",
            Counter,
            sa.ForeignKey("sense_historical_location.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column(
            "location_id", Counter, sa.ForeignKey("sense_location.id", ondelete="CASCADE"), primary_key=True
        ),
    )
    op.create_index("ix_sense_historical_place_location_id", "sense_historical_place", ["location_id"])
    op.create_table(
        "sense_maintenance",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column(
            "thing_id", Counter, sa.ForeignKey("sense_device.thing_id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
    )
    op.create_index("ix_sense_maintenance_thing_id", "sense_maintenance", ["thing_id"])
    op.create_table(
        "sense_stream_feature",
        sa.Column(
            "stream_id", Counter, sa.ForeignKey("sense_stream.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column(
            "feature_id", Counter, sa.ForeignKey("sense_feature.id", ondelete="CASCADE"), primary_key=True
        ),
    )
    op.create_index("ix_sense_stream_feature_feature_id", "sense_stream_feature", ["feature_id"])
    op.create_table(
        "sense_stream_property",
        sa.Column(
            "stream_id", Counter, sa.ForeignKey("sense_stream.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("rank", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column(
            "observed_property_id",
            Counter,
            sa.ForeignKey("sense_observed_property.id", ondelete="CASCADE"),
            nullable=False,
        ),
    )
    op.create_index(
        "ix_sense_stream_property_observed_property_id", "sense_stream_property", ["observed_property_id"]
    )
    op.create_table(
        "sense_thing_location",
        sa.Column("thing_id", Counter, sa.ForeignKey("sense_thing.id", ondelete="CASCADE"), primary_key=True),
        sa.Column(
            "location_id", Counter, sa.ForeignKey("sense_location.id", ondelete="CASCADE"), primary_key=True
        ),
    )
    op.create_index("ix_sense_thing_location_location_id", "sense_thing_location", ["location_id"])


def downgrade() -> None:
    op.drop_table("sense_thing_location")
    op.drop_table("sense_stream_property")
    op.drop_table("sense_stream_feature")
    op.drop_table("sense_maintenance")
    op.drop_table("sense_historical_place")
    op.drop_table("sense_stream")
    op.drop_table("sense_location")
    op.drop_table("sense_historical_location")
    op.drop_table("sense_device")
    op.drop_table("sense_thing")
    op.drop_table("sense_sensor")
    op.drop_table("sense_observed_property")
    op.drop_table("sense_feature")
