"""Whose bots a store serves, and refusals by whom they were told.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    op.create_table(
        "bots",
        text("platform"),
        text("native_id"),
        sa.PrimaryKeyConstraint("platform", name=op.f("pk_bots")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_answers_community_id_actor_at_us"), "answers", ["community_id", "actor", "at_us"])


def downgrade() -> None:
    op.drop_index(op.f("ix_answers_community_id_actor_at_us"), "answers")
    op.drop_table("bots")
