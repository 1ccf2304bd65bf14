"""E-mail alerts of new cases."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, Json, UtcDateTime

revision = "0029"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_alert",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("code", sa.String(10), nullable=False, unique=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("area", sa.String(15), nullable=False),
        sa.Column("types", Json, nullable=False),
        sa.Column("every", sa.String(6), nullable=False),
        sa.Column("language", sa.String(5), nullable=False),
        sa.Column("made", UtcDateTime(), nullable=False),
        sa.Column("confirmed", UtcDateTime(), nullable=True),
        sa.Column("mark", sa.BigInteger, nullable=False),
        sa.Column("next", UtcDateTime(), nullable=True),
        sa.Column("tries", sa.Integer, nullable=False),
    )
    op.create_index("ix_case_alert_email", "case_alert", ["email"])
    op.create_index("ix_case_alert_next", "case_alert", ["next"])


def downgrade() -> None:
    op.drop_table("case_alert")
