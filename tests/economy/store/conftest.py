"""A fresh store with all its tables for every test, a clock that stands still, and a journal on both."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from economy.store.engine import Store
from economy.store.journal import StoreJournal
from tests.economy.store.acting import Acting, StillClock
from tests.economy.store.audit import must_balance
from tests.support.stores import open_store, upgrade


@pytest.fixture(scope="session")
async def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite store, migrated once: copying it is quicker than migrating anew."""
    file = tmp_path_factory.mktemp("template") / "florin.sqlite"
    await upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def sqlite_address(template: Path, tmp_path: Path) -> str:
    """Where a fresh SQLite store is, for what concerns SQLite alone."""
    file = tmp_path / "florin.sqlite"
    file.write_bytes(template.read_bytes())
    return f"sqlite:///{file}"


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest) -> str:
    """Where a fresh store is, on every database that can hold one."""
    found: str = request.getfixturevalue(f"{request.param}_address")
    return found


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
