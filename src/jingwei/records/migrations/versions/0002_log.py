"""The log: positions, salted digests, tiles, checkpoints, followers."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No release has held events without digests: the table is made anew.
    op.drop_table("event")
    op.create_table(
        "event",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("type", sa.String(80), nullable=False),
        sa.Column("time", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(120)),
        sa.Column("subject", sa.String(200)),
        sa.Column("data", sa.Text()),
        sa.Column("salt", sa.LargeBinary(16)),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("position", sa.BigInteger()),
        sa.Column("sealed", UtcDateTime()),
    )
    op.create_index("ix_event_subject", "event", ["subject", "id"])
    op.create_index("ix_event_actor", "event", ["actor", "id"])
    op.create_index("ix_event_type", "event", ["type", "id"])
    op.create_index("ix_event_position", "event", ["position"], unique=True)
    unsealed = sa.text("position IS NULL")
    op.create_index("ix_event_unsealed", "event", ["id"], sqlite_where=unsealed, postgresql_where=unsealed)
    op.create_table(
        "log_head",
        sa.Column("origin", sa.String(200), primary_key=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sealed", UtcDateTime(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
    )
    op.create_table(
        "log_tile",
        sa.Column("level", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("size", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("handover", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "log_follower",
        sa.Column("name", sa.String(120), primary_key=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("time", UtcDateTime(), nullable=False),
    )


def downgrade() -> None:
    for table in ("log_follower", "log_checkpoint", "log_tile", "log_head"):
        op.drop_table(table)
