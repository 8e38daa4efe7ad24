"""The log and its index beside a SQLite file."""

import asyncio
import logging
from pathlib import Path

import pytest

from economy.store.beside import Companions
from economy.store.engine import Store
from economy.store.errors import OrderFailedError, StoreBrokenError
from economy.store.journal import StoreJournal
from tests.economy.store.acting import Acting, tip
from tests.economy.store.audit import bonus, must_balance
from tests.support.stores import open_store


def beside(store: Store, name: str) -> Path:
    return Path(f"{store.url.database}{name}")


@pytest.mark.parametrize("name", ["-wal", "-shm"])
@pytest.mark.parametrize("put_back", [False, True])
async def test_nothing_is_answered_once_a_file_beside_is_gone(sqlite_address, clock, name, put_back):
    """Fault 48: what was answered before is there when the store is opened anew."""
    async with await open_store(sqlite_address) as store:
        broken: list[StoreBrokenError] = []
        store.on_break(broken.append)
        async with StoreJournal(store, clock) as journal:
            acting = Acting(journal)
            await acting.grant(ana=100)
            await acting.done(tip("ana", "bo"))
            gone = beside(store, name)
            gone.unlink()
            if put_back:
                gone.write_bytes(b"")
            failed = await asyncio.gather(
                *(acting.submit(tip("ana", "bo"), key=f"act:{each}") for each in range(3)), return_exceptions=True
            )
            assert all(isinstance(each, OrderFailedError) for each in failed)
        assert len(broken) == 1
        assert beside(store, name).name in str(broken[0])
    async with await open_store(sqlite_address) as store, StoreJournal(store, clock) as journal:
        assert await bonus(store, "bo") == 10
        again = await Acting(journal).submit(tip("ana", "bo"), key="act:0")
        assert again.number is not None
        assert not again.repeated
        await must_balance(store)


MEGABYTE = "INSERT INTO texts VALUES (1, {}, 1, 'note', hex(randomblob(500000)), 0)"


async def write(store: Store, megabytes: range) -> int:
    """Commits them one by one; how many bytes the log has then."""
    for number in megabytes:
        async with store.write() as connection:
            await connection.exec_driver_sql(MEGABYTE.format(number))
    return beside(store, "-wal").stat().st_size


async def test_a_long_read_lets_the_log_grow_is_told_of_and_leaves_nothing_behind(sqlite_address, caplog):
    """Fault 37"""
    async with await open_store(sqlite_address) as store:
        store.companions = Companions(Path(str(store.url.database)), alarm=20 << 20)
        quiet = await write(store, range(30))
        assert quiet < 20 << 20, "it is emptied all the while"
        assert "write-ahead log" not in caplog.text
        with caplog.at_level(logging.WARNING):
            async with store.read() as long_read:
                await long_read.exec_driver_sql("SELECT count(*) FROM texts")
                grown = await write(store, range(30, 60))
            assert grown > 30 << 20
            assert caplog.text.count("the write-ahead log has grown to 2") == 1, "once, and again when it has doubled"
        later = await write(store, range(60, 120))
        assert later <= grown + (20 << 20)
        assert len(caplog.records) == 1
