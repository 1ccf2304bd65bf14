"""Objects and their identifiers."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "registry_object",
        sa.Column("id", sa.String(13), primary_key=True),
        sa.Column("kind", sa.String(80), nullable=False),
        sa.Column("owner", sa.String(120), nullable=False),
        sa.Column("key", sa.String(400), nullable=False),
        sa.Column("title", sa.String(400), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("valid_from", UtcDateTime()),
        sa.Column("valid_to", UtcDateTime()),
        sa.Column("cell", sa.BigInteger()),
        sa.Column("level", sa.Integer()),
        sa.Column("placed", UtcDateTime()),
    )
    op.create_index("ix_registry_object_key", "registry_object", ["owner", "key"], unique=True)
    op.create_table(
        "registry_former_place",
        sa.Column("object", sa.String(13), sa.ForeignKey("registry_object.id"), primary_key=True),
        sa.Column("until", UtcDateTime(), primary_key=True),
        sa.Column("since", UtcDateTime()),
        sa.Column("cell", sa.BigInteger()),
        sa.Column("level", sa.Integer()),
    )
    op.create_table(
        "registry_successor",
        sa.Column("object", sa.String(13), sa.ForeignKey("registry_object.id"), primary_key=True),
        sa.Column("successor", sa.String(13), sa.ForeignKey("registry_object.id"), primary_key=True),
    )
    op.create_index("ix_registry_successor_successor", "registry_successor", ["successor"])


def downgrade() -> None:
    for table in ("registry_successor", "registry_former_place", "registry_object"):
        op.drop_table(table)
