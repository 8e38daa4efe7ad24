"""Queries: what they answer, that they are consistent, and that they live off indexes."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from economy.projections.boards import Board, Period, ScoreKey, ScoreSum, bucket
from economy.rules.chest import TipFromChest
from economy.rules.configuring import Appoint
from economy.rules.creating import BeCreator, DescribeCreator
from economy.rules.earning import ClaimDaily
from economy.rules.presence import Hide, Hideable, Leave
from economy.rules.safety import Block
from economy.rules.tipping import Receivers, Tip
from economy.rules.words import RemoveText
from economy.settings import Settings
from economy.store.engine import Store
from economy.store.names import skeleton
from economy.store.projector import StoreProjector
from economy.store.reads import StoreReads
from economy.store.reads.wallets import held_until
from economy.store.scores import add_scores
from economy.store.tables import members
from economy.values import (
    AmountWord,
    Asset,
    CommunityId,
    EntryNumber,
    MemberId,
    Note,
    Place,
    Reason,
    Role,
)
from economy.views import Balance, HeldUntil, HistoryRow, Named
from tests.economy.projections.town import START, Town, gift, person, tip, undo
from tests.economy.store import acting as acts
from tests.economy.store.acting import Acting
from tests.economy.store.chronicle import Chronicle, new_store, place
from tests.economy.store.plans import explained, scans

ONE = CommunityId(1)


@pytest.fixture
def reads(store: Store) -> StoreReads:
    return StoreReads(store)


@pytest.fixture
def town() -> Town:
    return Town.founded("ana", "bo", "cy", "mo", coin=500, bonus=500)


async def keep(store: Store, town: Town, number: int = 1) -> Chronicle:
    """Writes a town and projects it."""
    kept = Chronicle(store, town, number)
    await kept.write()
    await StoreProjector(store).drain()
    return kept


# --- boards ---


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
        sums: dict[ScoreKey, ScoreSum] = {
            (Board.CREATORS, Period.ALL, 0, MemberId(member)): (amount, EntryNumber(member))
            for member, amount in enumerate(amounts, start=1)
        }
        async with await new_store(tmp_path_factory.mktemp("ranks")) as store:
            async with store.write() as connection:
                await add_scores(connection, ONE, sums, dict.fromkeys(range(1, len(amounts) + 1), True), ())
            reads, rows = StoreReads(store), []
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


async def test_a_board_read_during_writes_is_a_consistent_snapshot(store, reads, town):
    """Fault 33: before each statement of a read, another connection commits; page and rank never mix."""
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

    event.listen(store.reader.sync_engine, "before_cursor_execute", commit_between)
    try:
        seen = [await page_of(reads, town, reader="cy") for _ in range(12)]
    finally:
        event.remove(store.reader.sync_engine, "before_cursor_execute", commit_between)
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


# --- wallets ---


async def test_a_balance_is_what_one_holds(store, reads, town):
    town.do(gift("ana", "bo"))
    town.do(tip("ana", "cy", amount=30))
    await keep(store, town)
    held = (HeldUntil(50, date(2026, 1, 27)),)
    assert await reads.balance(ONE, town.id("ana"), town.now) == Balance(400, 470, 0, 0, (), False, 0)
    assert await reads.balance(ONE, town.id("bo"), town.now) == Balance(500, 500, 50, 50, held, False, 0)


async def test_earnings_are_on_hold_until_the_end_of_the_last_day(store, reads):
    """A gift at 23:30 in Tokyo on the 5th, held for 2 days, is available when the 8th begins there."""
    town = Town.founded("ana", "bo", coin=100, time_zone="Asia/Tokyo")
    town.set("diamond_hold", 2)
    town.wait(hours=2.5)
    town.do(gift("ana", "bo"))
    await keep(store, town)
    ends = town.now.replace(day=7, hour=15, minute=0)
    before = await reads.balance(ONE, town.id("bo"), ends - timedelta(microseconds=1))
    assert (before.diamond_held, before.held) == (50, (HeldUntil(50, date(2026, 1, 8)),))
    after = await reads.balance(ONE, town.id("bo"), ends)
    assert (after.diamond, after.diamond_held, after.held) == (50, 0, ())


async def test_an_undone_gift_is_not_on_hold(store, reads, town):
    town.do(gift("ana", "bo"))
    town.do(undo(town.entries[-1].number), Role.MODERATOR)
    await keep(store, town)
    assert await reads.balance(ONE, town.id("bo"), town.now) == Balance(500, 500, 0, 0, (), False, 0)


@pytest.mark.parametrize(
    ("received", "diamonds", "parts"),
    [
        ([], 90, []),
        ([(10, 40)], 90, [(40, 10)]),
        ([(10, 40), (12, 5)], 90, [(40, 10), (5, 12)]),
        ([(10, 40), (12, 50)], 60, [(10, 10), (50, 12)]),
        ([(10, 40), (12, 50)], 50, [(50, 12)]),
        ([(10, 40), (12, 50)], 0, []),
    ],
)
def test_what_is_held_is_never_more_than_there_is(received, diamonds, parts):
    wanted = tuple(HeldUntil(amount, date.fromordinal(day + 22)) for amount, day in parts)
    assert held_until(received, diamonds, 21) == wanted


async def test_today_s_claim_and_earnings_are_told(store, reads):
    town = Town.founded("ana", time_zone="America/New_York")
    town.do(ClaimDaily(by=person("ana")))
    await keep(store, town)
    ana = town.id("ana")
    today = await reads.balance(ONE, ana, town.now)
    assert (today.daily_claimed, today.earned_today) == (True, 50)
    tomorrow = await reads.balance(ONE, ana, town.now.replace(day=6, hour=5))
    assert (tomorrow.daily_claimed, tomorrow.earned_today) == (False, 0)


async def test_who_is_unknown_has_an_empty_wallet(reads):
    assert await reads.balance(CommunityId(9), MemberId(9), START) == Balance(0, 0, 0, 0, (), False, 0)


async def test_the_chest_holds_the_house_s_free_coins(store, reads, town):
    town.do(gift("ana", "bo", count=8))
    await keep(store, town)
    assert (await reads.chest(ONE)).bonus == 150
    assert (await reads.chest(CommunityId(9))).bonus == 0


# --- history ---


async def history(reads: StoreReads, town: Town, name: str, **more) -> tuple[HistoryRow, ...]:
    return (await reads.history(ONE, town.id(name), **more)).rows


def told(town: Town, rows: tuple[HistoryRow, ...]) -> list[tuple]:
    names = {member.id: member.name for member in town.books.members.values()}
    return [
        (row.kind, row.amount, row.asset, row.balance_after, [names[other] for other in row.counterparts])
        for row in rows
    ]


async def test_history_is_a_row_an_asset_newest_first(store, reads, town):
    town.do(gift("ana", "bo", count=6))
    town.do(tip("bo", "ana", "cy", amount=20))
    await keep(store, town)
    assert told(town, await history(reads, town, "ana")) == [
        ("tip", 20, Asset.BONUS, 420, ["bo"]),
        ("gift", -500, Asset.COIN, 0, ["bo"]),
        ("gift", -100, Asset.BONUS, 400, ["bo"]),
        ("coins", 500, Asset.BONUS, 500, []),
        ("coins", 500, Asset.COIN, 500, []),
    ]
    assert told(town, await history(reads, town, "bo"))[:3] == [
        ("tip", -40, Asset.BONUS, 510, ["ana", "cy"]),
        ("gift", 250, Asset.DIAMOND, 250, ["ana"]),
        ("gift", 50, Asset.BONUS, 550, ["ana"]),
    ]
    # The grant was ana's doing, and no member's coins.
    assert told(town, await history(reads, town, "cy"))[-1] == ("coins", 500, Asset.COIN, 500, ["ana"])


async def test_an_undo_and_what_it_took_back_are_both_in_the_history(store, reads, town):
    town.do(tip("ana", "bo", amount=40))
    town.do(undo(town.entries[-1].number), Role.MODERATOR)
    await keep(store, town)
    back, sent, *_ = await history(reads, town, "ana")
    assert (back.kind, back.amount, back.undone, back.reason) == ("undo", 40, False, "a mistake")
    assert (sent.kind, sent.amount, sent.undone) == ("tip", -40, True)


async def test_history_pages_follow_one_another(store, reads, town):
    for amount in range(1, 24):
        town.do(tip("ana", "bo", amount=amount))
        town.do(tip("bo", "cy", amount=amount))
    town.do(gift("ana", "bo", count=3))
    await keep(store, town)
    whole = await history(reads, town, "ana", size=100)
    pages = [await reads.history(ONE, town.id("ana"), page=number, size=5) for number in range(1, 8)]
    assert tuple(row for page in pages for row in page.rows) == whole
    assert len(whole) == 26
    assert [page.has_more for page in pages] == [True] * 5 + [False, False]


async def test_pages_that_are_not_there_are_empty(reads):
    for page, size in ((0, 10), (-5, 10), (10**12, 10), (1, 10**9)):
        assert (await reads.history(ONE, MemberId(1), page=page, size=size)).rows == ()
        assert (await reads.audit(ONE, page=page, size=size)).entries == ()
        assert (await reads.audit(ONE, refused=True, page=page, size=size)).refused == ()


async def test_a_tip_from_the_chest_names_the_treasurer(store, reads, town):
    town.do(gift("ana", "bo", count=8))
    order = TipFromChest(by=person("mo"), receivers=Receivers((person("cy"),)), amount=AmountWord.exact(60))
    town.do(order, Role.TREASURER)
    await keep(store, town)
    assert told(town, await history(reads, town, "cy"))[0] == ("chest", 60, Asset.BONUS, 560, ["mo"])


async def test_nobody_reads_another_community_s_history(store, reads, town):
    """Fault 118: a member's id means nothing in another community."""
    town.do(tip("ana", "bo"))
    await keep(store, town)
    assert (await reads.history(CommunityId(2), town.id("ana"))).rows == ()
    assert await reads.entry(CommunityId(2), EntryNumber(1)) is None


