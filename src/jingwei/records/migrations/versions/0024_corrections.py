"""Requests for corrections and what was said about them."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, Json, UtcDateTime

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "correction",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("dataset", sa.String(80), nullable=False),
        sa.Column("department", sa.String(200), nullable=False),
        sa.Column("check", sa.String(36), nullable=False),
        sa.Column("rules", Json, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("opened", UtcDateTime(), nullable=False),
        sa.Column("due", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("changed", UtcDateTime(), nullable=False),
        sa.Column("version", sa.Integer, nullable=True),
        sa.Column("outcome", sa.String(20), nullable=False),
    )
    op.create_index("ix_correction_dataset", "correction", ["dataset"])
    op.create_index("ix_correction_department", "correction", ["department"])
    op.create_index("ix_correction_state", "correction", ["state"])
    op.create_table(
        "correction_answer",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("correction", Counter, sa.ForeignKey("correction.id"), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("file", sa.String(24), nullable=True),
    )
    op.create_index("ix_correction_answer_correction", "correction_answer", ["correction"])


def downgrade() -> None:
    op.drop_table("correction_answer")
    op.drop_table("correction")
