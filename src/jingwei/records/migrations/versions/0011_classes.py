"""How sensitive datasets and their fields are."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Json

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What was loaded before has no classes yet: the highest, until its next load.
    with op.batch_alter_table("dataset") as table:
        table.add_column(sa.Column("level", sa.Integer(), nullable=False, server_default="4"))
        table.add_column(sa.Column("fields", Json, nullable=False, server_default="{}"))
    with op.batch_alter_table("dataset") as table:
        table.alter_column("level", server_default=None)
        table.alter_column("fields", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("dataset") as table:
        table.drop_column("fields")
        table.drop_column("level")
