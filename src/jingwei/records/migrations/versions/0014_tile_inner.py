"""Inner nodes of full tiles of the log, by which proofs are quick."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("log_tile", sa.Column("inner", sa.LargeBinary(512), nullable=True))


def downgrade() -> None:
    op.drop_column("log_tile", "inner")
