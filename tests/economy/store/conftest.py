"""A fresh store with all its tables for every test, a clock that stands still, and a journal on both."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from economy.store.engine import Store, open_store
from economy.store.journal import StoreJournal
from economy.store.schema import upgrade
from tests.economy.store.acting import Acting, StillClock
from tests.economy.store.audit import must_balance


@pytest.fixture(scope="session")
async def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite store, migrated once: copying it is quicker than migrating anew."""
    file = tmp_path_factory.mktemp("template") / "florin.sqlite"
    await upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite"])
def address(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> str:
    """Where a fresh store is. Every database that can hold one is one more parameter."""
    assert request.param == "sqlite"
    file = tmp_path / "florin.sqlite"
    file.write_bytes(template.read_bytes())
    return f"sqlite:///{file}"


@pytest.fixture
async def store(address: str) -> AsyncIterator[Store]:
    """The store. After the test its books must balance, whatever was done."""
    async with await open_store(address) as opened:
        yield opened
        await must_balance(opened)


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