async def test_an_entry_tells_what_it_touched_and_who_took_it_back(store, reads, town):
    town.do(gift("ana", "bo"))
    number = town.entries[-1].number
    town.do(undo(number), Role.MODERATOR)
    await keep(store, town)
    first, second = await reads.entry(ONE, number), await reads.entry(ONE, EntryNumber(number + 1))
    assert first is not None
    assert (first.kind, first.actor, first.touched) == ("gift", town.id("ana"), (town.id("ana"), town.id("bo")))
    assert (first.undone_by, first.undoes) == (number + 1, ())
    assert first.receipt == town.entries[-2].receipt
    assert second is not None
    assert (second.undone_by, second.undoes, second.reason) == (None, (number,), "a mistake")
    assert await reads.entry(ONE, EntryNumber(number + 2)) is None


# --- the log ---


async def numbers(reads: StoreReads, **sought) -> list[int]:
    return [entry.number for entry in (await reads.audit(ONE, size=100, **sought)).entries]


async def test_the_log_is_searched_by_member_actor_kind_and_time(store, reads, town):
    count = len(town.entries)
    town.do(tip("ana", "bo"))
    town.wait(days=3)
    since = town.now
    town.do(gift("bo", "cy"))
    town.do(Hide(by=person("cy")))
    town.do(undo(count + 1), Role.MODERATOR)
    await keep(store, town)
    tipped, gifted, hid, undone = range(count + 1, count + 5)
    assert await numbers(reads) == list(range(count + 4, 0, -1))
    assert await numbers(reads, since=since) == [undone, hid, gifted]
    assert await numbers(reads, kind="gift") == [gifted]
    assert await numbers(reads, actor=town.id("mo"), since=since) == [undone]
    assert await numbers(reads, member=town.id("bo"), since=START + timedelta(days=1)) == [undone, gifted]
    assert await numbers(reads, member=town.id("cy"), since=since) == [hid, gifted]
    assert await numbers(reads, member=town.id("bo"), kind="tip") == [tipped]
    assert await numbers(reads, member=town.id("mo"), kind="undo") == [undone]
    assert await numbers(reads, since=town.now + timedelta(days=1)) == []


