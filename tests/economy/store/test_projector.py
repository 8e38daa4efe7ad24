"""Boards and day totals follow the entries: once each, whatever dies when."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert, select, text

from economy.projections.boards import Board, Period, bucket, parts_of
from economy.rules.presence import Hide, Join, Leave
from economy.store.engine import Store
from economy.store.errors import StoreBusyError
from economy.store.journal import StoreJournal
from economy.store.projector import StoreProjector
from economy.store.tables import PROJECTED, day_totals, histogram, scores, watermarks
from economy.values import CommunityId, Role
from tests.economy.projections.town import Town, gift, person, tip, undo
from tests.economy.store import acting as acts
from tests.economy.store.acting import Acting, StillClock
from tests.economy.store.chronicle import Chronicle, new_store
from tests.economy.store.plans import explained, scans
from tests.support.stores import open_store

NAMES = ("ana", "bo", "cy", "mo")
Rows = dict[str, list[tuple]]


@pytest.fixture
async def store(address: str) -> AsyncIterator[Store]:
    async with await open_store(address) as opened:
        yield opened


@pytest.fixture
def town() -> Town:
    return Town.founded(*NAMES, coin=1_000, bonus=1_000, time_zone="Europe/Berlin")


def live(town: Town) -> None:
    """A bit of everything that boards follow."""
    town.do(gift("ana", "bo"))
    town.do(tip("ana", "bo", "cy"))
    town.wait(hours=30)
    town.do(gift("cy", "bo", count=3))
    town.do(Hide(by=person("bo")))
    town.do(tip("bo", "cy", amount=70))
    first_gift = next(entry.number for entry in town.entries if entry.kind == "gift")
    town.do(undo(first_gift), Role.MODERATOR)
    town.wait(days=9)
    town.do(Leave(by=person("cy")))
    town.do(tip("mo", "ana", amount=33))
    town.do(Hide(by=person("bo"), hidden=False))
    town.do(gift("ana", "mo"))
    town.do(Join(by=person("cy")))


async def projected(store: Store) -> Rows:
    """Every row of every projected table."""
    async with store.read() as connection:
        return {
            table.name: [
                tuple(row) for row in await connection.execute(select(table).order_by(*table.primary_key.columns))
            ]
            for table in PROJECTED
        }


async def board(store: Store, name: Board, period: Period = Period.ALL) -> dict[int, int]:
    """The listed scores above 0 of the latest period."""
    async with store.read() as connection:
        found = await connection.execute(
            select(scores.c.member_id, scores.c.score, scores.c.series).where(scores.c.standing == scores.c.score)
        )
        rows = [row for row in found if parts_of(row.series)[:2] == (name, period)]
    latest = max((row.series for row in rows), default=0)
    return {row.member_id: row.score for row in rows if row.series == latest}


async def histogram_matches(store: Store) -> bool:
    """Whether the histogram counts exactly the listed scores above 0."""
    rows = await projected(store)
    counted: dict[tuple, int] = {}
    for community, _, series, score, reached, listed, standing, since in rows["scores"]:
        assert (standing, since) == ((score, reached) if listed and score > 0 else (None, None))
        if standing is not None:
            key = (community, series, bucket(score))
            counted[key] = counted.get(key, 0) + 1
    return sorted(rows["histogram"]) == sorted((*key, count) for key, count in counted.items())


async def test_entries_become_scores(store, town):
    town.do(gift("ana", "bo"))
    town.do(tip("ana", "bo", amount=30))
    kept = Chronicle(store, town)
    await kept.write()
    await StoreProjector(store).drain()
    ana, bo = town.id("ana"), town.id("bo")
    assert await board(store, Board.CREATORS) == {bo: 100}
    assert await board(store, Board.SUPPORTERS, Period.WEEK) == {ana: 100}
    assert await board(store, Board.TIPPERS, Period.HOUR) == {ana: 30}
    assert (await board(store, Board.BALANCE))[ana] == 1_870
    assert await histogram_matches(store)


async def test_a_score_remembers_the_entry_that_reached_it(store, town):
    town.do(gift("ana", "bo"))
    reached = town.entries[-1].number
    town.do(tip("cy", "mo"))
    kept = Chronicle(store, town)
    await kept.write()
    await StoreProjector(store).drain()
    rows = await projected(store)
    assert {row[4] for row in rows["scores"] if parts_of(row[2])[0] is Board.CREATORS} == {reached}


@pytest.mark.parametrize("entries_max", [1, 2, 7])
async def test_scores_are_the_same_however_the_entries_are_cut(store, town, tmp_path, entries_max):
    live(town)
    kept = Chronicle(store, town)
    await kept.write()
    await StoreProjector(store).drain()
    (tmp_path / "other").mkdir()
    async with await new_store(tmp_path / "other") as other:
        await Chronicle(other, town).write()
        await StoreProjector(other, entries_max=entries_max).drain()
        assert await projected(other) == await projected(store)


async def test_a_rebuild_comes_to_the_same_rows(store, town):
    kept = Chronicle(store, town)
    projector = StoreProjector(store, entries_max=3)
    live(town)
    await kept.write()
    await projector.drain()
    live(town)
    await kept.write()
    await projector.drain()
    before = await projected(store)
    await projector.rebuild()
    assert await projected(store) == before
    await StoreProjector(store).rebuild(kept.id)
    assert await projected(store) == before
    assert await histogram_matches(store)


async def test_a_rebuild_mends_what_was_spoilt(store, town):
    live(town)
    await Chronicle(store, town).write()
    projector = StoreProjector(store)
    await projector.drain()
    before = await projected(store)
    async with store.write() as connection:
        await connection.execute(scores.update().values(score=scores.c.score + 1, listed=True))
        await connection.execute(histogram.delete())
        await connection.execute(day_totals.update().values(amount=0))
    await projector.rebuild()
    assert await projected(store) == before


async def test_a_rebuild_of_one_community_leaves_the_others(store, town):
    live(town)
    other = Town.founded("dee", "eve", bonus=50)
    other.do(tip("dee", "eve"))
    await Chronicle(store, town, 1).write()
    await Chronicle(store, other, 2).write()
    projector = StoreProjector(store)
    await projector.drain()
    async with store.write() as connection:
        await connection.execute(scores.update().values(score=7))
    await projector.rebuild(CommunityId(2))
    rows = (await projected(store))["scores"]
    assert {row[3] for row in rows if row[0] == 1} == {7}
    assert {row[3] for row in rows if row[0] == 2} != {7}


# --- who is listed ---


async def test_who_hides_or_leaves_is_off_every_board_and_back_on_return(store, town):
    town.do(gift("ana", "bo"))
    kept = Chronicle(store, town)
    projector = StoreProjector(store)
    ana = town.id("ana")
    for away, back in (
        (Hide(by=person("ana")), Hide(by=person("ana"), hidden=False)),
        (Leave(by=person("ana")), Join(by=person("ana"))),
    ):
        town.do(away)
        await kept.write()
        await projector.drain()
        assert await board(store, Board.SUPPORTERS) == {}
        assert ana not in await board(store, Board.BALANCE)
        assert await histogram_matches(store)
        town.do(back)
        await kept.write()
        await projector.drain()
        assert await board(store, Board.SUPPORTERS) == {ana: 100}
        assert await histogram_matches(store)


async def test_scores_grow_unseen_while_hidden(store, town):
    kept = Chronicle(store, town)
    projector = StoreProjector(store)
    town.do(Hide(by=person("ana")))
    await kept.write()
    await projector.drain()
    town.do(gift("ana", "bo"))
    await kept.write()
    await projector.drain()
    assert await board(store, Board.SUPPORTERS) == {}
    assert await histogram_matches(store)
    town.do(Hide(by=person("ana"), hidden=False))
    await kept.write()
    await projector.drain()
    assert await board(store, Board.SUPPORTERS) == {town.id("ana"): 100}


async def test_a_leaver_who_hid_stays_hidden_on_return(store, town):
    town.do(gift("ana", "bo"))
    for order in (Hide(by=person("ana")), Leave(by=person("ana")), Join(by=person("ana"))):
        town.do(order)
    await Chronicle(store, town).write()
    await StoreProjector(store, entries_max=1).drain()
    assert await board(store, Board.SUPPORTERS) == {}


# --- once, whatever dies when ---


class CutError(Exception):
    """Stands for the process dying."""


async def test_a_projector_killed_between_any_two_statements_counts_once(store, town, tmp_path):
    """Fault 42, for projections: it dies before each of its statements in turn, and its successor counts once."""
    live(town)
    await Chronicle(store, town).write()
    (tmp_path / "other").mkdir()
    async with await new_store(tmp_path / "other") as other:
        await Chronicle(other, town).write()
        await StoreProjector(other).drain()
        wanted = await projected(other)

    patience = 0

    def cut(_connection, _cursor, statement, *_):
        nonlocal patience
        patience -= 1
        if patience == 0:
            raise CutError(statement)

    event.listen(store.writer.sync_engine, "before_cursor_execute", cut)
    deaths = 0
    for statements in range(1, 200):
        patience = statements
        try:
            await StoreProjector(store, entries_max=6).drain()
        except CutError:
            deaths += 1
        else:
            break
    event.remove(store.writer.sync_engine, "before_cursor_execute", cut)
    assert deaths >= 8
    assert await projected(store) == wanted


async def test_two_projectors_at_once_count_once(store, address, town):
    kept = Chronicle(store, town)
    others = [StoreProjector(store, entries_max=size) for size in (2, 3)]
    async with await open_store(address) as twin:
        others += [StoreProjector(twin, entries_max=size) for size in (1, 5)]
        for _ in range(3):
            live(town)
            await kept.write()
            await asyncio.gather(*(projector.drain() for projector in others))
    shared = await projected(store)
    await StoreProjector(store).rebuild()
    assert await projected(store) == shared


async def test_what_another_process_is_at_holds_up_no_other_community(postgres_address, town):
    other = Town.founded(*NAMES, coin=300, bonus=300)
    mine = watermarks.c.community_id
    async with await open_store(postgres_address) as store, await open_store(postgres_address) as twin:
        held, free = Chronicle(store, town, 1), Chronicle(store, other, 2)
        await held.write()
        await free.write()
        await StoreProjector(store).drain()
        before = len(town.entries)
        for each in (town, other):
            live(each)
        await held.write()
        await free.write()
        async with twin.write() as connection:
            await connection.execute(select(mine).where(mine == held.id).with_for_update())
            running = asyncio.create_task(StoreProjector(store).run())
            await _until(store, free.id, len(other.entries))
            assert await _watermark(store, held.id) == before
        await _until(store, held.id, len(town.entries))
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_whose_first_entries_another_process_adds_up_is_waited_for(postgres_address, town):
    live(town)
    async with await open_store(postgres_address) as store, await open_store(postgres_address) as twin:
        kept = Chronicle(store, town)
        await kept.write()
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        async with twin.write() as connection:
            await connection.execute(insert(watermarks).values(community_id=kept.id, projection="boards", entry=0))
            draining = asyncio.create_task(StoreProjector(store).drain())
            async with asyncio.timeout(30), store.read() as looking:
                while not (await looking.execute(waiting)).scalar_one():
                    pass
        await draining
        assert await _watermark(store, kept.id) == len(town.entries)


async def _until(store: Store, community: int, number: int) -> None:
    async with asyncio.timeout(30):
        while await _watermark(store, community) < number:
            pass


async def test_an_entry_of_many_postings_is_read_whole(store, town, monkeypatch):
    monkeypatch.setattr("economy.store.replay.POSTINGS_MAX", 3)
    live(town)
    await Chronicle(store, town).write()
    await StoreProjector(store).drain()
    cut = await projected(store)
    monkeypatch.undo()
    await StoreProjector(store).rebuild()
    assert await projected(store) == cut


async def test_projecting_goes_through_no_table(sqlite_store, town):
    """Neither a gift nor someone who hides may cost more the larger the community is."""
    live(town)
    town.do(Leave(by=person("mo")))
    await Chronicle(sqlite_store, town).write()
    with explained(sqlite_store.writer.sync_engine) as writing, explained(sqlite_store.reader.sync_engine) as reading:
        await StoreProjector(sqlite_store).drain()
    assert len(writing) > 10
    assert scans([*writing, *reading]) == []


# --- keeping up ---


async def test_catching_up_waits_for_what_was_committed_before(store, town):
    live(town)
    kept = Chronicle(store, town)
    await kept.write()
    projector = StoreProjector(store, entries_max=2)
    await projector.catch_up(kept.id, wait_s=30)
    async with store.read() as connection:
        assert (await connection.execute(select(watermarks.c.entry))).scalar_one() == len(town.entries)
    await projector.close()


async def test_catching_up_answers_in_time_while_the_store_is_locked(sqlite_store, town):
    # Of a SQLite store there is one lock; on a server nobody waits for a transaction that touches other rows.
    live(town)
    kept = Chronicle(sqlite_store, town)
    await kept.write()
    projector = StoreProjector(sqlite_store)
    async with sqlite_store.write():
        await projector.catch_up(kept.id, wait_s=0.01)
        assert (await projected(sqlite_store))["scores"] == []
    await projector.close()
    assert (await projected(sqlite_store))["scores"] != []


async def test_a_community_never_heard_of_has_nothing_to_catch_up_with(store):
    await StoreProjector(store).catch_up(CommunityId(99), wait_s=30)


async def test_a_woken_projector_keeps_up(store, town):
    kept = Chronicle(store, town)
    projector = StoreProjector(store)
    running = asyncio.create_task(projector.run())
    try:
        for _ in range(2):
            live(town)
            await kept.write()
            projector.wake({kept.id: town.entries[-1].number})
            async with asyncio.timeout(30):
                while await _watermark(store) < len(town.entries):
                    pass
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_the_journal_wakes_the_projector(store):
    async with StoreJournal(store, StillClock()) as journal:
        projector = StoreProjector(store)
        journal.on_commit(projector.wake)
        acting = Acting(journal)
        running = asyncio.create_task(projector.run())
        try:
            await acting.grant(ana=50)
            tipped = await acting.done(acts.tip("ana", "bo", amount=20))
            async with asyncio.timeout(30):
                while await _watermark(store) < (tipped.number or 0):
                    pass
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
    assert list((await board(store, Board.TIPPERS)).values()) == [20]


async def _watermark(store: Store, community: int | None = None) -> int:
    asked = select(watermarks.c.entry)
    if community is not None:
        asked = asked.where(watermarks.c.community_id == community)
    async with store.read() as connection:
        return (await connection.execute(asked)).scalar_one_or_none() or 0


async def test_a_store_locked_by_another_process_is_tried_again(sqlite_store, sqlite_address, town):
    """Fault 38, for projections."""
    live(town)
    kept = Chronicle(sqlite_store, town)
    await kept.write()
    async with await open_store(sqlite_address, busy_timeout_s=0.01) as impatient:
        projector = StoreProjector(impatient)
        async with sqlite_store.write() as connection:
            await connection.exec_driver_sql("SELECT 1")
            await projector.catch_up(kept.id, wait_s=30)
            with pytest.raises(StoreBusyError):
                await projector.drain()
        await projector.catch_up(kept.id, wait_s=30)
        assert await _watermark(sqlite_store) == len(town.entries)


# --- properties ---

orders = st.one_of(
    st.builds(tip, st.sampled_from(NAMES), st.sampled_from(NAMES), amount=st.integers(1, 900)),
    st.builds(gift, st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.builds(undo, st.integers(10, 40)),
    st.builds(Hide, by=st.sampled_from(NAMES).map(person), hidden=st.booleans()),
    st.builds(Leave, by=st.sampled_from(NAMES).map(person)),
    st.builds(Join, by=st.sampled_from(NAMES).map(person)),
)


@given(steps=st.lists(st.tuples(orders, st.integers(0, 40)), max_size=25), size=st.integers(1, 9))
@settings(max_examples=15, deadline=None)
def test_any_history_projects_as_it_rebuilds(tmp_path_factory, steps, size):
    async def try_it() -> None:
        town = Town.founded(*NAMES, coin=300, bonus=300, time_zone="America/New_York")
        async with await new_store(tmp_path_factory.mktemp("any")) as store:
            kept = Chronicle(store, town)
            projector = StoreProjector(store, entries_max=size)
            for order, hours in steps:
                town.wait(hours=hours)
                town.do(order, Role.MODERATOR)
                if town.entries[-1].number % 5 == 0:
                    await kept.write()
                    await projector.drain()
            await kept.write()
            await projector.drain()
            before = await projected(store)
            assert await histogram_matches(store)
            await StoreProjector(store).rebuild()
            assert await projected(store) == before

    with asyncio.Runner() as runner:
        runner.run(try_it())
