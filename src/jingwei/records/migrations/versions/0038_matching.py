"""Matching of records: what is matched, its runs, and people's decisions."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, Json, UtcDateTime

revision = "0038"
down_revision = "0033a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "matching",
        sa.Column("id", sa.String(60), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("changed", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
    )
    op.create_table(
        "matching_run",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("matching", sa.String(60), sa.ForeignKey("matching.id"), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("versions", Json, nullable=False),
        sa.Column("rows", Json, nullable=False),
        sa.Column("learnt", Json, nullable=False),
    )
    op.create_index("ix_matching_run_matching", "matching_run", ["matching"])
    op.create_table(
        "matching_decision",
        sa.Column("matching", sa.String(60), sa.ForeignKey("matching.id"), primary_key=True),
        sa.Column("left", sa.String(32), primary_key=True),
        sa.Column("right", sa.String(32), primary_key=True),
        sa.Column("choice", sa.String(10), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("matching_decision")
    op.drop_table("matching_run")
    op.drop_table("matching")
