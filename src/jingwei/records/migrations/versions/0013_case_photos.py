"""Photographs of cases."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_photo",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("case", sa.String(40)),
        sa.Column("step", sa.Integer),
    )
    op.create_index("ix_case_photo_by", "case_photo", ["by", "case"])
    op.create_index("ix_case_photo_at", "case_photo", ["at"])
    op.create_index("ix_case_photo_case", "case_photo", ["case"])


def downgrade() -> None:
    op.drop_table("case_photo")
