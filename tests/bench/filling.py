"""Large communities made by the database itself, with sums that are right: what a million orders would have left.

Every member has joined (one entry), got free coins (one entry) and, where asked, bought coins (one entry). Growing
adds rounds of tips in which everyone gives one coin to the next, so that balances end where they began.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from economy.projections.boards import Board, Period, bucket, series_of, start_us
from economy.store.engine import Store
from economy.store.tables import metadata
from economy.store.timing import to_us
from economy.values import CommunityId, Identity, Place

COMMUNITY: Final = CommunityId(1)
PLACE: Final = Place("discord", "900000000000000001")
AT: Final = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
"""When all of it is said to have happened."""

BONUS_LEAST: Final = 100_000
BONUS_SPREAD: Final = 99_991
COINS_BOUGHT: Final = 1_000_000
ROUND_MAX: Final = 1_000_000
BALANCE: Final = series_of(Board.BALANCE, Period.ALL, 0)
"""Entries added by one set of statements, so that no transaction holds them all."""

PATIENCE_S: Final = 3_600.0

FIRST_ID: Final = 400_000_000_000_000_000
"""The native id of member 0, who is none."""
_FIRST_KEY: Final = 1_000_000_000_000_000_000


class Filled(Struct, frozen=True):
    """What is in a store: members 1 to `members`, and entries 1 to `entries`."""

    members: int
    entries: int


def person(number: int) -> Identity:
    """The identity of the filled member with this id."""
    return Identity("discord", str(FIRST_ID + number))


def person_name(number: int) -> str:
    return f"member {number}"


async def fill(store: Store, *, members: int, bought: bool, place: Place = PLACE, first_id: int = FIRST_ID) -> Filled:
    """Makes a community of `members` in an empty store, which meets at `place`. With `bought` they hold bought coins
    as well."""
    at_us = to_us(AT)
    bonus = f"({BONUS_LEAST} + (i * 7919) % {BONUS_SPREAD})"
    everyone = _numbers(store, 1, members)
    entries = members * (3 if bought else 2)
    statements = [
        f"INSERT INTO communities (id, created_us) VALUES ({COMMUNITY}, {at_us})",
        (
            "INSERT INTO places (platform, native_id, community_id)"
            f" VALUES ('{place.platform}', '{place.native_id}', {COMMUNITY})"
        ),
        f"INSERT INTO counters (community_id, last_entry) VALUES ({COMMUNITY}, {entries})",
        f"INSERT INTO persons (id, created_us) SELECT i, {at_us} FROM {everyone}",
        (
            "INSERT INTO identities (platform, native_id, person_id, is_bot)"
            f" SELECT '{place.platform}', CAST({first_id} + i AS text), i, false FROM {everyone}"
        ),
        (
            "INSERT INTO members (community_id, person_id, name, skeleton, seen_us)"
            f" SELECT {COMMUNITY}, i, 'member ' || i, 'member' || i, {at_us} FROM {everyone}"
        ),
        *(_set_for_all(everyone, name) for name in ("present", "acted")),
        _entries_of(everyone, 0, "join", '{"receipt":"joined","member":#}'),
        *_granted(everyone, members, "bonus", bonus, -1),
        _entries_of(everyone, members, "welcome", f'{{"receipt":"welcomed","member":#,"amount":{bonus}}}'),
        _facts_of(everyone, 0, "present"),
        _facts_of(everyone, members, "acted"),
    ]
    if bought:
        statements += [
            *_granted(everyone, 2 * members, "coin", str(COINS_BOUGHT), -2),
            _entries_of(
                everyone,
                2 * members,
                "coins",
                '{"receipt":"adjusted","actor":1,"action":"add","asset":"coin","rows":'
                f'[{{"member":#,"amount":{COINS_BOUGHT},"moved":{COINS_BOUGHT},"balance":{COINS_BOUGHT}}}]}}',
                actor="1",
            ),
            (
                "INSERT INTO totals (community_id, member_id, day, name, amount)"
                f" VALUES ({COMMUNITY}, 1, {AT.date().toordinal()}, 'adjusted', {members * COINS_BOUGHT})"
            ),
        ]
    statements += _balance_board(members, entries, bought=bought)
    await _run(store, statements)
    await _count_into_buckets(store)
    await settle(store)
    return Filled(members, entries)


async def grow(store: Store, filled: Filled, entries: int) -> Filled:
    """Adds rounds of tips until there are `entries` (to the nearest whole round)."""
    members = filled.members
    rounds = max(0, round((entries - filled.entries) / members))
    at_once = max(1, ROUND_MAX // members)
    last = filled.entries
    async with _indices_later(store):
        for first_round in range(0, rounds, at_once):
            count = min(at_once, rounds - first_round)
            await _run(store, list(_tips(store, members, last, last + count * members)))
            last += count * members
    if rounds:
        await _run(store, list(_after_tips(members, last)))
        await settle(store)
    return Filled(members, last)


async def settle(store: Store) -> None:
    """What a store in use has had for long: statistics, and on PostgreSQL clean pages and sequences that know."""
    if not store.bulk.locks_rows:
        await _run(store, ["ANALYZE"])
        return
    for table in ("communities", "persons"):
        await _run(store, [f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"])
    async with store.writer.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.exec_driver_sql(f"VACUUM (ANALYZE) {', '.join(metadata.tables)}")
        await alone.exec_driver_sql("CHECKPOINT")


@asynccontextmanager
async def _indices_later(store: Store) -> AsyncIterator[None]:
    """Takes the indices of entries and postings away, and makes them anew at the end: a third of the time."""
    described = _INDICES_POSTGRES if store.bulk.locks_rows else _INDICES_SQLITE
    async with store.read() as connection:
        found: Sequence[Any] = (await connection.exec_driver_sql(described)).all()
    await _run(store, [drop for drop, _ in found])
    yield
    memory = ["SET LOCAL maintenance_work_mem = '1GB'"] if store.bulk.locks_rows else []
    await _run(store, [*memory, *(make for _, make in found)])


_INDICES_SQLITE: Final = """
SELECT 'DROP INDEX ' || name, sql FROM sqlite_master
WHERE type = 'index' AND tbl_name IN ('entries', 'postings') AND sql IS NOT NULL
"""
# Keys first: their indices cannot be dropped by themselves.
_INDICES_POSTGRES: Final = """
SELECT CASE WHEN conname IS NULL THEN 'DROP INDEX ' || indexrelid::regclass
            ELSE 'ALTER TABLE ' || indrelid::regclass || ' DROP CONSTRAINT ' || conname END,
       CASE WHEN conname IS NULL THEN pg_get_indexdef(indexrelid)
            ELSE 'ALTER TABLE ' || indrelid::regclass || ' ADD CONSTRAINT ' || conname || ' '
                 || pg_get_constraintdef(pg_constraint.oid) END
