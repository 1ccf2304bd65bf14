"""Cases that hear how their alarms go on."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, and find alarms by what they are of."""
    op.create_table(
        "case_heard",
        sa.Column("alarm", sa.String(60), primary_key=True),
        sa.Column("case", sa.String(40), nullable=False),
        sa.Column("incident", sa.BigInteger, nullable=False),
        sa.Column("joined", sa.Integer, nullable=False),
    )
    op.create_index("ix_case_heard_case", "case_heard", ["case"])
    op.create_index("ix_case_heard_incident", "case_heard", ["incident"])
    op.create_index("ix_sense_alarm_subject", "sense_alarm", ["subject", "rule_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_sense_alarm_subject", "sense_alarm")
    op.drop_table("case_heard")
