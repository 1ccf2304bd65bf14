"""Sensors at fault."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, Json

revision = "0043"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, and until when work on a device went on."""
    op.create_table(
        "sense_fault",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("stream_id", Counter, sa.ForeignKey("sense_stream.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=True),
        sa.Column("found", sa.BigInteger, nullable=False),
        sa.Column("evidence", Json, nullable=False),
        sa.Column("call", sa.String(40), nullable=False),
        sa.Column("case_number", sa.String(40), nullable=False),
        sa.Column("mark", sa.String(10), nullable=False),
        sa.Column("marked_by", sa.String(200), nullable=False),
    )
    op.create_index("ix_sense_fault_stream", "sense_fault", ["stream_id", "kind"])
    op.create_index("ix_sense_fault_until", "sense_fault", ["until"])
    op.create_index("ix_sense_fault_call", "sense_fault", ["call"])
    op.create_index("ix_sense_fault_case_number", "sense_fault", ["case_number"])
    op.add_column("sense_maintenance", sa.Column("until", sa.BigInteger, nullable=True))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("sense_maintenance", "until")
    op.drop_table("sense_fault")
