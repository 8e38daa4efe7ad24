"""What waits in escrow.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "waiting",
        number("community_id"),
        number("entry"),
        sa.Column("name", sa.Text, nullable=False),
        number("due_us"),
        number("leased_until_us"),
        number("attempts"),
        sa.PrimaryKeyConstraint("community_id", "entry", name=op.f("pk_waiting")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_waiting_community_id_name"), "waiting", ["community_id", "name"])
    op.create_index(op.f("ix_waiting_due_us"), "waiting", ["due_us"])


def downgrade() -> None:
    op.drop_table("waiting")
