"""Places that join another's community, and notices for some platforms only.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    number = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    op.execute(f"ALTER TABLE places ADD COLUMN own_id {number}")
    op.execute(f"ALTER TABLE places ADD COLUMN former_id {number}")
    op.execute("ALTER TABLE outbox ADD COLUMN platform TEXT")


def downgrade() -> None:
    # An older release knows one place a community: whoever joined goes home.
    op.execute("UPDATE places SET community_id = own_id WHERE own_id IS NOT NULL")
    op.execute("ALTER TABLE places DROP COLUMN former_id")
    op.execute("ALTER TABLE places DROP COLUMN own_id")
    op.execute("DELETE FROM outbox WHERE platform IS NOT NULL")
    op.execute("ALTER TABLE outbox DROP COLUMN platform")
