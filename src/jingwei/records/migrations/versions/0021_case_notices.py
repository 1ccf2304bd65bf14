"""Messages that reporters are to be sent."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_notice",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("event", sa.BigInteger, nullable=False),
        sa.Column("type", sa.String(80), nullable=False),
        sa.Column("case", sa.String(40), nullable=False),
        sa.Column("reporter", sa.String(120), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("next", UtcDateTime()),
        sa.Column("tries", sa.Integer, nullable=False),
    )
    op.create_index("ix_case_notice_once", "case_notice", ["event", "reporter", "channel"], unique=True)
    op.create_index("ix_case_notice_next", "case_notice", ["next"])


def downgrade() -> None:
    op.drop_table("case_notice")
