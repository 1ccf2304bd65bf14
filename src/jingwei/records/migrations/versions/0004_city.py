"""Which city this is."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Json, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "city",
        sa.Column("id", sa.String(60), primary_key=True),
        sa.Column("about", Json, nullable=False),
        sa.Column("pack", sa.String(), nullable=False),
        sa.Column("data", sa.String(), nullable=False),
        sa.Column("changed", UtcDateTime(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("city")