FROM pg_index LEFT JOIN pg_constraint ON conindid = indexrelid AND conrelid = indrelid
WHERE indrelid IN ('entries'::regclass, 'postings'::regclass)
"""


# --- statements -----------------------------------------------------------------------------------------------------


def _numbers(store: Store, first: int, last: int) -> str:
    """The numbers `first` to `last` as a table n with one column i."""
    if store.bulk.locks_rows:
        return f"generate_series(CAST({first} AS bigint), CAST({last} AS bigint)) AS n(i)"
    return (
        f"(WITH RECURSIVE c(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM c WHERE i < {last}) SELECT i FROM c) AS n"
    )


def _set_for_all(everyone: str, name: str) -> str:
    return (
        "INSERT INTO flags (community_id, subject, name, value)"
        f" SELECT {COMMUNITY}, i, '{name}', 'true' FROM {everyone}"
    )


def _entries_of(everyone: str, after: int, kind: str, receipt: str, *, actor: str = "i") -> str:
    """One entry for each number: `after` + i. `#` in the receipt stands for i, and so does an expression with it."""
    text = "'" + receipt.replace("#", "' || i || '") + "'"
    bonus = f"({BONUS_LEAST} + (i * 7919) % {BONUS_SPREAD})"
    text = text.replace(bonus, f"' || {bonus} || '")
    return (
        "INSERT INTO entries (community_id, number, key, digest, kind, actor, reason, at_us, time_zone, receipt)"
        f" SELECT {COMMUNITY}, {after} + i, {_key(f'({after} + i)')}, substr({_key('i')}, 1, 32), '{kind}', {actor},"
        f" '', {to_us(AT)}, 'UTC', {text} FROM {everyone}"
    )


def _key(number: str) -> str:
    return f"'discord:interaction:' || ({_FIRST_KEY} + {number})"


def _facts_of(everyone: str, after: int, name: str) -> str:
    return (
        "INSERT INTO facts (community_id, entry, ordinal, subject, name, before, after)"
        f" SELECT {COMMUNITY}, {after} + i, 0, i, '{name}', 'null', 'true' FROM {everyone}"
    )


def _granted(everyone: str, after: int, asset: str, amount: str, issuer: int) -> Iterator[str]:
    """Accounts, the issuer's account, and postings of entries `after` + i, by which member i gets `amount`."""
    yield (
        "INSERT INTO accounts (community_id, owner, asset, balance)"
        f" SELECT {COMMUNITY}, i, '{asset}', {amount} FROM {everyone}"
    )
    yield (
        "INSERT INTO accounts (community_id, owner, asset, balance)"
        f" SELECT {COMMUNITY}, {issuer}, '{asset}', -sum({amount}) FROM {everyone}"
    )
    yield (
        "INSERT INTO postings (community_id, entry, ordinal, leg, source, destination, asset, amount, source_after,"
        f" destination_after) SELECT {COMMUNITY}, {after} + i, 0, 0, {issuer}, i, '{asset}', {amount}, NULL, {amount}"
        f" FROM {everyone}"
    )
    kind = "welcome" if asset == "bonus" else "coins"
    yield (
        "INSERT INTO day_totals (community_id, day, name, entries, amount)"
        f" SELECT {COMMUNITY}, {AT.date().toordinal()}, '{kind}.{asset}', count(*), sum({amount}) FROM {everyone}"
    )


