"""Seals over ranges of entries.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "seals",
        number("community_id"),
        number("number"),
        number("first_entry"),
        number("last_entry"),
        sa.Column("digest", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("community_id", "number", name=op.f("pk_seals")),
        sa.CheckConstraint("last_entry >= first_entry", name=op.f("ck_seals_range")),
        sqlite_strict=True,
    )
    if op.get_bind().dialect.name == "sqlite":
        for change in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER seals_refuse_{change} BEFORE {change.upper()} ON seals"
                " BEGIN SELECT RAISE(ABORT, 'seals are written once'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION seals_refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'seals are written once'; END $$"
    )
    for name, change in (
        ("change", "UPDATE OR DELETE ON seals FOR EACH ROW"),
        ("truncate", "TRUNCATE ON seals FOR EACH STATEMENT"),
    ):
        op.execute(f"CREATE TRIGGER seals_refuse_{name} BEFORE {change} EXECUTE FUNCTION seals_refuse_change()")


def downgrade() -> None:
    op.drop_table("seals")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION seals_refuse_change()")
