"""People, departments, roles, sign-ins and tokens."""

import sqlalchemy as sa
from alembic import op

from jingwei.records.base import Counter, Json, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "department",
        sa.Column("code", sa.String(18), primary_key=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("parent", sa.String(18), sa.ForeignKey("department.code")),
        sa.Column("closed", UtcDateTime()),
    )
    op.create_index("ix_department_parent", "department", ["parent"])
    op.create_table(
        "person",
        sa.Column("id", sa.String(24), primary_key=True),
        sa.Column("login", sa.String(120), nullable=False, unique=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("disabled", UtcDateTime()),
        sa.Column("password", sa.String(200)),
        sa.Column("setup_code", sa.LargeBinary(32)),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", UtcDateTime()),
        sa.Column("totp_secret", sa.String(64)),
        sa.Column("totp_used", sa.Integer()),
        sa.Column("recovery_codes", Json, nullable=False),
        sa.Column("issuer", sa.String(300)),
        sa.Column("outside_id", sa.String(300)),
    )
    op.create_index("ix_person_outside", "person", ["issuer", "outside_id"], unique=True)
    op.create_table(
        "duty",
        sa.Column("id", Counter, primary_key=True, autoincrement=True),
        sa.Column("person", sa.String(24), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("role", sa.String(60), nullable=False),
        sa.Column("department", sa.String(18), nullable=False),
        sa.Column("until", UtcDateTime()),
        sa.Column("outside", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_duty_person", "duty", ["person", "role", "department"], unique=True)
    separated = sa.text("role IN ('system_administrator', 'security_administrator', 'auditor')")
    op.create_index(
        "ix_duty_separated",
        "duty",
        ["person"],
        unique=True,
        sqlite_where=separated,
        postgresql_where=separated,
    )
    op.create_table(
        "sign_in",
        sa.Column("token", sa.LargeBinary(32), primary_key=True),
        sa.Column("person", sa.String(24), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("started", UtcDateTime(), nullable=False),
        sa.Column("seen", UtcDateTime(), nullable=False),
        sa.Column("address", sa.String(60), nullable=False),
        sa.Column("agent", sa.String(200), nullable=False),
    )
    op.create_index("ix_sign_in_person", "sign_in", ["person"])
    op.create_table(
        "api_token",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("token", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("person", sa.String(24), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("actions", Json, nullable=False),
        sa.Column("created", UtcDateTime(), nullable=False),
        sa.Column("expires", UtcDateTime(), nullable=False),
        sa.Column("used", UtcDateTime()),
    )
    op.create_index("ix_api_token_person", "api_token", ["person"])


def downgrade() -> None:
    for table in ("api_token", "sign_in", "duty", "person", "department"):
        op.drop_table(table)
