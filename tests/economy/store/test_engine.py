"""Opening a store: what durability rests on is asserted, and what is not ours is refused."""

import sqlite3
from contextlib import closing

import pytest

from economy.store.engine import store_url
from economy.store.errors import SchemaMismatchError, StoreBusyError, UnsafeStoreError
from tests.support.stores import open_store


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("sqlite:///florin.sqlite", "sqlite+aiosqlite:///florin.sqlite"),
        ("florin.sqlite", "sqlite+aiosqlite:///florin.sqlite"),
        ("sqlite:////var/florin.sqlite", "sqlite+aiosqlite:////var/florin.sqlite"),
        ("postgresql://ana:secret@db/florin", "postgresql+asyncpg://ana:secret@db/florin"),
        ("postgres://db/florin", "postgresql+asyncpg://db/florin"),
    ],
)
def test_addresses_name_the_driver_we_use(given, wanted):
    assert store_url(given).render_as_string(hide_password=False) == wanted


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:", "mysql://db/florin"])
def test_what_is_no_store_is_refused(address):
    with pytest.raises(ValueError, match="a store is"):
        store_url(address)


@pytest.mark.parametrize(
    ("name", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("recursive_triggers", 1)],
)
async def test_every_connection_to_a_file_is_durable_and_strict(sqlite_store, name, value):
    async with sqlite_store.read() as reader:
        assert (await reader.exec_driver_sql(f"PRAGMA {name}")).scalar_one() == value
    async with sqlite_store.write() as writer:
        assert (await writer.exec_driver_sql(f"PRAGMA {name}")).scalar_one() == value


async def test_a_database_that_cannot_be_durable_is_refused():
    with pytest.raises(UnsafeStoreError, match="journal_mode = memory"):
        await open_store("sqlite:///file::memory:?cache=shared&uri=true", any_schema=True)


async def test_a_file_that_another_process_keeps_to_itself_is_busy(tmp_path):
    """Fault 38"""
    file = tmp_path / "florin.sqlite"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE t (i)")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreBusyError):
            await open_store(f"sqlite:///{file}", busy_timeout_s=0.01, any_schema=True)


async def test_a_store_without_tables_is_refused(tmp_path):
    with pytest.raises(SchemaMismatchError, match="florin db upgrade"):
        await open_store(f"sqlite:///{tmp_path / 'new.sqlite'}")


async def test_a_store_of_another_release_is_refused(store, address):
    """Fault 66"""
    async with store.write() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaMismatchError, match="9999"):
        await open_store(address)


async def test_a_reader_sees_one_moment(store):
    """Fault 33"""
    async with store.read() as reader:
        before = (await reader.exec_driver_sql("SELECT count(*) FROM communities")).scalar_one()
        async with store.write() as writer:
            await writer.exec_driver_sql("INSERT INTO communities VALUES (1, 0)")
        assert (await reader.exec_driver_sql("SELECT count(*) FROM communities")).scalar_one() == before
    async with store.read() as later:
        assert (await later.exec_driver_sql("SELECT count(*) FROM communities")).scalar_one() == before + 1


async def test_what_raises_in_a_write_is_rolled_back(store):
    async def fail_midway():
        async with store.write() as writer:
            await writer.exec_driver_sql("INSERT INTO communities VALUES (1, 0)")
            raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        await fail_midway()
    async with store.read() as reader:
        assert (await reader.exec_driver_sql("SELECT count(*) FROM communities")).scalar_one() == 0