def _balance_board(members: int, entries: int, *, bought: bool) -> Iterator[str]:
    reached = (2 if bought else 1) * members
    yield (
        "INSERT INTO scores (community_id, member_id, series, score, reached, listed, standing, since)"
        f" SELECT {COMMUNITY}, owner, {BALANCE}, sum(balance), {reached} + owner, true, sum(balance), {reached} + owner"
        f" FROM accounts WHERE community_id = {COMMUNITY} AND owner > 0 GROUP BY owner"
    )
    yield (f"INSERT INTO watermarks (community_id, projection, entry) VALUES ({COMMUNITY}, 'boards', {entries})")


def _tips(store: Store, members: int, last: int, until: int) -> Iterator[str]:
    """Entries `last` + 1 to `until`: member t tips the next one coin, t going round."""
    series = _numbers(store, last + 1, until)
    # Whoever is last tips the first, who has given before getting: all others get before they give.
    rows = f"(SELECT i, (i - {last} - 1) % {members} + 1 AS t, (i - {last}) % {members} + 1 AS u FROM {series}) AS r"
    receiver = f"({BONUS_LEAST} + (u * 7919) % {BONUS_SPREAD}) + CASE WHEN u = 1 THEN 0 ELSE 1 END"
    sender = f"({BONUS_LEAST} + (t * 7919) % {BONUS_SPREAD}) - CASE WHEN t = 1 THEN 1 ELSE 0 END"
    receipt = """'{"receipt":"tipped","sender":' || t || ',"tips":[{"to":' || u || ',"amount":1}],"bought":0}'"""
    yield (
        "INSERT INTO entries (community_id, number, key, digest, kind, actor, reason, at_us, time_zone, receipt)"
        f" SELECT {COMMUNITY}, i, {_key('i')}, substr({_key('i')}, 1, 32), 'tip', t, '', {to_us(AT)}, 'UTC', {receipt}"
        f" FROM {rows}"
    )
    yield (
        "INSERT INTO postings (community_id, entry, ordinal, leg, source, destination, asset, amount, source_after,"
        f" destination_after) SELECT {COMMUNITY}, i, 0, 0, t, u, 'bonus', 1, {sender}, {receiver} FROM {rows}"
    )


def _after_tips(members: int, last: int) -> Iterator[str]:
    """What projections and counters come to after whole rounds of tips, the last of which ended with entry `last`."""
    first = last - members
    # Member 1 is touched by the last entry of a round, the others by their own tip.
    reached = f"CASE WHEN member_id = 1 THEN {last} ELSE {first} + member_id END"
    yield f"UPDATE counters SET last_entry = {last} WHERE community_id = {COMMUNITY}"
    yield f"UPDATE watermarks SET entry = {last} WHERE community_id = {COMMUNITY}"
    yield (
        f"UPDATE scores SET reached = {reached}, since = {reached}"
        f" WHERE community_id = {COMMUNITY} AND series = {BALANCE}"
    )
    yield f"DELETE FROM scores WHERE community_id = {COMMUNITY} AND series <> {BALANCE}"
    for period in Period:
        yield (
            "INSERT INTO scores (community_id, member_id, series, score, reached, listed)"
            f" SELECT {COMMUNITY}, member_id, {series_of(Board.TIPPERS, period, start_us(AT, 'UTC', period))}, 0,"
            f" {reached}, true FROM scores WHERE community_id = {COMMUNITY} AND series = {BALANCE}"
        )
    yield (f"DELETE FROM day_totals WHERE community_id = {COMMUNITY} AND name = 'tip.bonus'")
    yield (
        "INSERT INTO day_totals (community_id, day, name, entries, amount)"
        f" SELECT {COMMUNITY}, {AT.date().toordinal()}, 'tip.bonus', count(*), count(*) FROM entries"
        f" WHERE community_id = {COMMUNITY} AND kind = 'tip'"
    )


async def _count_into_buckets(store: Store) -> None:
    """The histogram of the board of balances."""
    async with store.write() as connection:
        members: dict[int, int] = {}
        scores = await connection.exec_driver_sql("SELECT score, count(*) FROM scores GROUP BY score")
        found: Sequence[Any] = scores.all()
        for score, count in found:
            members[bucket(score)] = members.get(bucket(score), 0) + count
        values = ", ".join(f"({COMMUNITY}, {BALANCE}, {number}, {count})" for number, count in sorted(members.items()))
        await connection.exec_driver_sql(
            f"INSERT INTO histogram (community_id, series, bucket, members) VALUES {values}"
        )


async def _run(store: Store, statements: list[str]) -> None:
    # No batch of the journal's is as long as one of these.
    store.answer_timeout_s = PATIENCE_S
    async with store.write() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)
