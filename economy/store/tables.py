"""The tables. Migrations make them; a test compares the two.

Primary keys of what a community owns begin with `community_id`, so that its rows live together and a distributed
PostgreSQL can spread communities over machines. Times are UTC microseconds since 1970 (`_us`), days are ordinals of
local dates, `owner` is a member's id or an `economy.values.Own`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only for a column declared INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")


def table(
    name: str,
    *parts: Column[Any] | CheckConstraint | Index | PrimaryKeyConstraint | UniqueConstraint,
    with_rowid: bool = True,
    fillfactor: int | None = None,
) -> Table:
    """`with_rowid` False: on SQLite the rows lie in the primary key itself. `fillfactor`: per cent of a page of
    PostgreSQL's that new rows may fill; the rest is for their changed versions."""
    made: Table = Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=with_rowid)
    if fillfactor is not None:
        made.dialect_options["postgresql"]["with"] = {"fillfactor": fillfactor}
    return made


def number(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, BigInteger().with_variant(Integer, "sqlite"), nullable=nullable)


def text(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, Text, nullable=nullable)


def flag(name: str) -> Column[Any]:
    # STRICT tables know no BOOLEAN: 0 or 1 in an INTEGER on SQLite.
    return Column(name, Boolean().with_variant(Integer, "sqlite"), nullable=False)


# --- global ---------------------------------------------------------------------------------------------------------

communities = table("communities", Column("id", RowId, primary_key=True), number("created_us"))
# `own_id`: the community that began in a place, where it meets in another one's now. `former_id`: the other one's that
# it left last.
places = table(
    "places",
    text("platform"),
    text("native_id"),
    number("community_id"),
    number("own_id", nullable=True),
    number("former_id", nullable=True),
    PrimaryKeyConstraint("platform", "native_id"),
    Index(None, "community_id"),
)
persons = table("persons", Column("id", RowId, primary_key=True), number("created_us"))
identities = table(
    "identities",
    text("platform"),
    text("native_id"),
    number("person_id"),
    flag("is_bot"),
    PrimaryKeyConstraint("platform", "native_id"),
    Index(None, "person_id"),
)

# By which two identities are being joined (`economy.links`): the code that an identity asked for, who entered it and
# agreed, and how often it entered a wrong one itself.
connect_codes = table(
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
    PrimaryKeyConstraint("platform", "native_id"),
    UniqueConstraint("code"),
)

# --- what decides the next order ------------------------------------------------------------------------------------

# The row that orders of a member lock. `skeleton` is the name with look-alike characters folded together.
members = table(
    "members",
    number("community_id"),
    number("person_id"),
    text("name"),
    text("skeleton"),
    number("seen_us"),
    PrimaryKeyConstraint("community_id", "person_id"),
    Index(None, "community_id", "skeleton"),
    Index(None, "person_id"),
)
counters = table("counters", number("community_id"), number("last_entry"), PrimaryKeyConstraint("community_id"))
accounts = table(
    "accounts",
    number("community_id"),
    number("owner"),
    text("asset"),
    number("balance"),
    PrimaryKeyConstraint("community_id", "owner", "asset"),
    # mint and sales (-1, -2) stand below zero by what they issued, down to the supply cap; nobody else may.
    CheckConstraint("balance >= CASE WHEN owner IN (-1, -2) THEN -4611686018427387904 ELSE 0 END", name="floor"),
    CheckConstraint(
        "balance <= CASE WHEN owner > 0 THEN 9007199254740991 ELSE 4611686018427387904 END", name="ceiling"
    ),
    CheckConstraint("asset IN ('coin', 'bonus', 'diamond')", name="asset"),
    CheckConstraint("owner <> 0 AND owner >= -6", name="owner"),
)
# The latest value of every flag; `value` is JSON, so that true, 1 and "1" stay apart. subject 0: the community.
flags = table(
    "flags",
    number("community_id"),
    number("subject"),
    text("name"),
    text("value"),
    PrimaryKeyConstraint("community_id", "subject", "name"),
    Index("ix_flags_name", "community_id", "name", "subject"),
)
totals = table(
    "totals",
    number("community_id"),
    number("member_id"),
    number("day"),
    text("name"),
    number("amount"),
    PrimaryKeyConstraint("community_id", "member_id", "day", "name"),
)
# Answers that made no entry: refusals, questions, and refusals with an offer. `answer` is JSON.
answers = table(
    "answers",
    number("community_id"),
    text("key"),
    text("digest"),
    text("kind"),
    number("actor"),
    text("code", nullable=True),
    number("at_us"),
    text("answer"),
    PrimaryKeyConstraint("community_id", "key"),
    Index(None, "community_id", "at_us"),
    Index(None, "community_id", "actor", "at_us"),
)
offers = table(
    "offers",
    number("community_id"),
    text("nonce"),
    text("label"),
    number("presser"),
    number("expires_us"),
    text("order"),
    number("used_by", nullable=True),
    PrimaryKeyConstraint("community_id", "nonce"),
)

# --- written once ---------------------------------------------------------------------------------------------------

