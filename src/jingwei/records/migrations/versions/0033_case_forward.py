"""Cases that are forwarded to other cities."""

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


def downgrade() -> None:
    op.drop_table("case_forward")
