"""What telephones sent, the ways of people in the field, and things of the registry by place."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_sent",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("by", sa.String(120), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("case", sa.String(40), nullable=False),
    )
    op.create_index("ix_case_sent_at", "case_sent", ["at"])
    op.create_table(
        "case_track",
        sa.Column("person", sa.String(120), primary_key=True),
        sa.Column("at", UtcDateTime(), primary_key=True),
        sa.Column("lon", sa.Float, nullable=False),
        sa.Column("lat", sa.Float, nullable=False),
        sa.Column("accuracy", sa.Float, nullable=False),
    )
    op.create_index("ix_case_track_at", "case_track", ["at"])
    op.create_index("ix_registry_object_cell", "registry_object", ["owner", "cell"])


def downgrade() -> None:
    op.drop_index("ix_registry_object_cell", "registry_object")
    op.drop_table("case_track")
    op.drop_table("case_sent")
