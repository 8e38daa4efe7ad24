"""A process that dies at any point leaves all of a batch or nothing of it, and what it answered is there."""

import asyncio
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from economy.store.journal import StoreJournal
from tests.economy.store.acting import Acting, StillClock, tip
from tests.economy.store.audit import bonus, must_balance, rows
from tests.economy.store.killed import TIPS, address_of, key
from tests.support.stores import open_store

ROOT = Path(__file__).parents[3]
STATEMENTS_LEAST = {"sqlite": 6, "postgres": 5}
"""Begin or lock, read, balances, number, entries, postings: a harness that kills less often sees less."""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A folder with a migrated `before.sqlite`, or the address of a server's store."""
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("killed")
        (folder / "before.sqlite").write_bytes(request.getfixturevalue("template").read_bytes())
        yield str(folder)
    else:
        databases = request.getfixturevalue("databases")
        name = databases.take()
        yield databases.url(name)
        databases.give_back(name)


@pytest.fixture(scope="module")
async def statements(where: str) -> int:
    """How many statements there were to die before. At all of these points a process has died."""
    async with (
        await open_store(address_of(where, "before")) as store,
        StoreJournal(store, StillClock()) as journal,
    ):
        acting = Acting(journal, prefix="before")
        await acting.grant(ana=1_000)
        await acting.done(tip("ana", "bo", amount=50))
    return await told_by("tests.economy.store.killed", where)


async def told_by(module: str, *words: str) -> int:
    command = [sys.executable, "-m", module, *words]
    run = functools.partial(subprocess.run, cwd=ROOT, capture_output=True, text=True, check=True)
    ended = await asyncio.to_thread(run, command)
    return int(ended.stdout)


async def test_killed_before_any_statement_nothing_is_there(where, statements):
    """Fault 42"""
    assert statements >= STATEMENTS_LEAST["postgres" if "://" in where else "sqlite"]
    for point in (*map(str, range(statements)), "commit"):
        async with await open_store(address_of(where, point)) as store:
            await must_balance(store)
            assert await rows(store, f"SELECT key FROM entries WHERE key LIKE '{key(point, 0)[:-1]}%'") == [], point
            before = await bonus(store, "bo")
            async with StoreJournal(store, StillClock()) as journal:
                again = await Acting(journal).submit(tip("ana", "bo"), key=key(point, 0))
                assert not again.repeated
            assert await bonus(store, "bo") == before + 10


async def test_killed_between_commit_and_reply_the_answer_is_found_again(where, statements):
    """Fault 43"""
    async with (
        await open_store(address_of(where, "answer")) as store,
        StoreJournal(store, StillClock()) as journal,
    ):
        before = await bonus(store, "bo")
        acting = Acting(journal)
        answers = [await acting.submit(tip("ana", "bo"), key=key("answer", each)) for each in range(TIPS)]
        assert all(answer.repeated and answer.number for answer in answers)
        assert await bonus(store, "bo") == before
        assert await rows(store, f"SELECT count(*) FROM entries WHERE key LIKE '{key('answer', 0)[:-1]}_'") == [(TIPS,)]
        await must_balance(store)


async def test_a_process_that_dies_again_and_again_acts_once_and_tells_once(where, statements):
    """Faults 44 and 50, as far as the store goes: every start is given the same orders; what is to be sent stands in
    the outbox once, with the number of the entry that it tells of."""
    deaths = await told_by("tests.economy.store.killed", where, str(statements))
    assert deaths == statements + 2, "before each statement, before the commit and behind it"
    async with await open_store(address_of(where, "again")) as store:
        await must_balance(store)
        numbers = await rows(store, f"SELECT number FROM entries WHERE key LIKE '{key('again', 0)[:-1]}_'")
        assert len(numbers) == TIPS
        sent = await rows(store, "SELECT entry FROM outbox ORDER BY entry")
        assert [row for row in sent if row in numbers] == sorted(numbers)
