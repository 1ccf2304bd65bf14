"""Tables of databases outside that are read bit by bit."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Json, UtcDateTime

revision = "0034"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "intake_table",
        sa.Column("database", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("cursor", sa.String(200), nullable=True),
        sa.Column("keys", Json, nullable=False),
        sa.Column("mark", Json, nullable=True),
        sa.Column("file", sa.String(24), nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("read", UtcDateTime(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("intake_table")
