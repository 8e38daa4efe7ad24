"""Scores by member, with a short number for a board's period; only those on a board are in its index.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

# What `economy.projections.boards.series_of` makes of them.
BOARDS = ("creators", "supporters", "tippers", "balance")
PERIODS = ("hour", "day", "week", "month", "all")


def number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=nullable)


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean().with_variant(sa.Integer, "sqlite"), nullable=False)


def upgrade() -> None:
    boards = " ".join(f"WHEN '{name}' THEN {place}" for place, name in enumerate(BOARDS))
    periods = " ".join(f"WHEN '{name}' THEN {place}" for place, name in enumerate(PERIODS))
    series = f"start_us / 1000000 * 64 + CASE board {boards} END * 8 + CASE period {periods} END"
    op.execute(f"CREATE TABLE old_scores AS SELECT *, {series} AS series FROM scores")
    op.execute(f"CREATE TABLE old_histogram AS SELECT *, {series} AS series FROM histogram")
    op.drop_table("scores")
    op.drop_table("histogram")
    op.create_table(
        "scores",
        number("community_id"),
        number("member_id"),
        number("series"),
        number("score"),
        number("reached"),
        flag("listed"),
        number("standing", nullable=True),
        number("since", nullable=True),
        sa.PrimaryKeyConstraint("community_id", "member_id", "series", name=op.f("pk_scores")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": 70},
    )
    stands = "CASE WHEN listed{} AND score > 0 THEN {} END"
    is_true = " = 1" if op.get_bind().dialect.name == "sqlite" else ""
    op.execute(
        "INSERT INTO scores (community_id, member_id, series, score, reached, listed, standing, since)"
        f" SELECT community_id, member_id, series, score, reached, listed, {stands.format(is_true, 'score')},"
        f" {stands.format(is_true, 'reached')} FROM old_scores ORDER BY community_id, member_id, series"
    )
    op.create_index(
        op.f("ix_scores_rank"),
        "scores",
        ["community_id", "series", sa.text("standing DESC"), "since", "member_id"],
        sqlite_where=sa.text("standing IS NOT NULL"),
        postgresql_where=sa.text("standing IS NOT NULL"),
    )
    op.create_table(
        "histogram",
        number("community_id"),
        number("series"),
        number("bucket"),
        number("members"),
        sa.PrimaryKeyConstraint("community_id", "series", "bucket", name=op.f("pk_histogram")),
        sa.CheckConstraint("members >= 0", name=op.f("ck_histogram_members")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO histogram (community_id, series, bucket, members)"
        " SELECT community_id, series, bucket, members FROM old_histogram"
    )
    op.drop_table("old_scores")
    op.drop_table("old_histogram")


def downgrade() -> None:
    boards = " ".join(f"WHEN {place} THEN '{name}'" for place, name in enumerate(BOARDS))
    periods = " ".join(f"WHEN {place} THEN '{name}'" for place, name in enumerate(PERIODS))
    parts = (
        f"CASE (series >> 3) & 7 {boards} END AS board, CASE series & 7 {periods} END AS period,"
        " (series >> 6) * 1000000 AS start_us"
    )
    op.execute(f"CREATE TABLE new_scores AS SELECT *, {parts} FROM scores")
    op.execute(f"CREATE TABLE new_histogram AS SELECT *, {parts} FROM histogram")
    op.drop_table("scores")
    op.drop_table("histogram")
    op.create_table(
        "scores",
        number("community_id"),
        text("board"),
        text("period"),
        number("start_us"),
        number("member_id"),
        number("score"),
        number("reached"),
        flag("listed"),
        sa.PrimaryKeyConstraint("community_id", "board", "period", "start_us", "member_id", name=op.f("pk_scores")),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO scores (community_id, board, period, start_us, member_id, score, reached, listed)"
        " SELECT community_id, board, period, start_us, member_id, score, reached, listed FROM new_scores"
    )
    op.create_index(
        op.f("ix_scores_rank"),
        "scores",
        ["community_id", "board", "period", "start_us", "listed", sa.text("score DESC"), "reached", "member_id"],
    )
    op.create_index(op.f("ix_scores_member"), "scores", ["community_id", "member_id"])
    op.create_table(
        "histogram",
        number("community_id"),
        text("board"),
        text("period"),
        number("start_us"),
        number("bucket"),
        number("members"),
        sa.PrimaryKeyConstraint("community_id", "board", "period", "start_us", "bucket", name=op.f("pk_histogram")),
        sa.CheckConstraint("members >= 0", name=op.f("ck_histogram_members")),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO histogram (community_id, board, period, start_us, bucket, members)"
        " SELECT community_id, board, period, start_us, bucket, members FROM new_histogram"
    )
    op.drop_table("new_scores")
    op.drop_table("new_histogram")
