"""The log's first table."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, Json, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("type", sa.String(80), nullable=False),
        sa.Column("time", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(120), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("data", Json, nullable=False),
    )
    op.create_index("ix_event_type", "event", ["type"])
    op.create_index("ix_event_subject", "event", ["subject", "id"])


def downgrade() -> None:
    op.drop_table("event")
