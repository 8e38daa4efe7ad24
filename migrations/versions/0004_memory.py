"""What doors remember.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    op.create_table(
        "memory",
        text("platform"),
        text("kind"),
        text("key"),
        text("value"),
        sa.Column("until_us", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("platform", "kind", "key", name=op.f("pk_memory")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_memory_until_us"), "memory", ["until_us"])


def downgrade() -> None:
    op.drop_table("memory")
