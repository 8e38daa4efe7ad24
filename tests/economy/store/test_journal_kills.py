"""A process that dies at any point leaves all of a batch or nothing of it, and what it answered is there."""

import asyncio
import functools
import subprocess
import sys
from pathlib import Path

import pytest

from economy.store.engine import open_store
from economy.store.journal import StoreJournal
from tests.economy.store.acting import Acting, StillClock, tip
from tests.economy.store.audit import bonus, must_balance, rows
from tests.economy.store.killed import TIPS

ROOT = Path(__file__).parents[3]
STATEMENTS_LEAST = 6
"""Begin, read, balances, number, entries, postings: a harness that kills less often sees less."""


@pytest.fixture(scope="module")
async def killed(template, tmp_path_factory) -> tuple[Path, int]:
    """A folder with one store for every point of death, and how many statements there were to die before."""
    folder = tmp_path_factory.mktemp("killed")
    before = folder / "before.sqlite"
    before.write_bytes(template.read_bytes())
    async with await open_store(f"sqlite:///{before}") as store, StoreJournal(store, StillClock()) as journal:
        acting = Acting(journal, prefix="before")
        await acting.grant(ana=100)
        await acting.done(tip("ana", "bo", amount=50))
    command = [sys.executable, "-m", "tests.economy.store.killed", str(folder)]
    run = functools.partial(subprocess.run, cwd=ROOT, capture_output=True, text=True, check=True)
    ended = await asyncio.to_thread(run, command)
    return folder, int(ended.stdout)


async def test_killed_before_any_statement_nothing_is_there(killed):
    """Fault 42"""
    folder, statements = killed
    assert statements >= STATEMENTS_LEAST
    for point in (*map(str, range(statements)), "commit"):
        async with await open_store(f"sqlite:///{folder / point}.sqlite") as store:
            await must_balance(store)
            assert await rows(store, "SELECT key FROM entries WHERE key LIKE 'act:killed:%'") == [], point
            async with StoreJournal(store, StillClock()) as journal:
                again = await Acting(journal).submit(tip("ana", "bo"), key="act:killed:0")
                assert not again.repeated
            assert await bonus(store, "bo") == 60


async def test_killed_between_commit_and_reply_the_answer_is_found_again(killed):
    """Fault 43"""
    folder, _ = killed
    async with (
        await open_store(f"sqlite:///{folder / 'answer.sqlite'}") as store,
        StoreJournal(store, StillClock()) as journal,
    ):
        acting = Acting(journal)
        answers = [await acting.submit(tip("ana", "bo"), key=f"act:killed:{each}") for each in range(TIPS)]
        assert all(answer.repeated and answer.number for answer in answers)
        assert await bonus(store, "bo") == 80
        await must_balance(store)
