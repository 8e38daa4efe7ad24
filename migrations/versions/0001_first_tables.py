"""Every table of the first release.

Revision ID: 0001
Revises: none
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

WRITTEN_ONCE = ("entries", "postings", "facts", "reversals")


def number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=nullable)


def text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean().with_variant(sa.Integer, "sqlite"), nullable=False)


def upgrade() -> None:
    upgrade_people()
    upgrade_state()
    upgrade_answers()
    upgrade_entries()
    upgrade_beside()
    upgrade_projections()
    for table in WRITTEN_ONCE:
        refuse_changes(table)


def upgrade_people() -> None:
    op.create_table(
        "communities",
        number("id"),
        number("created_us"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_communities")),
        sqlite_strict=True,
    )
    op.create_table(
        "places",
        text("platform"),
        text("native_id"),
        number("community_id"),
        sa.PrimaryKeyConstraint("platform", "native_id", name=op.f("pk_places")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_places_community_id"), "places", ["community_id"])
    op.create_table(
        "persons",
        number("id"),
        number("created_us"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
        sqlite_strict=True,
    )
    op.create_table(
        "identities",
        text("platform"),
        text("native_id"),
        number("person_id"),
        flag("is_bot"),
        sa.PrimaryKeyConstraint("platform", "native_id", name=op.f("pk_identities")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_identities_person_id"), "identities", ["person_id"])


def upgrade_state() -> None:
    op.create_table(
        "members",
        number("community_id"),
        number("person_id"),
        text("name"),
        text("skeleton"),
        number("seen_us"),
        sa.PrimaryKeyConstraint("community_id", "person_id", name=op.f("pk_members")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_members_community_id_skeleton"), "members", ["community_id", "skeleton"])
    op.create_table(
        "counters",
        number("community_id"),
        number("last_entry"),
        sa.PrimaryKeyConstraint("community_id", name=op.f("pk_counters")),
        sqlite_strict=True,
    )
    op.create_table(
        "accounts",
        number("community_id"),
        number("owner"),
        text("asset"),
        number("balance"),
        sa.PrimaryKeyConstraint("community_id", "owner", "asset", name=op.f("pk_accounts")),
        sa.CheckConstraint("asset IN ('coin', 'bonus', 'diamond')", name=op.f("ck_accounts_asset")),
        sa.CheckConstraint(
            "balance <= CASE WHEN owner > 0 THEN 9007199254740991 ELSE 4611686018427387904 END",
            name=op.f("ck_accounts_ceiling"),
        ),
        sa.CheckConstraint(
            "balance >= CASE WHEN owner IN (-1, -2) THEN -4611686018427387904 ELSE 0 END",
            name=op.f("ck_accounts_floor"),
        ),
        sa.CheckConstraint("owner <> 0 AND owner >= -6", name=op.f("ck_accounts_owner")),
        sqlite_strict=True,
    )
    op.create_table(
        "flags",
        number("community_id"),
        number("subject"),
        text("name"),
        text("value"),
        sa.PrimaryKeyConstraint("community_id", "subject", "name", name=op.f("pk_flags")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_flags_name"), "flags", ["community_id", "name", "subject"])
    op.create_table(
        "totals",
        number("community_id"),
        number("member_id"),
        number("day"),
        text("name"),
        number("amount"),
        sa.PrimaryKeyConstraint("community_id", "member_id", "day", "name", name=op.f("pk_totals")),
        sqlite_strict=True,
    )


def upgrade_answers() -> None:
    op.create_table(
        "answers",
        number("community_id"),
        text("key"),
        text("digest"),
        text("kind"),
        number("actor"),
        text("code", nullable=True),
        number("at_us"),
        text("answer"),
        sa.PrimaryKeyConstraint("community_id", "key", name=op.f("pk_answers")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_answers_community_id_at_us"), "answers", ["community_id", "at_us"])
    op.create_table(
        "offers",
        number("community_id"),
        text("nonce"),
        text("label"),
        number("presser"),
        number("expires_us"),
        text("order"),
        number("used_by", nullable=True),
        sa.PrimaryKeyConstraint("community_id", "nonce", name=op.f("pk_offers")),
        sqlite_strict=True,
    )


def upgrade_entries() -> None:
    op.create_table(
        "entries",
        number("community_id"),
        number("number"),
        text("key"),
        text("digest"),
        text("kind"),
        number("actor"),
        text("reason"),
        number("at_us"),
        text("time_zone"),
        text("receipt"),
        sa.UniqueConstraint("community_id", "key", name=op.f("uq_entries_community_id_key")),
        sa.PrimaryKeyConstraint("community_id", "number", name=op.f("pk_entries")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_entries_community_id_actor_number"), "entries", ["community_id", "actor", "number"])
    op.create_index(op.f("ix_entries_community_id_kind_number"), "entries", ["community_id", "kind", "number"])
    op.create_table(
        "postings",
        number("community_id"),
        number("entry"),
        number("ordinal"),
        number("leg"),
        number("source"),
        number("destination"),
        text("asset"),
        number("amount"),
        number("source_after", nullable=True),
        number("destination_after", nullable=True),
        sa.PrimaryKeyConstraint("community_id", "entry", "ordinal", name=op.f("pk_postings")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_postings_amount")),
        sa.CheckConstraint("source <> destination", name=op.f("ck_postings_two_accounts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_postings_destination"), "postings", ["community_id", "destination", "entry"])
    op.create_index(op.f("ix_postings_source"), "postings", ["community_id", "source", "entry"])
    op.create_table(
        "facts",
        number("community_id"),
        number("entry"),
        number("ordinal"),
        number("subject"),
        text("name"),
        text("before"),
        text("after"),
        sa.PrimaryKeyConstraint("community_id", "entry", "ordinal", name=op.f("pk_facts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_facts_community_id_subject_entry"), "facts", ["community_id", "subject", "entry"])
    op.create_table(
        "reversals",
        number("community_id"),
        number("original"),
        number("by_entry"),
        sa.PrimaryKeyConstraint("community_id", "original", name=op.f("pk_reversals")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_reversals_community_id_by_entry"), "reversals", ["community_id", "by_entry"])


def upgrade_beside() -> None:
    op.create_table(
        "texts",
        number("community_id"),
        number("entry"),
        number("author"),
        text("topic"),
        text("text"),
        flag("removed"),
        sa.PrimaryKeyConstraint("community_id", "entry", name=op.f("pk_texts")),
        sqlite_strict=True,
    )
    op.create_index(
        op.f("ix_texts_community_id_author_topic_entry"), "texts", ["community_id", "author", "topic", "entry"]
    )
    op.create_table(
        "outbox",
        number("id"),
        number("community_id"),
        number("entry"),
        text("event"),
        number("due_us"),
        number("leased_until_us"),
        number("attempts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_outbox_due_us"), "outbox", ["due_us"])


def upgrade_projections() -> None:
    op.create_table(
        "watermarks",
        number("community_id"),
        text("projection"),
        number("entry"),
        sa.PrimaryKeyConstraint("community_id", "projection", name=op.f("pk_watermarks")),
        sqlite_strict=True,
    )
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
    op.create_table(
        "day_totals",
        number("community_id"),
        number("day"),
        text("name"),
        number("entries"),
        number("amount"),
        sa.PrimaryKeyConstraint("community_id", "day", "name", name=op.f("pk_day_totals")),
        sqlite_strict=True,
    )


def refuse_changes(table: str) -> None:
    """What is written once refuses UPDATE and DELETE, on SQLite also by way of INSERT OR REPLACE."""
    if op.get_bind().dialect.name == "sqlite":
        for change in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{change} BEFORE {change.upper()} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} are written once'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{table} are written once'; END $$"
    )
    for name, change in (
        ("change", "UPDATE OR DELETE ON {} FOR EACH ROW"),
        ("truncate", "TRUNCATE ON {} FOR EACH STATEMENT"),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_refuse_{name} BEFORE {change.format(table)}"
            f" EXECUTE FUNCTION {table}_refuse_change()"
        )


def downgrade() -> None:
    for table in (
        "day_totals",
        "histogram",
        "scores",
        "watermarks",
        "outbox",
        "texts",
        "reversals",
        "facts",
        "postings",
        "entries",
        "offers",
        "answers",
        "totals",
        "flags",
        "accounts",
        "counters",
        "members",
        "identities",
        "persons",
        "places",
        "communities",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for table in WRITTEN_ONCE:
            op.execute(f"DROP FUNCTION {table}_refuse_change()")
