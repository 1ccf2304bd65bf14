"""Subscribers of events, and what they were told."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, Json, UtcDateTime

revision = "0039a"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "webhook",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("url", sa.String(1000), nullable=False),
        sa.Column("types", Json, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("person", sa.String(120), nullable=False),
        sa.Column("on", sa.Boolean, nullable=False),
        sa.Column("why", sa.String(40), nullable=False),
        sa.Column("made", UtcDateTime(), nullable=False),
        sa.Column("next", UtcDateTime(), nullable=True),
        sa.Column("tries", sa.Integer, nullable=False),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("webhook_id", Counter, sa.ForeignKey("webhook.id", ondelete="CASCADE"), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("type", sa.String(80), nullable=False),
        sa.Column("made", UtcDateTime(), nullable=False),
        sa.Column("done", UtcDateTime(), nullable=True),
        sa.Column("result", sa.String(20), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("fault", sa.String(80), nullable=False),
    )
    op.create_index("ix_webhook_delivery_once", "webhook_delivery", ["webhook_id", "position"], unique=True)
    op.create_index("ix_webhook_delivery_waiting", "webhook_delivery", ["webhook_id", "done", "id"])
    op.create_index("ix_webhook_delivery_made", "webhook_delivery", ["made"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("webhook_delivery")
    op.drop_table("webhook")
