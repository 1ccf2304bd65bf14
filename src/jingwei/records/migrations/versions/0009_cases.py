"""Cases, their words, the ground and the regime."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, Json, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "city_case",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("number", sa.String(40), nullable=False, unique=True),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("alarm", sa.BigInteger()),
        sa.Column("cell", sa.BigInteger()),
        sa.Column("reported", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("source_key", sa.String(200)),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_index("ix_city_case_changed", "city_case", ["changed"])
    op.create_index("ix_city_case_alarm", "city_case", ["alarm"])
    op.create_index("ix_city_case_cell", "city_case", ["cell", "reported"])
    op.create_index("ix_city_case_source", "city_case", ["source", "source_key"], unique=True)
    op.create_table(
        "case_words",
        sa.Column("case", sa.String(40), primary_key=True),
        sa.Column("step", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("field", sa.String(20), primary_key=True),
        sa.Column("salt", sa.LargeBinary(16), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
    )
    op.create_table(
        "case_count",
        sa.Column("series", sa.String(40), primary_key=True),
        sa.Column("last", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "case_regime",
        sa.Column("part", sa.String(20), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("content", Json, nullable=False),
        sa.Column("adopted", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("note", sa.String(400), nullable=False),
    )
    op.create_table(
        "case_unit_grid",
        sa.Column("code", sa.String(15), primary_key=True),
        sa.Column("since", UtcDateTime(), primary_key=True),
        sa.Column("until", UtcDateTime()),
        sa.Column("grade", sa.String(10), nullable=False),
        sa.Column("duty_grid", sa.String(40), nullable=False),
        sa.Column("outline", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_case_unit_grid_duty_grid", "case_unit_grid", ["duty_grid"])
    op.create_table(
        "case_responsibility",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("area", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("type", sa.String(5), nullable=False),
        sa.Column("department", sa.String(18), nullable=False),
        sa.Column("person", sa.String(120), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime()),
    )
    op.create_index("ix_case_responsibility_area", "case_responsibility", ["area", "kind", "type"])
    op.create_table(
        "case_default_point",
        sa.Column("cell", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("says", sa.String(200), nullable=False),
    )


def downgrade() -> None:
    for table in (
        "case_default_point",
        "case_responsibility",
        "case_unit_grid",
        "case_regime",
        "case_count",
        "case_words",
        "city_case",
    ):
        op.drop_table(table)
