"""The clock of a fictional city."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import UtcDateTime

revision = "0042"
down_revision = "0039a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "city_clock",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("speed", sa.Float, nullable=False),
        sa.Column("paused", sa.Boolean, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("city_clock")
