"""The inventory of components."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_component",
        sa.Column("code", sa.String(17), primary_key=True),
        sa.Column("object", sa.String(13), nullable=False),
        sa.Column("department", sa.String(18), nullable=False),
        sa.Column("area", sa.String(15), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("case_component")
