"""No query goes through a table, however large it is."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from economy.projections.boards import Board, Period
from economy.store.engine import Store
from economy.store.reads import StoreReads
from economy.values import (
    CommunityId,
    EntryNumber,
    Role,
)
from tests.economy.projections.town import START, Town, gift, person
from tests.economy.store.chronicle import keep, place
from tests.economy.store.plans import explained, scans

ONE = CommunityId(1)


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """Plans are those of SQLite, which has the same indexes."""
    return sqlite_store


@pytest.fixture
def reads(store: Store) -> StoreReads:
    return StoreReads(store)


@pytest.fixture
def town() -> Town:
    return Town.founded("ana", "bo", "cy", "mo", coin=500, bonus=500)


@pytest.fixture
def plans(store: Store) -> Iterator[list[str]]:
    with explained(store.looker) as steps:
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
    sent = town.entries[-1].number
    assert await reads.sent_around(ONE, sent, apart=timedelta(seconds=30), most=10)
    await reads.busy_senders(ONE, [sent], apart=timedelta(seconds=30))
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
    await reads.board(ONE, Board.SUPPORTERS, Period.ALL, now=town.now, reader=None)
    (page,) = [step for step in plans if "ix_scores_rank" in step]
    assert page.startswith("SEARCH scores USING COVERING INDEX ix_scores_rank")
    assert "standing>?" in page
    assert not any("TEMP B-TREE" in step for step in plans)


def test_a_scan_would_be_seen():
    bad = ["SCAN scores", "SEARCH flags USING INDEX x (community_id=?)"]
    assert scans([*bad, "SEARCH scores USING INDEX x (community_id=? AND board=?)", "SCAN w"]) == bad


async def test_refusals_are_found_by_whom_they_were_told(store, reads, town, plans):
    """`/audit` of one member's refusals looks at theirs alone, however many others were refused."""
    await keep(store, town)
    for sought in ({"actor": town.id("ana")}, {"member": town.id("ana"), "kind": "tip"}):
        plans.clear()
        await reads.audit(ONE, refused=True, since=START, **sought)
        assert [step for step in plans if "answers" in step] == [
            "SEARCH answers USING INDEX ix_answers_community_id_actor_at_us (community_id=? AND actor=? AND at_us>?)"
        ]
