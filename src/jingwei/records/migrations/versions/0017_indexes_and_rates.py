"""Indexes of events that an append does not touch, for what is searched is sealed; rates of all processes."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import UtcDateTime

revision = "0017"
down_revision = "0015"
branch_labels = None
depends_on = None

SEALED = sa.text("position IS NOT NULL")


def upgrade() -> None:
    for name in ("actor", "type", "position"):
        op.drop_index(f"ix_event_{name}", "event")
    for name in ("actor", "type"):
        columns = [name, "position"]
        op.create_index(f"ix_event_{name}", "event", columns, sqlite_where=SEALED, postgresql_where=SEALED)
    op.create_index(
        "ix_event_position", "event", ["position"], unique=True, sqlite_where=SEALED, postgresql_where=SEALED
    )
    op.create_table(
        "rate_count",
        sa.Column("key", sa.LargeBinary(32), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires", UtcDateTime(), nullable=False),
    )
    op.create_index("ix_rate_count_expires", "rate_count", ["expires"])


def downgrade() -> None:
    op.drop_table("rate_count")
    for name in ("actor", "type", "position"):
        op.drop_index(f"ix_event_{name}", "event")
    op.create_index("ix_event_actor", "event", ["actor", "id"])
    op.create_index("ix_event_type", "event", ["type", "id"])
    op.create_index("ix_event_position", "event", ["position"], unique=True)