async def test_a_settings_change_is_in_the_log_before_and_after(store, reads, town):
    town.set("daily_amount", 70)
    await keep(store, town)
    (entry,) = (await reads.audit(ONE, kind="settings")).entries
    (fact,) = entry.facts
    assert (fact.name, fact.before, fact.after) == ("setting.daily_amount", None, 70)


async def test_the_log_has_pages(store, reads, town):
    for _ in range(7):
        town.do(tip("ana", "bo"))
    await keep(store, town)
    for sought in ({}, {"member": town.id("bo")}):
        pages = [await reads.audit(ONE, page=number, size=3, kind="tip", **sought) for number in (1, 2, 3)]
        assert [entry.number for page in pages for entry in page.entries] == [
            entry.number for entry in reversed(town.entries[-7:])
        ]
        assert [page.has_more for page in pages] == [True, True, False]


# --- through the journal ---


async def test_refusals_are_in_the_log(acting: Acting, reads, clock):
    """Refusals of permission are told, keyed and audited like all others."""
    await acting.grant(ana=5)
    reader = await reads.reader(acts.ROOM, person("ana"))
    await acting.refused(acts.tip("ana", "bo", amount=99))
    clock.later(minutes=5)
    await acting.refused(acts.adjust("ana", 5), standing=acts.NOBODY)
    page = await reads.audit(reader.community_id, refused=True)
    assert [(found.kind, found.code) for found in page.refused] == [
        ("coins", "not_allowed"),
        ("tip", "insufficient_funds"),
    ]
    assert [found.kind for found in (await reads.audit(reader.community_id, refused=True, kind="tip")).refused] == [
        "tip"
    ]
    late = await reads.audit(reader.community_id, refused=True, since=clock.now())
    assert [found.kind for found in late.refused] == ["coins"]
    own = await reads.audit(reader.community_id, refused=True, member=reader.member_id)
    assert [found.kind for found in own.refused] == ["tip"]


