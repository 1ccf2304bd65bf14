"""Rules over readings, alarms and incidents."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, Json, UtcDateTime

revision = "0037"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "sense_rule",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(18), nullable=False),
        sa.Column("on", sa.Boolean, nullable=False),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("changed", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "sense_rule_version",
        sa.Column("rule_id", Counter, sa.ForeignKey("sense_rule.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("body", Json, nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "sense_incident",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("cause", sa.String(60), nullable=False),
        sa.Column("began", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger, nullable=True),
        sa.Column("severity", sa.String(10), nullable=False),
    )
    op.create_index("ix_sense_incident_ended", "sense_incident", ["ended"])
    op.create_table(
        "sense_alarm",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("rule_id", Counter, sa.ForeignKey("sense_rule.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(18), nullable=False),
        sa.Column("subject", sa.String(60), nullable=False),
        sa.Column("severity", sa.String(10), nullable=False),
        sa.Column("cell", sa.BigInteger, nullable=True),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("began", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.BigInteger, nullable=True),
        sa.Column("reasons", Json, nullable=False),
        sa.Column("ended_by", Json, nullable=False),
        sa.Column("incident_id", Counter, sa.ForeignKey("sense_incident.id"), nullable=False),
        sa.Column("called", sa.BigInteger, nullable=True),
        sa.Column("call", sa.String(40), nullable=False),
        sa.Column("case_number", sa.String(40), nullable=False),
        sa.Column("escalated", sa.Integer, nullable=False),
        sa.Column("mark", sa.String(10), nullable=False),
        sa.Column("marked_by", sa.String(200), nullable=False),
    )
    op.create_index("ix_sense_alarm_rule", "sense_alarm", ["rule_id", "began"])
    op.create_index("ix_sense_alarm_ended", "sense_alarm", ["ended"])
    op.create_index("ix_sense_alarm_call", "sense_alarm", ["call"])
    op.create_index("ix_sense_alarm_case_number", "sense_alarm", ["case_number"])
    op.create_index("ix_sense_alarm_incident_id", "sense_alarm", ["incident_id"])
    op.create_table(
        "sense_watch",
        sa.Column("name", sa.String(20), primary_key=True),
        sa.Column("reading", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("sense_watch", "sense_alarm", "sense_incident", "sense_rule_version", "sense_rule"):
        op.drop_table(table)
