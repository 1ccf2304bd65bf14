"""When a version's rows were removed."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import UtcDateTime

revision = "0031"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dataset_version", sa.Column("dropped", UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("dataset_version", "dropped")
