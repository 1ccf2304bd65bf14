"""Calls of the hotline bear in which order they changed."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("hotline_call") as table:
        table.add_column(sa.Column("changed", sa.BigInteger(), nullable=False, server_default="1"))
    with op.batch_alter_table("hotline_call") as table:
        table.alter_column("changed", server_default=None)
    op.create_index("ix_hotline_call_changed", "hotline_call", ["changed"])


def downgrade() -> None:
    op.drop_index("ix_hotline_call_changed", "hotline_call")
    with op.batch_alter_table("hotline_call") as table:
        table.drop_column("changed")