async def test_notes_are_seen_by_both_until_they_are_removed(acting: Acting, reads):
    await acting.grant(ana=50)
    tipped = await acting.done(acts.tip("ana", "bo", note=Note("well done")))
    ana, bo = [await reads.reader(acts.ROOM, person(name)) for name in ("ana", "bo")]
    for member in (ana, bo):
        assert (await reads.history(member.community_id, member.member_id)).rows[0].note == "well done"
    assert tipped.number is not None
    view = await reads.entry(ana.community_id, tipped.number)
    assert view.note == "well done"
    await acting.done(RemoveText(by=person("owner"), of=tipped.number, reason=Reason("rude")))
    for member in (ana, bo):
        assert (await reads.history(member.community_id, member.member_id)).rows[0].note == ""


async def test_the_latest_profile_counts_and_an_emptied_one_stays_empty(acting: Acting, reads):
    await acting.done(BeCreator(by=person("ana")))
    ana = await reads.reader(acts.ROOM, person("ana"))
    for words in ("I sing", "I dance", ""):
        await acting.done(DescribeCreator(by=person("ana"), profile=Note(words)))
        assert await reads.text(ana.community_id, ana.member_id, "profile") == words
    changed = await acting.done(DescribeCreator(by=person("ana"), profile=Note("I shout")))
    assert changed.number is not None
    await acting.done(RemoveText(by=person("owner"), of=changed.number, reason=Reason("rude")))
    assert await reads.text(ana.community_id, ana.member_id, "profile") == ""


