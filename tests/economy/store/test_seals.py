"""Seals are written behind the journal, once each, and a change behind Florin's back breaks the one over it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.exc import DBAPIError

from economy.rules.words import RemoveText
from economy.store.audit import Problem, audit
from economy.store.engine import Store
from economy.store.journal import StoreJournal
from economy.store.projector import StoreProjector
from economy.store.sealer import Sealer
from economy.values import EntryNumber, Note, Reason, receipt_id
from tests.economy.projections.town import Town, gift, person, tip
from tests.economy.store import acting as acts
from tests.economy.store.acting import Acting, StillClock, number_of
from tests.economy.store.audit import rows
from tests.economy.store.chronicle import Chronicle
from tests.economy.store.test_audit import spoil
from tests.support.stores import open_store

SEALS = "SELECT community_id, number, first_entry, last_entry, digest FROM seals ORDER BY community_id, number"


@pytest.fixture
async def store(address: str) -> AsyncIterator[Store]:
    async with await open_store(address) as opened:
        yield opened


@pytest.fixture
def town() -> Town:
    town = Town.founded("ana", "bo", coin=1_000, bonus=1_000)
    for amount in range(10, 20):
        town.do(tip("ana", "bo", amount=amount))
    town.do(gift("ana", "bo"))
    return town


async def seal_all(store: Store, entries_max: int) -> None:
    sealer = Sealer(store, entries_max=entries_max)
    while await sealer.seal_next():
        pass


async def kept(store: Store, town: Town, entries_max: int = 4) -> None:
    """The town with its boards, and a seal over every `entries_max` entries."""
    await Chronicle(store, town).write()
    await seal_all(store, entries_max)
    await StoreProjector(store).drain()


async def broken_seals(store: Store) -> list[str]:
    """Which seals the audit names."""
    report = await audit(store)
    return [problem.where for problem in report.problems if problem.what == "seal"]


def named(number: int, first: int, last: int) -> str:
    return f"seal {number}, entries {receipt_id(first)} to {receipt_id(last)}"


async def test_seals_cover_every_entry_once_in_order(store, town):
    await kept(store, town)
    found = await rows(store, SEALS)
    last = len(town.entries)
    assert [row[1] for row in found] == list(range(1, len(found) + 1))
    assert [row[2] for row in found] == list(range(1, last + 1, 4))
    assert [row[3] for row in found] == [*range(4, last, 4), last]
    assert (await audit(store)).ok


async def test_seals_are_the_same_however_entries_are_read(store, town, monkeypatch):
    await kept(store, town)
    monkeypatch.setattr("economy.store.replay.POSTINGS_MAX", 3)
    monkeypatch.setattr("economy.store.audit.CHUNK", 3)
    monkeypatch.setattr("economy.store.audit_seals.SEALS_MAX", 2)
    assert (await audit(store)).problems == ()


async def test_a_seal_of_many_postings_reads_on_until_it_is_full(store, town, monkeypatch):
    monkeypatch.setattr("economy.store.replay.POSTINGS_MAX", 3)
    await kept(store, town)
    assert [row[3] for row in await rows(store, SEALS)][:2] == [4, 8]


async def test_new_entries_get_a_new_seal_and_the_old_ones_stay(store, town):
    chronicle = Chronicle(store, town)
    await chronicle.write()
    await StoreProjector(store).drain()
    before = await rows(store, SEALS)
    await StoreProjector(store).drain()
    assert await rows(store, SEALS) == before
    town.do(tip("bo", "ana", amount=5))
    await chronicle.write()
    await StoreProjector(store).drain()
    after = await rows(store, SEALS)
    assert after[: len(before)] == before
    assert len(after) == len(before) + 1


async def test_two_sealers_at_once_write_each_seal_once(store, town):
    await Chronicle(store, town).write()
    await asyncio.gather(*(seal_all(store, 3) for _ in range(4)))
    found = await rows(store, SEALS)
    assert [row[2] for row in found] == list(range(1, len(town.entries) + 1, 3))
    assert (await audit(store)).ok


async def test_each_community_has_its_own_chain(store, town, monkeypatch):
    monkeypatch.setattr("economy.store.sealer.COMMUNITIES_MAX", 2)
    for number in range(1, 6):
        await Chronicle(store, town, number).write()
    await StoreProjector(store).drain()
    found = await rows(store, SEALS)
    assert [row[0] for row in found] == [1, 2, 3, 4, 5]
    assert len({row[4] for row in found}) == 5


# What somebody may do to the database who may do everything, where no sum and no rule shows it.
TAMPERED = {
    "a time": "UPDATE entries SET at_us = at_us + 1 WHERE number = 10",
    "an actor": "UPDATE entries SET actor = 2 WHERE number = 10",
    "a kind": "UPDATE entries SET kind = 'drop' WHERE number = 10",
    "a receipt": "UPDATE entries SET receipt = replace(receipt, '15', '16') WHERE number = 10",
    "an order of legs": "UPDATE postings SET leg = leg + 1 WHERE entry = 10",
    "a fact": "UPDATE facts SET name = name || 'x' WHERE entry = 10",
}


@pytest.mark.parametrize("what", TAMPERED)
async def test_a_changed_entry_breaks_the_seal_over_it_alone(store, what):
    """Fault 49, 152"""
    town = Town.founded("ana", "bo", "cy", coin=1_000, bonus=1_000)
    for amount in range(10, 30):
        town.do(tip("ana", "bo", amount=amount))
    number = next(e.number for e in town.entries if e.number > 4 and (e.facts if what == "a fact" else e.postings))
    await kept(store, town)
    if what == "a receipt":
        number = next(e.number for e in town.entries if "15" in str(e.receipt))
    await spoil(store, TAMPERED[what].replace("= 10", f"= {number}"))
    first = (number - 1) // 4 * 4 + 1
    assert await broken_seals(store) == [named((number - 1) // 4 + 1, first, first + 3)]


async def test_a_flipped_bit_is_narrowed_down_to_its_range(store, town):
    """Fault 49: what a page lost or gained outside our sight."""
    await kept(store, town)
    await spoil(store, "UPDATE postings SET source_after = source_after | 1048576 WHERE entry = 14 AND source > 0")
    assert (await broken_seals(store))[0] == named(4, 13, 16)


async def test_a_changed_seal_breaks_itself_and_the_next(store, town):
    """Fault 152"""
    await kept(store, town)
    await spoil(store, "UPDATE seals SET digest = 'abc' || substr(digest, 4) WHERE number = 2")
    assert await broken_seals(store) == [named(2, 5, 8), named(3, 9, 12)]


async def test_a_seal_made_to_match_a_changed_entry_breaks_the_next(store, town):
    """Fault 152: who changes an entry would have to make every later seal anew."""
    await kept(store, town)
    before = await rows(store, SEALS)
    await spoil(store, "UPDATE entries SET at_us = at_us + 1 WHERE number = 6", "DELETE FROM seals WHERE number >= 2")
    await seal_all(store, 4)
    forged = (await rows(store, SEALS))[1]
    await spoil(
        store,
        "DELETE FROM seals WHERE number >= 3",
        *(f"INSERT INTO seals VALUES {row}" for row in before[2:]),
    )
    assert forged != before[1]
    assert await broken_seals(store) == [named(3, 9, 12)]


@pytest.mark.parametrize(
    ("statement", "first"),
    [
        ("DELETE FROM seals WHERE number = 2", named(3, 9, 12)),
        ("DELETE FROM seals WHERE number = 1", named(2, 5, 8)),
        ("UPDATE seals SET first_entry = 6 WHERE number = 2", named(2, 6, 8)),
        ("UPDATE seals SET last_entry = 7 WHERE number = 2", named(2, 5, 7)),
        ("UPDATE seals SET last_entry = 900 WHERE number = (SELECT max(number) FROM seals)", None),
        ("INSERT INTO seals SELECT 1, max(number) + 1, 900, 901, 'abc' FROM seals", None),
        ("DELETE FROM entries WHERE number = 6", named(2, 5, 8)),
        ("DELETE FROM entries WHERE number = 8", named(2, 5, 8)),
    ],
)
async def test_what_is_missing_or_too_much_is_named(store, town, statement, first):
    """Fault 152"""
    await kept(store, town)
    await spoil(store, statement)
    found = await broken_seals(store)
    assert found
    assert first in {None, found[0]}


async def test_a_rebuild_reports_a_broken_seal_and_overwrites_none(store, town):
    await kept(store, town)
    await spoil(store, "UPDATE entries SET at_us = at_us + 1 WHERE number = 6")
    before = await rows(store, SEALS)
    await StoreProjector(store).rebuild()
    await StoreProjector(store).drain()
    assert await rows(store, SEALS) == before
    assert await broken_seals(store) == [named(2, 5, 8)]


async def test_removing_a_text_leaves_every_seal_as_it_was(store):
    async with StoreJournal(store, StillClock()) as journal:
        acting = Acting(journal)
        await acting.grant(ana=900, bo=50)
        tipped = await acting.done(acts.tip("ana", "bo", amount=7, note=Note("a bad word")))
        await StoreProjector(store).drain()
        before = await rows(store, SEALS)
        await acting.done(RemoveText(by=person("owner"), of=EntryNumber(number_of(tipped)), reason=Reason("rude")))
    assert await rows(store, "SELECT text FROM texts") == [("",)]
    await StoreProjector(store).drain()
    assert (await rows(store, SEALS))[: len(before)] == before
    assert (await audit(store)).problems == ()


async def test_entries_appear_under_a_seal_by_themselves(store, town):
    projecting = asyncio.create_task(StoreProjector(store).run())
    try:
        await Chronicle(store, town).write()
        async with asyncio.timeout(20):
            while not await rows(store, SEALS):  # noqa: ASYNC110  # nobody is told of a seal
                await asyncio.sleep(0.01)
    finally:
        projecting.cancel()
        await asyncio.wait((projecting,))
    assert (await rows(store, SEALS))[0][2] == 1


async def test_seals_refuse_to_be_changed(store, town):
    """Fault 152"""
    await kept(store, town)
    for statement in ("UPDATE seals SET digest = ''", "DELETE FROM seals"):
        with pytest.raises(DBAPIError, match="seals are written once"):
            async with store.write() as connection:
                await connection.exec_driver_sql(statement)


async def test_problems_of_seals_say_what_they_mean(store, town):
    await kept(store, town)
    await spoil(store, "UPDATE entries SET at_us = at_us + 1 WHERE number = 6")
    assert (await audit(store)).problems == (
        Problem(
            "seal",
            1,
            named(2, 5, 8),
            "does not match: these entries, or this seal or the one before, were changed",
        ),
    )
