"""Alarms keep by which rows of datasets they were raised, and ended."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Json

revision = "0046"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, empty for the alarms there are."""
    with op.batch_alter_table("sense_alarm") as table:
        for name in ("grounds", "ended_grounds"):
            table.add_column(sa.Column(name, Json, nullable=False, server_default="[]"))
    with op.batch_alter_table("sense_alarm") as table:
        for name in ("grounds", "ended_grounds"):
            table.alter_column(name, server_default=None)


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("sense_alarm") as table:
        table.drop_column("ended_grounds")
        table.drop_column("grounds")
