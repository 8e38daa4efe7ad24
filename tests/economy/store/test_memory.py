"""What doors remember: shared by processes, there after a restart, gone in time."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from economy.store import memory as module
from economy.store.memory import StoreMemory
from economy.store.skew import Skew, machine_time
from economy.store.tables import memory as table
from tests.economy.store.acting import StillClock
from tests.support.stores import open_store

HOUR = timedelta(hours=1)


@pytest.fixture
async def memory(store, clock):
    found = StoreMemory(store, clock, "test")
    yield found
    await found.close()


async def test_what_was_put_is_there_and_what_was_dropped_is_not(memory):
    assert await memory.get("handle", "bo") is None
    await memory.put("handle", "bo", "1", keep=HOUR)
    await memory.put("handle", "bo", "2", keep=HOUR)
    assert await memory.get("handle", "bo") == "2"
    assert await memory.get("home", "bo") is None
    await memory.drop("handle", "bo")
    assert await memory.get("handle", "bo") is None


async def test_platforms_remember_apart(memory, store, clock):
    await memory.put("handle", "bo", "1", keep=HOUR)
    assert await StoreMemory(store, clock, "other").get("handle", "bo") is None


async def test_what_is_kept_for_an_hour_is_gone_after_it(memory, clock):
    await memory.put("handle", "bo", "1", keep=HOUR)
    clock.later(minutes=59)
    assert await memory.get("handle", "bo") == "1"
    clock.later(minutes=1)
    assert await memory.get("handle", "bo") is None


async def test_what_outlived_its_time_is_removed(memory, store, clock, monkeypatch):
    """Fault 147"""
    monkeypatch.setattr(module, "SWEEP_EVERY", 5)
    await memory.put("handle", "old", "1", keep=HOUR)
    clock.later(hours=2)
    for number in range(5):
        await memory.put("handle", f"new{number}", "1", keep=HOUR)
    async with store.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(table))).scalar_one() == 5


async def test_a_swap_is_for_who_knows_what_is_there(memory, clock):
    assert await memory.swap("lease", "x", None, "one", keep=HOUR)
    assert not await memory.swap("lease", "x", None, "two", keep=HOUR)
    assert not await memory.swap("lease", "x", "two", "three", keep=HOUR)
    assert await memory.swap("lease", "x", "one", "one again", keep=HOUR)
    clock.later(hours=2)
    assert not await memory.swap("lease", "x", "one again", "late", keep=HOUR)
    assert await memory.swap("lease", "x", None, "next", keep=HOUR)
    assert await memory.get("lease", "x") == "next"


async def test_of_many_who_swap_at_once_one_does(memory):
    done = await asyncio.gather(*(memory.swap("lease", "x", None, str(number), keep=HOUR) for number in range(50)))
    assert done.count(True) == 1


async def test_of_two_processes_that_swap_at_once_one_does(address, store, clock):
    async with await open_store(address) as other:
        memories = [StoreMemory(each, clock, "test") for each in (store, other)]
        swaps = (
            memories[number % 2].swap("lease", f"x{number // 2}", None, str(number), keep=HOUR) for number in range(40)
        )
        done = await asyncio.gather(*swaps)
        assert [done[at : at + 2].count(True) for at in range(0, 40, 2)] == [1] * 20
        for memory in memories:
            await memory.close()


async def test_many_are_written_together_and_all_before_it_closes(memory, store):
    puts = [asyncio.create_task(memory.put("handle", f"n{number}", "1", keep=HOUR)) for number in range(1_200)]
    await asyncio.sleep(0)
    await memory.close()
    await asyncio.gather(*puts)
    async with store.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(table))).scalar_one() == 1_200


async def test_who_waits_no_more_does_not_undo_what_is_written(memory):
    """Fault 36"""
    put = asyncio.create_task(memory.put("handle", "bo", "1", keep=HOUR))
    await asyncio.sleep(0)
    put.cancel()
    await memory.close()
    assert await memory.get("handle", "bo") == "1"


async def test_two_hosts_whose_clocks_are_five_minutes_apart_do_not_take_a_lease_from_each_other(memory, store, clock):
    """Fault 145: by its own clock the second host would find the lease of the first over."""
    if store.server is None:
        return
    ahead = StillClock()
    ahead.later(minutes=5)
    other = StoreMemory(store, ahead, "test", Skew(store, lambda: machine_time() + timedelta(minutes=5)))
    assert await memory.swap("lease", "x", None, "one", keep=timedelta(minutes=1))
    assert await other.get("lease", "x") == "one"
    assert not await other.swap("lease", "x", None, "two", keep=timedelta(minutes=1))
    ahead.later(minutes=2)
    assert await other.swap("lease", "x", None, "two", keep=timedelta(minutes=1))


async def test_what_is_put_and_swapped_at_once_is_as_if_one_after_the_other(memory):
    """In one group: many that only put, some of them the same, and some that ask what is there."""
    puts = [memory.put("a", f"k{number % 7}", str(number), keep=HOUR) for number in range(20)]
    swaps = [memory.swap("a", "k3", "17", "swapped", keep=HOUR), memory.swap("a", "new", None, "1", keep=HOUR)]
    drop = memory.drop("a", "k5")
    *_, first, second, _ = await asyncio.gather(*puts, *swaps, drop)
    assert (first, second) == (True, True)
    assert [await memory.get("a", f"k{number}") for number in range(7)] == [
        "14",
        "15",
        "16",
        "swapped",
        "18",
        None,
        "13",
    ]
