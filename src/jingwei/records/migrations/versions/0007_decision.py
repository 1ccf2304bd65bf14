"""What people decided about sources."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "source_decision",
        sa.Column("source", sa.String(60), primary_key=True),
        sa.Column("crs", sa.String(), nullable=False),
        sa.Column("actor", sa.String(200), nullable=False),
        sa.Column("decided", UtcDateTime(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("source_decision")
