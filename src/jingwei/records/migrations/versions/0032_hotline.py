"""The hotline: calls, and the articles by which they are answered."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, Json, UtcDateTime

revision = "0032"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hotline_call",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("number", sa.String(40), nullable=False, unique=True),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("began", sa.BigInteger, nullable=False),
        sa.Column("taker", sa.String(120), nullable=True),
        sa.Column("case", sa.String(40), nullable=True),
        sa.Column("caller", sa.LargeBinary(32), nullable=True),
        sa.Column("sealed", sa.Text, nullable=True),
        sa.Column("source_key", sa.String(200), nullable=True, unique=True),
        sa.Column("heard", sa.Boolean, nullable=False),
        sa.Column("reviewed", sa.Boolean, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_hotline_call_began", "hotline_call", ["began", "id"])
    op.create_index("ix_hotline_call_caller", "hotline_call", ["caller", "began"])
    op.create_index("ix_hotline_call_state", "hotline_call", ["state", "began"])
    op.create_index("ix_hotline_call_case", "hotline_call", ["case"])
    op.create_table(
        "hotline_article",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("used", sa.Integer, nullable=False),
        sa.Column("helped", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
    )
    op.create_table(
        "hotline_article_version",
        sa.Column("article", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("questions", Json, nullable=False),
        sa.Column("department", sa.String(18), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("written", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("note", sa.String(400), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("hotline_article_version")
    op.drop_table("hotline_article")
    op.drop_table("hotline_call")
