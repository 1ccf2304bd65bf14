"""Contracts of datasets, what checks found, and files that were handed in one by one."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Json, UtcDateTime

revision = "0022"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dataset_contract",
        sa.Column("dataset", sa.String(80), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("adopted", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
    )
    op.create_table(
        "quality_report",
        sa.Column("intent", sa.String(36), primary_key=True),
        sa.Column("contract", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("dataset", sa.String(80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("gated", sa.Boolean, nullable=False),
        sa.Column("score", sa.Float, nullable=False),
        sa.Column("body", Json, nullable=False),
    )
    op.create_index("ix_quality_report_dataset", "quality_report", ["dataset"])
    op.create_table(
        "intake_file",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("received", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("source", sa.String(60), nullable=True),
        sa.Column("state", sa.String(20), nullable=False),
    )
    op.create_index("ix_intake_file_received", "intake_file", ["received"])
    op.create_table(
        "intake_source",
        sa.Column("id", sa.String(60), primary_key=True),
        sa.Column("spec", Json, nullable=False),
        sa.Column("layout", Json, nullable=False),
        sa.Column("pattern", sa.String(200), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("changed", UtcDateTime(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("intake_source")
    op.drop_table("intake_file")
    op.drop_table("quality_report")
    op.drop_table("dataset_contract")
