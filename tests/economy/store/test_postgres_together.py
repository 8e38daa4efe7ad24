"""Two journals on one PostgreSQL, of which the second waits for the first: what it then sees, and what it answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from economy.ledger import Undone
from economy.rules.tipping import Receivers, Tip
from economy.service import Answer
from economy.store.engine import Store
from economy.store.journal import StoreJournal
from economy.values import AmountWord, Role
from tests.economy.store.acting import Acting, appoint, number_of, person, tip
from tests.economy.store.audit import bonus, must_balance, stored_order
from tests.support.stores import open_store


@pytest.fixture
async def store(postgres_address: str) -> AsyncIterator[Store]:
    async with await open_store(postgres_address) as opened:
        yield opened
        await must_balance(opened)


@pytest.fixture
async def neighbour(postgres_address, clock) -> AsyncIterator[Acting]:
    async with await open_store(postgres_address) as store, StoreJournal(store, clock) as journal:
        yield Acting(journal, prefix="neighbour")


class Held:
    """A row that another session holds, so that whoever comes first waits first."""

    def __init__(self, server: asyncpg.Connection, watcher: asyncpg.Connection) -> None:
        self._server = server
        self._watcher = watcher
        self._waiting = 0

    async def behind(self, submitting: Awaitable[Answer]) -> asyncio.Task[Answer]:
        """Submits, and returns once the order waits behind all that do so already."""
        task = asyncio.ensure_future(submitting)
        self._waiting += 1
        waits = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
        async with asyncio.timeout(30):
            while await self._watcher.fetchval(waits) < self._waiting:
                assert not task.done(), "it was to wait"
        return task

    async def let_go(self) -> None:
        await self._server.execute("ROLLBACK")


@pytest.fixture
async def hold(postgres_address) -> AsyncIterator[Callable[[str], Awaitable[Held]]]:
    """Holds the rows that a query selects `FOR UPDATE`."""
    server, watcher = await asyncpg.connect(postgres_address), await asyncpg.connect(postgres_address)

    async def hold(rows: str) -> Held:
        await server.execute(f"BEGIN; {rows} FOR UPDATE")
        return Held(server, watcher)

    yield hold
    await server.close()
    await watcher.close()


async def test_an_undo_of_the_latest_sees_what_another_process_carried_out_meanwhile(acting, neighbour, hold, store):
    """Fault 35"""
    await acting.grant(ana=100)
    await acting.done(tip("ana", "bo", amount=7))
    everyone = await hold("SELECT 1 FROM members")
    tipped = await everyone.behind(neighbour.submit(tip("ana", "cy", amount=20)))
    undone = await everyone.behind(acting.undo("ana"))
    await everyone.let_go()
    latest = number_of(await tipped)
    answer = await undone
    assert number_of(answer) == latest + 1
    assert isinstance(answer.outcome, Undone)
    assert [part.number for part in answer.outcome.parts] == [latest]
    assert (await bonus(store, "bo"), await bonus(store, "cy")) == (7, 0)


async def test_a_tip_to_a_role_means_whoever_another_process_appointed_meanwhile(acting, neighbour, hold, store):
    """Fault 35"""
    await acting.grant(owner=100, bo=1, cy=1)
    await acting.done(appoint("bo", Role.MODERATOR))
    community = await hold("SELECT 1 FROM communities")
    appointed = await community.behind(neighbour.submit(appoint("cy", Role.MODERATOR)))
    to_all = Tip(by=person("owner"), receivers=Receivers(role=Role.MODERATOR), amount=AmountWord.exact(5))
    asked = await community.behind(acting.submit(to_all))
    await community.let_go()
    assert number_of(await appointed)
    order = await stored_order(store, await asked)
    assert isinstance(order, Tip)
    assert order.receivers.people == (person("bo"), person("cy"))
