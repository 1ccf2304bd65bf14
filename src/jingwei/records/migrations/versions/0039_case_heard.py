"""Cases that hear how their alarms go on; messages about alarms."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, UtcDateTime

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
    op.create_table(
        "sense_alarm_notice",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("event", sa.BigInteger, nullable=False),
        sa.Column("alarm_id", Counter, sa.ForeignKey("sense_alarm.id"), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("next", UtcDateTime(), nullable=True),
        sa.Column("tries", sa.Integer, nullable=False),
    )
    op.create_index(
        "ix_sense_alarm_notice_once", "sense_alarm_notice", ["event", "name", "channel"], unique=True
    )
    op.create_index("ix_sense_alarm_notice_next", "sense_alarm_notice", ["next"])
    op.create_index("ix_sense_alarm_notice_alarm_id", "sense_alarm_notice", ["alarm_id"])
    op.create_index("ix_sense_alarm_subject", "sense_alarm", ["subject", "rule_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_sense_alarm_subject", "sense_alarm")
    op.drop_table("sense_alarm_notice")
    op.drop_table("case_heard")
