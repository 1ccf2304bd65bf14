"""Accounts of citizens."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import UtcDateTime

revision = "0033a"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_account",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("mark", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("made", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "case_account_report",
        sa.Column("account", sa.String(32), primary_key=True),
        sa.Column("reporter", sa.String(120), primary_key=True),
        sa.Column("sealed", sa.String(300), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "case_account_code",
        sa.Column("mark", sa.LargeBinary(32), primary_key=True),
        sa.Column("code", sa.LargeBinary(32), nullable=False),
        sa.Column("made", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    for table in ("case_account_code", "case_account_report", "case_account"):
        op.drop_table(table)
