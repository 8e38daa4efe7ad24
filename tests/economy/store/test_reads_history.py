"""A member's history, single entries, and the log that staff search."""

from datetime import timedelta

import pytest

from economy.rules.chest import TipFromChest
from economy.rules.presence import Hide
from economy.rules.tipping import Receivers
from economy.store.engine import Store
from economy.store.reads import StoreReads
from economy.values import (
    AmountWord,
    Asset,
    CommunityId,
    EntryNumber,
    MemberId,
    Role,
)
from economy.views import HistoryRow
from tests.economy.projections.town import START, Town, gift, person, tip, undo
from tests.economy.store.chronicle import keep

ONE = CommunityId(1)


@pytest.fixture
def reads(store: Store) -> StoreReads:
    return StoreReads(store)


@pytest.fixture
def town() -> Town:
    return Town.founded("ana", "bo", "cy", "mo", coin=500, bonus=500)


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
