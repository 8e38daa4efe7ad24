"""The bot as its own process, as `florin run` starts it: served, stopped politely, killed, and started again."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.contract import DoorError
from bot.app import bot_forgotten, open_florin
from economy.store.audit import audit
from economy.store.engine import open_store
from tests.support.telegram import BOT_ID, TOKEN, Group, Telegram, telegram
from tests.support.telegram_town import serving

HOOKED = {
    "FLORIN_TELEGRAM__WEBHOOK": "http://127.0.0.1:0/telegram",
    "FLORIN_TELEGRAM__WEBHOOK_LISTEN": "127.0.0.1:0",
    "FLORIN_TELEGRAM__WEBHOOK_SECRET": "s" * 40,
}


@pytest.fixture
async def there() -> AsyncIterator[Telegram]:
    async with telegram() as opened:
        yield opened


@asynccontextmanager
async def process(there: Telegram, address: str, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLORIN_")}
    environment |= {
        "FLORIN_STORE": address,
        "FLORIN_TELEGRAM__TOKEN": TOKEN,
        "FLORIN_TELEGRAM__API_URL": there.url,
        "FLORIN_TELEGRAM__FILE_URL": there.url,
        **more,
    }
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.cli", "run"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        told, _ = await started.communicate()
        assert TOKEN.encode() not in told, "Fault 129"


async def group_in(there: Telegram) -> Group:
    group = there.group("lobby", owner="ana")
    await there.settled(there.say("bo", "hello", group), within_s=60)
    await there.settled(there.say("ana", "/coins add @ana 1000 to begin with", group))
    return group


async def test_it_serves_until_it_is_told_to_stop(there, address):
    async with process(there, address) as bot:
        group = await group_in(there)
        await there.settled(there.say("ana", "/tip @bo 5", group))
        bot.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(bot.wait(), 20) == 128 + signal.SIGTERM
    assert there.seen_in(group)[-1].text == "ana tipped bo 5 coins."
    # The next one need not wait until the first could count as dead.
    async with process(there, address):
        await there.settled(there.say("ana", "/tip @bo 6", group), within_s=10)
    assert there.seen_in(group)[-1].text == "ana tipped bo 6 coins."


async def test_killed_in_the_midst_it_loses_no_tip_and_doubles_none(there, address):
    """Faults 39, 43 and 68"""
    async with process(there, address, **HOOKED) as bot:
        await asyncio.wait_for(there.until(lambda: bool(there.webhook)), 60)
        group = await group_in(there)
        updates = [there.say("ana", f"/tip @bo {amount}", group) for amount in range(1, 41)]
        await asyncio.wait_for(there.until(lambda: sum("tipped" in shown.text for shown in there.shown) >= 3), 30)
        bot.kill()
        await bot.wait()
    calls = len(there.called("setWebhook"))
    async with process(there, address, **HOOKED):
        await asyncio.wait_for(there.until(lambda: len(there.called("setWebhook")) > calls), 60)
        await there.settled(*updates, within_s=60)
        await there.settled(there.say("bo", "/balance"))
    assert there.shown[-1].text.split("\n")[0] == f"You have {sum(range(1, 41))} coins."
    async with await open_store(address) as store:
        assert (await audit(store)).ok


async def test_the_token_of_another_bot_is_refused_until_an_operator_accepts_it(there, address, clock):
    """Fault 149"""
    async with open_florin(address, clock) as florin:
        await florin.bots_of("telegram").claim("4321")
    refused = rf"This store is for the bot 4321 on telegram, and the token is that of {BOT_ID}"
    with pytest.raises(DoorError, match=refused):
        async with serving(there, address, clock):
            pass
    assert {call.method for call in there.calls} == {"getMe"}
    assert await bot_forgotten(address, "telegram") == "4321"
    async with serving(there, address, clock):
        pass
