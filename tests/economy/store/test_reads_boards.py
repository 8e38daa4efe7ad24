"""Boards: pages, ranks, what is hidden, and that they come from an index."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from economy.projections.boards import Board, Period, StretchSums, bucket, series_of
from economy.rules.presence import Hide, Hideable, Leave
from economy.store.engine import Store
from economy.store.projector import StoreProjector
from economy.store.reads import StoreReads
from economy.store.scores import add_scores
from economy.values import (
    CommunityId,
    EntryNumber,
    MemberId,
)
from economy.views import BoardRow, OwnRank
from tests.economy.projections.town import START, Town, gift, person, tip
from tests.economy.store.chronicle import keep, new_store

ONE = CommunityId(1)
CREATORS_EVER = series_of(Board.CREATORS, Period.ALL, 0)


@pytest.fixture
def reads(store: Store) -> StoreReads:
    return StoreReads(store)


@pytest.fixture
def town() -> Town:
    return Town.founded("ana", "bo", "cy", "mo", coin=500, bonus=500)


async def page_of(reads: StoreReads, town: Town, board: Board = Board.SUPPORTERS, period: Period = Period.ALL, **more):
    reader = town.id(more.pop("reader")) if "reader" in more else None
    return await reads.board(ONE, board, period, now=town.now, reader=reader, **more)


def listed(town: Town, page) -> list[tuple[int, str, int | None]]:
    names = {member.id: member.name for member in town.books.members.values()}
    return [(row.rank, names[row.member_id], row.score) for row in page.rows]


async def test_a_board_lists_the_greatest_first_and_equals_share_a_rank(store, reads, town):
    for name in ("bo", "ana", "cy"):
        town.do(gift(name, "mo"))
    town.do(gift("cy", "mo", "rose", 1))
    town.do(gift("mo", "bo", "rose", 1))
    await keep(store, town)
    page = await page_of(reads, town)
    # Bo was first to reach 100.
    assert listed(town, page) == [(1, "cy", 101), (2, "bo", 100), (2, "ana", 100), (4, "mo", 1)]
    assert not page.has_more


async def test_pages_follow_one_another(store, reads):
    names = [f"m{number}" for number in range(25)]
    town = Town.founded("star", *names, bonus=100)
    for number, name in enumerate(names):
        town.do(gift(name, "star", "rose", 1, count=1 + number // 4))
    await keep(store, town)
    whole = listed(town, await page_of(reads, town, size=100))
    pages = [await page_of(reads, town, page=number, size=7) for number in (1, 2, 3, 4)]
    assert [row for page in pages for row in listed(town, page)] == whole
    assert [page.has_more for page in pages] == [True, True, True, False]
    assert [rank for rank, _, _ in whole][:6] == [1, 2, 2, 2, 2, 6]


async def test_a_page_that_is_not_there_is_empty(store, reads, town):
    town.do(gift("ana", "bo"))
    await keep(store, town)
    for page in (2, 10**12, 0, -1):
        assert not (await page_of(reads, town, page=page)).rows
    assert not (await page_of(reads, town, size=10**9)).rows


async def test_own_rank_is_told_on_every_page(store, reads, town):
    town.do(gift("ana", "bo", count=2))
    town.do(gift("cy", "bo"))
    await keep(store, town)
    page = await page_of(reads, town, page=9, reader="cy")
    assert (page.own_rank, page.own_score) == (2, 100)


async def test_who_has_no_score_has_no_rank(store, reads, town):
    town.do(tip("ana", "bo"))
    await keep(store, town)
    for board in (Board.SUPPORTERS, Board.TIPPERS):
        page = await page_of(reads, town, board, reader="bo")
        assert (page.own_rank, page.own_score) == (None, 0)


@pytest.mark.parametrize("away", [Hide(by=person("cy")), Leave(by=person("cy"))])
async def test_who_is_not_listed_may_still_ask_their_own_rank(store, reads, town, away):
    town.do(gift("ana", "bo", count=2))
    town.do(gift("cy", "bo"))
    town.do(gift("mo", "bo", "rose", 1))
    town.do(away)
    await keep(store, town)
    page = await page_of(reads, town, reader="cy")
    assert listed(town, page) == [(1, "ana", 200), (2, "mo", 1)]
    assert (page.own_rank, page.own_score) == (2, 100)


async def test_a_hidden_amount_is_shown_to_its_owner_alone(store, reads, town):
    town.do(gift("ana", "bo"))
    town.do(gift("cy", "bo", "rose", 1))
    town.do(Hide(by=person("ana"), what=Hideable.AMOUNT))
    await keep(store, town)
    assert listed(town, await page_of(reads, town)) == [(1, "ana", None), (2, "cy", 1)]
    assert listed(town, await page_of(reads, town, reader="ana"))[0] == (1, "ana", 100)


async def test_a_board_shows_the_period_that_holds_the_moment(store, reads):
    town = Town.founded("ana", "bo", bonus=500, time_zone="Asia/Tokyo")
    town.do(gift("ana", "bo"))
    await keep(store, town)
    page = await page_of(reads, town, period=Period.DAY)
    assert page.start == START.replace(day=4, hour=15)
    assert listed(town, page) == [(1, "ana", 100)]
    town.wait(hours=3)
    assert not (await page_of(reads, town, period=Period.DAY)).rows
    assert (await page_of(reads, town, period=Period.WEEK)).rows


async def test_the_balance_board_has_no_period(store, reads, town):
    await keep(store, town)
    page = await page_of(reads, town, Board.BALANCE, Period.WEEK, reader="ana")
    assert (page.period, page.start, page.own_score, page.own_rank) == ("all", None, 1_000, 1)


async def test_a_board_that_there_is_not_is_a_bug_of_who_asks(store, reads):
    with pytest.raises(ValueError, match="winners"):
        await reads.board(ONE, "winners", "all", now=START, reader=None)


async def test_a_board_of_an_unknown_community_is_empty(reads):
    page = await reads.board(CommunityId(99), "creators", "week", now=START, reader=MemberId(5))
    assert (page.rows, page.own_rank, page.own_score) == ((), None, 0)


async def test_ranks_are_right_within_and_across_buckets(store, reads):
    amounts = [1, 1, 90, 130, 131, 131, 132, 255, 256, 259, 1_000, 1_003]
    assert bucket(130) == bucket(131)
    town = Town.founded("star", *(f"m{place}" for place in range(len(amounts))), bonus=2_000)
    for position, amount in enumerate(amounts):
        town.do(gift(f"m{position}", "star", "rose", 1, count=amount))
    # Only what was agreed upon: totals from 1,000 ask first, and gift() has agreed.
    await keep(store, town)
    for position, amount in enumerate(amounts):
        page = await page_of(reads, town, reader=f"m{position}")
        assert page.own_rank == 1 + sum(other > amount for other in amounts)
        assert page.own_score == amount


@given(st.lists(st.integers(1, 700) | st.integers(1, 2**53 - 1), min_size=1, max_size=40), st.integers(1, 7))
@settings(max_examples=25, deadline=None)
def test_ranks_and_pages_agree_with_counting(tmp_path_factory, amounts, size):
    """Whatever the scores: a rank is one more than there are greater scores, and pages lose and double nobody."""

    async def try_it() -> None:
        sums: StretchSums = {
            ((CREATORS_EVER,), MemberId(member)): (amount, EntryNumber(member))
            for member, amount in enumerate(amounts, start=1)
        }
        async with await new_store(tmp_path_factory.mktemp("ranks")) as store:
            async with store.write() as connection:
                await add_scores(connection, ONE, sums, dict.fromkeys(range(1, len(amounts) + 1), True), (), {})
            reads = StoreReads(store)
            rows: list[BoardRow] = []
            for page in range(1, len(amounts) // size + 2):
                found = await reads.board(ONE, "creators", "all", now=START, reader=None, page=page, size=size)
                rows += found.rows
            for row in rows:
                own = await reads.board(ONE, "creators", "all", now=START, reader=row.member_id, size=1)
                assert (own.own_rank, own.own_score) == (row.rank, row.score)
        assert [row.member_id for row in rows] == sorted(
            range(1, len(amounts) + 1), key=lambda member: (-amounts[member - 1], member)
        )
        assert all(row.rank == 1 + sum(other > (row.score or 0) for other in amounts) for row in rows)

    with asyncio.Runner() as runner:
        runner.run(try_it())


async def test_a_board_read_during_writes_is_a_consistent_snapshot(sqlite_store, town):
    """Fault 33: before each statement of a read, another connection commits; page and rank never mix."""
    store, reads = sqlite_store, StoreReads(sqlite_store)
    town.do(gift("ana", "bo", count=2))
    town.do(gift("cy", "bo"))
    kept = await keep(store, town)
    first = await page_of(reads, town, reader="cy")
    states = [_board_rows(store)]
    town.do(gift("cy", "bo", count=3))
    town.do(gift("mo", "bo", count=5))
    await kept.write()
    await StoreProjector(store).drain()
    second = await page_of(reads, town, reader="cy")
    states.append(_board_rows(store))
    assert (first.own_rank, first.own_score) == (2, 100)
    assert (second.own_rank, second.own_score) == (2, 400)

    commits = 0

    def commit_between(*_: object) -> None:
        nonlocal commits
        commits += 1
        _put_board_rows(store, states[commits % 7 % 2])

    event.listen(store.looker, "before_cursor_execute", commit_between)
    try:
        seen = [await page_of(reads, town, reader="cy") for _ in range(12)]
    finally:
        event.remove(store.looker, "before_cursor_execute", commit_between)
        _put_board_rows(store, states[1])
    assert commits > 4 * len(seen)
    assert all(page in (first, second) for page in seen)
    assert first in seen
    assert second in seen


BoardRows = dict[str, list[tuple]]


def _board_rows(store: Store) -> BoardRows:
    with closing(sqlite3.connect(str(store.url.database))) as other:
        return {name: other.execute(f"SELECT * FROM {name}").fetchall() for name in ("scores", "histogram")}


def _put_board_rows(store: Store, state: BoardRows) -> None:
    with closing(sqlite3.connect(str(store.url.database))) as other, other:
        for name, rows in state.items():
            other.execute(f"DELETE FROM {name}")
            other.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)


async def test_ones_own_rank_is_that_of_the_first_board_one_is_on(store, reads, town):
    town.do(gift("ana", "bo", count=2))
    town.do(gift("cy", "bo"))
    town.do(tip("mo", "ana"))
    await keep(store, town)
    both = (Board.SUPPORTERS, Board.TIPPERS)

    async def rank(name: str, *boards: Board):
        return await reads.rank(ONE, boards, Period.WEEK, now=town.now, of=town.id(name))

    assert await rank("cy", *both) == OwnRank(Board.SUPPORTERS, 2)
    assert await rank("mo", *both) == OwnRank(Board.TIPPERS, 1)
    assert await rank("mo", Board.SUPPORTERS) is None
    assert await rank("bo", *both) is None
    for name in ("ana", "cy"):
        page = await page_of(reads, town, Board.SUPPORTERS, Period.WEEK, reader=name)
        assert (await rank(name, *both)).rank == page.own_rank
