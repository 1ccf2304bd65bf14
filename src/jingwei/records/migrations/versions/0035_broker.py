"""Tokens by which devices sign in to the broker of readings."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0033"


def upgrade() -> None:
    """Keep of a token what a broker compares it with."""
    op.add_column("api_token", sa.Column("broker", sa.String(160)))
