"""Versions of the policies."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Json, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "policy_version",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("examples", Json, nullable=False),
        sa.Column("adopted", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("policy_version")
