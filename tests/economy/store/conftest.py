"""A fresh store with all its tables for every test, a clock that stands still, and a journal on both."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from economy.store.engine import Store
from economy.store.journal import StoreJournal
from tests.economy.store.acting import Acting, StillClock
from tests.economy.store.audit import must_balance
from tests.support.postgres import ThrowawayPostgres
from tests.support.stores import open_store


@pytest.fixture(params=["sqlite", "postgres"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where there is a database without any tables."""
    if request.param == "sqlite":
        file = tmp_path / "new.sqlite"
        file.touch()
        yield f"sqlite:///{file}"
        return
    postgres: ThrowawayPostgres = request.getfixturevalue("postgres")
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture
async def store(address: str) -> AsyncIterator[Store]:
    """The store. After the test its books must balance, whatever was done."""
    async with await open_store(address) as opened:
        yield opened
        await must_balance(opened)


@pytest.fixture
async def sqlite_store(sqlite_address: str) -> AsyncIterator[Store]:
    async with await open_store(sqlite_address) as opened:
        yield opened


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
async def journal(store: Store, clock: StillClock) -> AsyncIterator[StoreJournal]:
    async with StoreJournal(store, clock) as opened:
        yield opened


@pytest.fixture
def acting(journal: StoreJournal) -> Acting:
    return Acting(journal)
