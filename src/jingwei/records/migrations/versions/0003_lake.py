"""The container's tables."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, Json, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dataset",
        sa.Column("id", sa.String(80), primary_key=True),
        sa.Column("title", Json, nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("sharing", sa.String(20), nullable=False),
        sa.Column("update_cycle", sa.String(20), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("problem", Json),
        sa.Column("current", sa.Integer),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("changed", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "dataset_version",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("dataset", sa.String(80), sa.ForeignKey("dataset.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("published", UtcDateTime(), nullable=False),
        sa.Column("intent", sa.String(36), nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.UniqueConstraint("dataset", "number"),
    )
    op.create_index("ix_dataset_version_dataset", "dataset_version", ["dataset"])
    op.create_table(
        "intent",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("dataset", sa.String(80), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("opened", UtcDateTime(), nullable=False),
        sa.Column("content", Json, nullable=False),
    )
    op.create_index("ix_intent_dataset", "intent", ["dataset"])
    op.create_index("ix_intent_state", "intent", ["state"])


def downgrade() -> None:
    for table in ("intent", "dataset_version", "dataset"):
        op.drop_table(table)