async def test_the_order_behind_a_button_is_read_back(acting: Acting, reads):
    await acting.grant(ana=5_000)
    question = await acting.submit(acts.tip("ana", "bo", amount=2_000))
    reader = await reads.reader(acts.ROOM, person("ana"))
    order = await reads.offer_order(reader.community_id, question.offered[0].nonce)
    assert isinstance(order, Tip)
    assert (order.confirmed, order.amount) == (True, AmountWord.exact(2_000))
    assert await reads.offer_order(reader.community_id, "no-such-nonce") is None


# --- who is who ---


async def test_a_reader_is_told_settings_roles_and_flags(acting: Acting, reads):
    await acting.done(acts.setting("currency_many", "florins"))
    await acting.done(acts.appoint("ana", Role.MODERATOR))
    await acting.done(BeCreator(by=person("ana")))
    ana = await reads.reader(acts.ROOM, person("ana"))
    assert ana.settings.currency_many == "florins"
    assert ana.roles == {Role.MODERATOR, Role.CREATOR}
    assert ana.flags["present"] is True
    assert ana.community_flags["setting.currency_many"] == "florins"
    assert await reads.member(ana.community_id, person("ana")) == ana.member_id


async def test_strangers_and_strange_places_are_empty(acting: Acting, reads):
    await acting.grant(ana=5)
    stranger = await reads.reader(acts.ROOM, person("stranger"))
    assert (stranger.member_id, stranger.roles, stranger.flags) == (None, frozenset(), {})
    assert stranger.community_id is not None
    nowhere = await reads.reader(Place("console", "nowhere"), person("ana"))
    assert (nowhere.community_id, nowhere.member_id, nowhere.settings) == (None, None, Settings())
    assert await reads.member(stranger.community_id, person("stranger")) is None
    assert await reads.names(Place("console", "nowhere")) == []


async def test_names_are_of_those_present_last_seen_first(acting: Acting, reads, clock):
    for name in ("ana", "bo", "cy"):
        await acting.done(ClaimDaily(by=person(name)))
        clock.later(hours=1)
    await acting.done(Hide(by=person("ana")))
    await acting.done(Leave(by=person("bo")), seen=(acts.sighting("bo", present=None),))
    assert await reads.names(acts.ROOM) == [Named("ana", person("ana")), Named("cy", person("cy"))]
    assert await reads.names(acts.ROOM, limit=1) == [Named("ana", person("ana"))]
    reader = await reads.reader(acts.ROOM, person("bo"))
    assert reader.member_id is not None


async def test_holders_of_roles_are_known(acting: Acting, reads):
    await acting.done(acts.appoint("ana", Role.MODERATOR))
    await acting.done(acts.appoint("bo", Role.CREATOR))
    await acting.done(BeCreator(by=person("cy")))
    ids = {name: (await reads.reader(acts.ROOM, person(name))).member_id for name in ("ana", "bo", "cy")}
    room = (await reads.reader(acts.ROOM, person("ana"))).community_id
    assert await reads.holders(room, Role.MODERATOR) == [ids["ana"]]
    assert set(await reads.holders(room, Role.CREATOR)) == {ids["bo"], ids["cy"]}
    assert await reads.holders(room, Role.TREASURER) == []


async def test_one_s_own_blocks_are_listed_and_no_others(acting: Acting, reads):
    await acting.done(Block(by=person("ana"), other=person("bo")))
    await acting.done(Block(by=person("ana"), other=person("cy")))
    await acting.done(Block(by=person("ana"), other=person("cy"), blocked=False))
    ana, bo = [await reads.reader(acts.ROOM, person(name)) for name in ("ana", "bo")]
    assert await reads.blocked_by(ana.community_id, ana.member_id) == [bo.member_id]
    assert await reads.blocked_by(ana.community_id, bo.member_id) == []


