"""Indexes of events that an append does not touch: what is searched is sealed, and sealed in groups."""

import sqlalchemy as sa
from alembic import op

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


def downgrade() -> None:
    for name in ("actor", "type", "position"):
        op.drop_index(f"ix_event_{name}", "event")
    op.create_index("ix_event_actor", "event", ["actor", "id"])
    op.create_index("ix_event_type", "event", ["type", "id"])
    op.create_index("ix_event_position", "event", ["position"], unique=True)
