"""Uses of versions, kept by what was used; they follow from the log and fill as it is read."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, UtcDateTime

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "version_use",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("of", sa.String(160), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("how", sa.String(200), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("intent", sa.String(36), nullable=True),
    )
    op.create_index("ix_version_use_of", "version_use", ["of", "at", "id"])
    op.create_index("ix_version_use_event", "version_use", ["event"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("version_use")
