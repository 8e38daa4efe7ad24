"""A store is for one bot of each platform: the first that came, until an operator says otherwise."""

import asyncio

from economy.store.bots import StoreBots, forget, known
from tests.support.stores import open_store


async def test_the_first_bot_of_a_platform_is_the_one(store):
    """Fault 149"""
    ours = StoreBots(store, "discord")
    assert await ours.claim("1") == "1"
    assert await ours.claim("1") == "1"
    assert await ours.claim("2") == "1"
    assert await StoreBots(store, "telegram").claim("2") == "2"
    assert await store.look(known) == {"discord": "1", "telegram": "2"}


async def test_of_two_processes_with_different_tokens_one_is_the_one(address, store):
    async with await open_store(address) as other:
        found = await asyncio.gather(
            *(StoreBots(each, "discord").claim(str(number)) for number, each in enumerate((store, other) * 5))
        )
    assert len(set(found)) == 1


async def test_once_forgotten_the_next_is_the_one(store):
    ours = StoreBots(store, "discord")
    await ours.claim("1")
    assert await forget(store, "discord") == "1"
    assert await forget(store, "discord") is None
    assert await ours.claim("2") == "2"