async def test_who_looks_like_an_owner_or_creator_is_told_apart(store, reads, town):
    """Fault 15: the name of a creator or owner in Cyrillic is shown with the end of the native id."""
    town = Town.founded("ana", "аna", "bo", "bо", "cy")
    for name in ("аna", "bo", "bо", "cy"):
        town.do(BeCreator(by=person(name), wanted=False))
    town.do(Appoint(by=person("ana"), member=person("bo"), role=Role.OWNER), Role.OWNER)
    await keep(store, town)
    assert skeleton("ana") == skeleton("аna")
    shown = await reads.shown(ONE, [member.id for member in town.books.members.values()])
    assert {view.identity.native_id: view.suffix for view in shown.values()} == {
        "ana": "",
        "аna": "аna",
        "bo": "",
        "bо": "bо",
        "cy": "",
    }


async def test_look_alikes_without_a_role_are_left_alone(store, reads):
    town = Town.founded("ana", "аna")
    for name in ("ana", "аna"):
        town.do(BeCreator(by=person(name), wanted=False))
    await keep(store, town)
    shown = await reads.shown(ONE, [town.id("ana"), town.id("аna")])
    assert [view.suffix for view in shown.values()] == ["", ""]


async def test_a_suffix_is_the_last_four_characters_of_the_native_id(store, reads):
    town = Town.founded("123456789", "creator")
    await keep(store, town)
    async with store.write() as connection:
        await connection.execute(members.update().values(name="star", skeleton=skeleton("star")))
    shown = await reads.shown(ONE, [town.id("123456789"), town.id("creator")])
    assert [view.suffix for view in shown.values()] == ["6789", "ator"]


async def test_members_who_are_not_there_are_not_shown(reads):
    assert await reads.shown(ONE, [MemberId(5)]) == {}
    assert await reads.shown(ONE, []) == {}


# --- from indexes ---


@pytest.fixture
def plans(store: Store) -> Iterator[list[str]]:
    with explained(store.reader) as steps:
        yield steps


async def test_no_read_goes_through_a_table(store, reads, town, plans):
    """A board of a million members answers from an index, and so does everything else that grows."""
    town.do(gift("ana", "bo", count=2))
    await keep(store, town)
    ana = town.id("ana")
    plans.clear()
    for page in (1, 2):
        await reads.board(ONE, Board.SUPPORTERS, Period.WEEK, now=town.now, reader=ana, page=page, size=1)
    await reads.history(ONE, ana, page=2, size=3)
    await reads.balance(ONE, ana, town.now)
    await reads.entry(ONE, EntryNumber(1))
    await reads.text(ONE, ana, "profile")
    await reads.reader(place(1), person("ana"))
    await reads.shown(ONE, [ana, town.id("bo")])
    await reads.holders(ONE, Role.MODERATOR)
    await reads.blocked_by(ONE, ana)
    for member in (ana, None):
        for actor in (ana, None):
            for kind in ("tip", None):
                for since in (START, None) if member or actor or kind else (START,):
                    await reads.audit(ONE, member=member, actor=actor, kind=kind, since=since)
    assert len(plans) > 100
    assert scans(plans) == []


async def test_a_board_page_is_a_piece_of_its_index_and_is_not_sorted(store, reads, town, plans):
    town.do(gift("ana", "bo"))
    await keep(store, town)
    plans.clear()
    await page_of(reads, town)
    (page,) = [step for step in plans if "ix_scores_rank" in step]
    assert page.startswith("SEARCH scores USING COVERING INDEX ix_scores_rank")
    assert "score>?" in page
    assert not any("TEMP B-TREE" in step for step in plans)


def test_a_scan_would_be_seen():
    bad = ["SCAN scores", "SEARCH flags USING INDEX x (community_id=?)"]
    assert scans([*bad, "SEARCH scores USING INDEX x (community_id=? AND board=?)", "SCAN w"]) == bad
