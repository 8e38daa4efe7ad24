"""Codes by which two identities become one person, and finding all communities of a person.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "connect_codes",
        text("platform"),
        text("native_id"),
        text("name"),
        text("code", nullable=True),
        number("expires_us"),
        text("other_platform", nullable=True),
        text("other_native_id", nullable=True),
        text("other_name"),
        number("guesses"),
        number("guesses_until_us"),
        sa.PrimaryKeyConstraint("platform", "native_id", name=op.f("pk_connect_codes")),
        sa.UniqueConstraint("code", name=op.f("uq_connect_codes_code")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_members_person_id"), "members", ["person_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_members_person_id"), "members")
    op.drop_table("connect_codes")
