"""Two servers, one in the other's place: what was answered is there, and what is read is what was written."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import asyncpg
import pytest

from economy.store.backup import move
from economy.store.journal import StoreJournal
from economy.store.postgres import LOSS_ALLOWED
from tests.economy.store.acting import Acting, number_of, tip
from tests.economy.store.audit import bonus, must_balance, rows
from tests.economy.store.test_doubt import until
from tests.support.postgres import ThrowawayPostgres, throwaway_postgres
from tests.support.proxy import Proxy
from tests.support.stores import open_store, upgrade

# Not FAST: a commit that waits for no standby shows nothing.
SYNCHRONOUS = ("fsync=off", "synchronous_standby_names=ANY 1 (*)")
CONFIRMING = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

ALONE = "options=-csynchronous_commit%3Dlocal"
"""Whoever connects with this does not wait for a standby."""


@pytest.fixture(scope="module")
def old() -> Iterator[ThrowawayPostgres]:
    """A primary that answers only what a standby has."""
    with throwaway_postgres(SYNCHRONOUS) as server:
        yield server


@pytest.fixture(scope="module")
def new() -> Iterator[ThrowawayPostgres]:
    """Another server, which is there when the first is not."""
    with throwaway_postgres(("fsync=off",)) as server:
        yield server


def named(*ports: int, database: str) -> str:
    return f"postgresql://florin@{','.join(f'127.0.0.1:{port}' for port in ports)}/{database}"


def with_loss(address: str) -> str:
    return f"{address}?allow_loss={LOSS_ALLOWED}"


def ignored(_what: str, _done: int, _total: int) -> None:
    """Progress that nobody looks at."""


async def test_an_old_primary_that_nobody_follows_answers_nothing_and_the_new_one_does(old, new, clock):
    """Fault 53: its agent is dead and it lives on; the standby has left it and is about to become the primary."""
    standby = old.receive_wal()
    try:
        admin = await asyncpg.connect(old.url())
        await until(lambda: admin.fetchval(CONFIRMING))
        await admin.execute("CREATE DATABASE split")
        new.sql("CREATE DATABASE split")
        await upgrade(old.url("split"))
        async with AsyncExitStack() as there_is_a_way:
            line = await there_is_a_way.enter_async_context(Proxy(old.port))
            address = named(line.port, new.port, database="split")
            async with await open_store(address) as store, StoreJournal(store, clock) as journal:
                acting = Acting(journal)
                await acting.grant(ana=100)
                await move(with_loss(old.url("split")), with_loss(new.url("split")), ignored)
                standby.terminate()
                standby.wait()
                caller = asyncio.create_task(acting.submit(tip("ana", "bo"), key="act:once"))
                await until(lambda: admin.fetchval(WAITING))
                assert not caller.done(), "what only the old one has is not told"
                await there_is_a_way.aclose()
                answer = await caller
        assert number_of(answer)
        assert not answer.repeated
        async with await open_store(new.url("split")) as there:
            assert await bonus(there, "bo") == 10
            await must_balance(there)
        await admin.close()
    finally:
        standby.kill()
        standby.wait()


async def test_what_is_read_behind_a_write_is_read_where_it_was_written(old, new, clock):
    """Fault 64: the first host is a standby that lags by all that ever happened."""
    for server in (old, new):
        for statement in ("CREATE DATABASE lagging", "ALTER DATABASE lagging SET synchronous_commit = local"):
            server.sql(statement, f"postgres?{ALONE}")
        await upgrade(server.url("lagging"))
    old.sql("ALTER DATABASE lagging SET default_transaction_read_only = on", "lagging")
    async with (
        await open_store(named(old.port, new.port, database="lagging")) as store,
        StoreJournal(store, clock) as journal,
    ):
        acting = Acting(journal)
        await acting.grant(ana=100)
        for amount in range(1, 6):
            await acting.done(tip("ana", "bo", amount=amount))
            assert await bonus(store, "bo") == sum(range(1, amount + 1))
        assert await rows(store, "SELECT inet_server_port()") == [(new.port,)]
        await must_balance(store)
