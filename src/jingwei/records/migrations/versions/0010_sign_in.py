"""Failures to sign in counted by name, sealed second factors, codes that end."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_failure",
        sa.Column("name", sa.LargeBinary(32), primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last", UtcDateTime(), nullable=False),
        sa.Column("locked_until", UtcDateTime()),
    )
    op.create_index("ix_sign_in_failure_last", "sign_in_failure", ["last"])
    op.drop_column("person", "failures")
    op.drop_column("person", "locked_until")
    # What was kept unsealed is not carried over: those second factors are set up anew.
    op.drop_column("person", "totp_secret")
    op.add_column("person", sa.Column("totp_secret", sa.String(200)))
    op.execute("UPDATE person SET totp_used = NULL, recovery_codes = '[]'")
    op.add_column("person", sa.Column("setup_until", UtcDateTime()))
    op.create_index("ix_person_setup_code", "person", ["setup_code"], unique=True)
    op.create_index("ix_duty_department", "duty", ["department"])
    op.add_column("sign_in", sa.Column("id_token", sa.Text()))


def downgrade() -> None:
    op.drop_column("sign_in", "id_token")
    op.drop_index("ix_duty_department", "duty")
    op.drop_index("ix_person_setup_code", "person")
    op.drop_column("person", "setup_until")
    op.drop_column("person", "totp_secret")
    op.add_column("person", sa.Column("totp_secret", sa.String(64)))
    op.add_column("person", sa.Column("locked_until", UtcDateTime()))
    op.add_column("person", sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    op.drop_index("ix_sign_in_failure_last", "sign_in_failure")
    op.drop_table("sign_in_failure")
