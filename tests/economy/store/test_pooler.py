"""Fault 63: a store behind a pooler that lends a connection for one transaction at a time."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from economy.store.audit import audit
from economy.store.errors import NoPrimaryError
from economy.store.journal import StoreJournal
from economy.store.projector import StoreProjector
from economy.store.reads import StoreReads
from economy.store.revision import HEAD
from economy.store.schema import current
from economy.values import CommunityId
from tests.economy.store.acting import Acting, number_of, person, tip
from tests.economy.store.audit import bonus, must_balance, rows
from tests.support.pooler import Pooler
from tests.support.postgres import ThrowawayPostgres
from tests.support.stores import downgrade, open_store, upgrade

ROOT = Path(__file__).parents[3]
PROCESSES = 3
EACH = 20


@pytest.fixture(params=[1, 2, 5])
async def pooler(request: pytest.FixtureRequest, postgres: ThrowawayPostgres) -> AsyncIterator[Pooler]:
    """Lends fewer connections than there are clients."""
    async with Pooler(postgres.port, size=request.param) as found:
        yield found


@pytest.fixture
async def small(postgres: ThrowawayPostgres) -> AsyncIterator[Pooler]:
    async with Pooler(postgres.port, size=2) as found:
        yield found


# --- the store --------------------------------------------------------------------------------------------------------


async def test_everything_is_carried_out_and_read(pooler, postgres_address, clock):
    async with await open_store(pooler.url(postgres_address)) as store, StoreJournal(store, clock) as journal:
        projector = StoreProjector(store)
        journal.on_commit(projector.wake)
        projecting = asyncio.create_task(projector.run())
        acting, reads = Acting(journal), StoreReads(store)
        await acting.grant(ana=1_000)
        lent = pooler.lent
        for _ in range(5):
            tips = acting.together(*[tip("ana", "bo"), tip("bo", "cy", amount=1)] * 4)
            looks = asyncio.gather(*(reads.member(CommunityId(1), person("bo")) for _ in range(8)))
            answers, _ = await asyncio.gather(tips, looks)
            assert all(number_of(answer) for answer in answers[::2])
        assert pooler.lent - lent > 5, "each transaction is lent a connection of its own"
        projecting.cancel()
        with suppress(asyncio.CancelledError):
            await projecting
        await projector.drain()
        assert await bonus(store, "ana") == 1_000 - 200
        await must_balance(store)
        report = await audit(store)
        assert not report.problems


async def test_processes_share_fewer_connections_than_they_are(small, postgres_address, clock):
    """Faults 23, 24 and 35: every process has several connections to the pooler, which has two to the server."""
    address = small.url(postgres_address)
    async with await open_store(postgres_address) as store:
        async with StoreJournal(store, clock) as journal:
            await Acting(journal, prefix="before").grant(ana=105, bo=1_000, cy=1_000)
        command = [sys.executable, "-m", "tests.economy.store.neighbour", address]
        running = [
            await asyncio.create_subprocess_exec(*command, str(number), str(EACH), cwd=ROOT, stdout=subprocess.PIPE)
            for number in range(PROCESSES)
        ]
        told = [json.loads((await process.communicate())[0]) for process in running]
        assert [process.returncode for process in running] == [0] * PROCESSES
        assert sum(each["spent"] for each in told) == 10, "as many as there were funds for"
        assert sum(each["first"] for each in told) == EACH, "of every shared key one is the first"
        assert all(each["crossed"] == EACH for each in told)
        numbers = [number for (number,) in await rows(store, "SELECT number FROM entries ORDER BY number")]
        assert numbers == list(range(1, len(numbers) + 1))
        await must_balance(store)


async def test_a_pooler_that_starts_anew_takes_no_coin_with_it(small, postgres_address, clock):
    """Fault 43: every connection breaks, some in the midst of a commit."""
    async with await open_store(small.url(postgres_address)) as store, StoreJournal(store, clock) as journal:
        acting = Acting(journal)
        await acting.grant(ana=1_000)
        for later in range(5):
            small.lending.clear()
            sent = asyncio.create_task(acting.together(*[tip("ana", "bo", amount=1)] * 10))
            await small.lending.wait()
            # Some steps further with each attempt: before it has written, while it does, at the commit.
            for _ in range(later * 20):
                await asyncio.sleep(0)
            small.break_all()
            assert all(number_of(answer) for answer in await sent)
        assert await bonus(store, "bo") == 50
        await must_balance(store)


async def test_tables_are_made_and_taken_back(small, postgres):
    name = postgres.create_database()
    address = small.url(postgres.url(name))
    await upgrade(address)
    async with await open_store(address) as store:
        assert await current(store) == HEAD
    await downgrade(address, "base")
    async with await open_store(address, any_schema=True) as store:
        assert await current(store) is None
    small.break_all()
    postgres.drop_database(name)


async def test_an_address_that_does_not_say_that_there_is_a_pooler_is_refused_by_it(small, postgres_address):
    with pytest.raises(NoPrimaryError, match="unsupported startup parameter"):
        await open_store(small.url(postgres_address).partition("?")[0])


# --- the pooler itself ------------------------------------------------------------------------------------------------


async def client_of(pooler: Pooler, postgres_address: str) -> asyncpg.Connection:
    return await asyncpg.connect(pooler.url(postgres_address).partition("?")[0], statement_cache_size=0)


async def test_what_a_client_leaves_in_a_session_others_find(small, postgres_address):
    one, two = await client_of(small, postgres_address), await client_of(small, postgres_address)
    await one.execute("SET lock_timeout = '7s'")
    found = [await link.fetchval("SHOW lock_timeout") for link in (one, two, one, two)]
    assert found == ["0", "7s", "0", "7s"]
    await one.execute("PREPARE mine AS SELECT 1")
    found = []
    for link in (one, two):
        try:
            found.append(await link.execute("EXECUTE mine"))
        except asyncpg.InvalidSQLStatementNameError:
            found.append("not there")
    assert found == ["not there", "SELECT 1"]
    await asyncio.gather(one.close(), two.close())


async def test_in_a_transaction_a_connection_is_its_clients(small, postgres_address):
    one, two = await client_of(small, postgres_address), await client_of(small, postgres_address)
    async with one.transaction():
        await one.execute("SET LOCAL lock_timeout = '7s'")
        for _ in range(3):
            assert await two.fetchval("SHOW lock_timeout") == "0"
        assert await one.fetchval("SHOW lock_timeout") == "7s"
    await asyncio.gather(one.close(), two.close())


async def test_who_hangs_up_in_the_midst_of_a_transaction_leaves_no_lock(small, postgres_address):
    one, two = await client_of(small, postgres_address), await client_of(small, postgres_address)
    await one.execute("BEGIN; LOCK TABLE entries")
    one.terminate()
    async with two.transaction():
        await two.execute("SET LOCAL lock_timeout = '5s'; LOCK TABLE entries")
    await two.close()