entries = table(
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
    PrimaryKeyConstraint("community_id", "number"),
    UniqueConstraint("community_id", "key"),
    Index(None, "community_id", "actor", "number"),
    Index(None, "community_id", "kind", "number"),
)
# `source_after` and `destination_after`: the member's balance after this posting; null for the community's own.
postings = table(
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
    PrimaryKeyConstraint("community_id", "entry", "ordinal"),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("source <> destination", name="two_accounts"),
    Index("ix_postings_source", "community_id", "source", "entry"),
    Index("ix_postings_destination", "community_id", "destination", "entry"),
)
facts = table(
    "facts",
    number("community_id"),
    number("entry"),
    number("ordinal"),
    number("subject"),
    text("name"),
    text("before"),
    text("after"),
    PrimaryKeyConstraint("community_id", "entry", "ordinal"),
    Index(None, "community_id", "subject", "entry"),
)
# Which entry took back which: its primary key is what makes an undo happen once.
reversals = table(
    "reversals",
    number("community_id"),
    number("original"),
    number("by_entry"),
    PrimaryKeyConstraint("community_id", "original"),
    Index(None, "community_id", "by_entry"),
)

# Digests of ranges of entries (`economy.projections.seals`): evidence, which no rebuilding touches.
seals = table(
    "seals",
    number("community_id"),
    number("number"),
    number("first_entry"),
    number("last_entry"),
    text("digest"),
    PrimaryKeyConstraint("community_id", "number"),
    CheckConstraint("last_entry >= first_entry", name="range"),
)

APPEND_ONLY = (entries, postings, facts, reversals, seals)
"""Tables that refuse UPDATE and DELETE by trigger."""

# --- beside the entries ---------------------------------------------------------------------------------------------

# Words people wrote: removable, which entries are not.
texts = table(
    "texts",
    number("community_id"),
    number("entry"),
    number("author"),
    text("topic"),
    text("text"),
    flag("removed"),
    PrimaryKeyConstraint("community_id", "entry"),
    Index(None, "community_id", "author", "topic", "entry"),
)
# `platform`: the one that it is still to be told on; null for all of them.
outbox = table(
    "outbox",
    Column("id", RowId, primary_key=True),
    number("community_id"),
    number("entry"),
    text("event"),
    number("due_us"),
    number("leased_until_us"),
    number("attempts"),
    text("platform", nullable=True),
    Index(None, "due_us"),
)

# The bot of each platform that the store is for.
bots = table(
    "bots",
    text("platform"),
    text("native_id"),
    PrimaryKeyConstraint("platform"),
)

# What an entry set aside in escrow, as long as it waits: for whom (`name`), and until when. Leased by whoever returns
# it at that hour.
waiting = table(
    "waiting",
    number("community_id"),
    number("entry"),
    text("name"),
    number("due_us"),
    number("leased_until_us"),
    number("attempts"),
    PrimaryKeyConstraint("community_id", "entry"),
    Index(None, "community_id", "name"),
    Index(None, "due_us"),
)

# What doors remember, of which nothing follows: where a message is, whose name is whose. All of it may be lost.
memory = table(
    "memory",
    text("platform"),
    text("kind"),
    text("key"),
    text("value"),
    number("until_us"),
    PrimaryKeyConstraint("platform", "kind", "key"),
    Index(None, "until_us"),
)

# --- projections ----------------------------------------------------------------------------------------------------

watermarks = table(
    "watermarks",
    number("community_id"),
    text("projection"),
    number("entry"),
    PrimaryKeyConstraint("community_id", "projection"),
)
# One member's number on one board in one period (`series`: `economy.projections.boards.series_of`). `score` may fall
# below 0 (tippers); `reached` is the entry that brought it where it is. Both again as `standing` and `since` for listed
# members above 0, who are on the board and in the histogram: only these are in the index, so that PostgreSQL changes
# all other scores in place.
scores = table(
    "scores",
    number("community_id"),
    number("member_id"),
    number("series"),
    number("score"),
    number("reached"),
    flag("listed"),
    number("standing", nullable=True),
    number("since", nullable=True),
    PrimaryKeyConstraint("community_id", "member_id", "series"),
    with_rowid=False,
    fillfactor=70,
)
# A board in its order, so that a page of it is a piece of this index, however many are equal.
Index(
    "ix_scores_rank",
    scores.c.community_id,
    scores.c.series,
    scores.c.standing.desc(),
    scores.c.since,
    scores.c.member_id,
    sqlite_where=scores.c.standing.is_not(None),
    postgresql_where=scores.c.standing.is_not(None),
)
# How many listed members have a score in a bucket (`economy.projections.boards.bucket`).
histogram = table(
    "histogram",
    number("community_id"),
    number("series"),
    number("bucket"),
    number("members"),
    PrimaryKeyConstraint("community_id", "series", "bucket"),
    CheckConstraint("members >= 0", name="members"),
    with_rowid=False,
)
# Sums per local day for statistics: `name` is a kind of entry and an asset, such as `tip.bonus`.
day_totals = table(
    "day_totals",
    number("community_id"),
    number("day"),
    text("name"),
    number("entries"),
    number("amount"),
    PrimaryKeyConstraint("community_id", "day", "name"),
)

PROJECTED = (scores, histogram, day_totals, watermarks)
"""Tables that follow from the entries and can be rebuilt."""
