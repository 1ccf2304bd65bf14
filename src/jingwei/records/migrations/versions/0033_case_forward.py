"""Cases that are forwarded to other cities; senders that are barred."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, Json, UtcDateTime

revision = "0033"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_forward",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("case", sa.String(40), nullable=False),
        sa.Column("endpoint", sa.String(300), nullable=False),
        sa.Column("made", UtcDateTime(), nullable=False),
        sa.Column("sent", UtcDateTime(), nullable=True),
        sa.Column("number", sa.String(100), nullable=True),
        sa.Column("token", sa.String(100), nullable=True),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("notes", sa.String(500), nullable=False),
        sa.Column("updates", Json, nullable=False),
        sa.Column("asked", UtcDateTime(), nullable=True),
        sa.Column("followed", UtcDateTime(), nullable=True),
        sa.Column("changed", UtcDateTime(), nullable=True),
        sa.Column("fault", sa.String(40), nullable=False),
        sa.Column("next", UtcDateTime(), nullable=True),
        sa.Column("tries", sa.Integer, nullable=False),
    )
    op.create_index("ix_case_forward_once", "case_forward", ["case", "endpoint"], unique=True)
    op.create_index("ix_case_forward_next", "case_forward", ["next"])
    op.create_table(
        "case_sender",
        sa.Column("case", sa.String(40), primary_key=True),
        sa.Column("kind", sa.String(10), primary_key=True),
        sa.Column("mark", sa.LargeBinary(32), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_case_sender_at", "case_sender", ["at"])
    op.create_table(
        "case_bar",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("mark", sa.LargeBinary(32), nullable=False),
        sa.Column("case", sa.String(40), nullable=False),
        sa.Column("why", sa.String(200), nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("made", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("lifted", UtcDateTime(), nullable=True),
    )
    op.create_index("ix_case_bar_mark", "case_bar", ["mark"])


def downgrade() -> None:
    for table in ("case_bar", "case_sender", "case_forward"):
        op.drop_table(table)
