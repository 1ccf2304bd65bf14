"""Reports without an account, and keys of other systems that report."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Json, UtcDateTime

revision = "0020"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_following",
        sa.Column("secret", sa.LargeBinary(32), primary_key=True),
        sa.Column("code", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("reporter", sa.String(120), nullable=False),
        sa.Column("case", sa.String(40), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("language", sa.String(5), nullable=False),
        sa.Column("contact", Json, nullable=False),
    )
    op.create_index("ix_case_following_reporter", "case_following", ["reporter"])
    op.create_index("ix_case_following_case", "case_following", ["case"])
    op.create_table(
        "case_outside_key",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("made", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("ended", UtcDateTime()),
    )


def downgrade() -> None:
    op.drop_table("case_outside_key")
    op.drop_table("case_following")
