"""How updates come in: fetched by one process alone, brought to the webhook of many; and again, when in doubt."""

import asyncio
import gzip
import io
import json
from datetime import timedelta

import aiohttp
import pytest

from adapters.contract import DoorError
from adapters.telegram.door import TelegramDoor
from adapters.telegram.intake import SECRET_HEADER, Webhook
from bot.app import open_florin
from tests.support.telegram import TOKEN, BotApiError, Group, Telegram
from tests.support.telegram_town import line_to, serving

SECRET = "s" * 40
WEBHOOK = Webhook(url="http://127.0.0.1:0/telegram", host="127.0.0.1", port=0, secret=SECRET)


@pytest.fixture
async def hooked(there: Telegram, address, clock):
    """The bot, called by Telegram."""
    async with serving(there, address, clock, webhook=WEBHOOK) as opened:
        await there.until(lambda: bool(there.webhook))
        yield opened


@pytest.fixture
async def group(there: Telegram, hooked) -> Group:
    group = there.group("lobby", owner="ana")
    await there.settled(there.say("bo", "hello", group))
    await there.settled(there.say("ana", "/daily", group))
    return group


async def coins(there: Telegram, name: str) -> str:
    before = len(there.shown)
    await there.settled(there.say(name, "/balance"))
    return there.shown[before:][-1].text.split("\n")[0]


# --- the webhook ------------------------------------------------------------------------------------------------------


async def call(there: Telegram, body: bytes | io.BytesIO, **headers: str) -> int:
    headers = {SECRET_HEADER: SECRET, "Content-Type": "application/json"} | headers
    async with (
        aiohttp.ClientSession() as session,
        session.post(there.webhook["url"], data=body, headers=headers) as answer,
    ):
        return answer.status


async def test_telegram_calls_and_is_answered(there, group):
    await there.settled(there.say("ana", "/tip @bo 5", group))
    assert there.seen_in(group)[-1].text == "ana tipped bo 5 coins."
    assert there.webhook["secret_token"] == SECRET
    assert "edited_message" not in there.webhook["allowed_updates"]


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], "é" * 40])
async def test_who_does_not_know_the_secret_moves_nothing(there, group, secret):
    update = {"update_id": 1, "message": there.message("ana", "/tip @bo 5", group)}
    headers = {SECRET_HEADER: secret} if secret else {SECRET_HEADER: "-"}
    assert await call(there, json.dumps(update).encode(), **headers) == 403
    assert await coins(there, "bo") == "You have 0 coins."


NO_UPDATES = [b"", b"{", b"[]", b"null", b"5", b'"x"', b'{"message": 5}', b'{"update_id": "x"}', b"\xff"]


@pytest.mark.parametrize("body", NO_UPDATES)
async def test_what_is_no_update_is_refused(there, group, body):
    """Fault 83"""
    assert await call(there, body) in (200, 400)
    await there.settled(there.say("ana", "/tip @bo 5", group))
    assert await coins(there, "bo") == "You have 5 coins."


async def test_a_huge_body_is_not_read(there, group):
    """Fault 83"""
    assert await call(there, io.BytesIO(b'{"update_id": 1, "x": "' + b"x" * 2_000_000 + b'"}')) == 413


async def test_a_body_that_unfolds_is_not_unfolded(there, group):
    """Fault 83"""
    assert await call(there, gzip.compress(b" " * 50_000_000), **{"Content-Encoding": "gzip"}) == 415


async def test_a_body_that_never_ends_keeps_nobody_waiting(there, hooked, group):
    """Fault 83"""
    _, writer = await asyncio.open_connection("127.0.0.1", hooked.door.port)
    writer.write(
        f"POST /telegram HTTP/1.1\r\nHost: x\r\n{SECRET_HEADER}: {SECRET}\r\nContent-Length: 1000\r\n\r\n{{".encode()
    )
    await writer.drain()
    await there.settled(there.say("ana", "/tip @bo 5", group))
    assert await coins(there, "bo") == "You have 5 coins."
    writer.close()
    await writer.wait_closed()


async def test_a_port_that_is_taken_is_told(there, hooked, address, clock):
    taken = Webhook(url=WEBHOOK.url, host="127.0.0.1", port=hooked.door.port, secret=SECRET)
    with pytest.raises(DoorError, match=f"Nothing can listen at 127.0.0.1:{hooked.door.port}"):
        async with serving(there, address, clock, webhook=taken) as second:
            await second.door._closed.wait()


# --- again ------------------------------------------------------------------------------------------------------------


async def test_the_same_update_five_times_acts_once(there, group):
    """Fault 68"""
    update = there.say("ana", "/tip @bo 5", group)
    for _ in range(4):
        there.deliver(update)
    await there.settled(update)
    assert await coins(there, "bo") == "You have 5 coins."


async def test_the_same_update_to_two_processes_and_after_a_restart_acts_once(there, address, clock):
    """Faults 35 and 68"""
    group = there.group("lobby", owner="ana")
    async with (
        serving(there, address, clock, webhook=WEBHOOK) as one,
        serving(there, address, clock, webhook=WEBHOOK) as two,
    ):
        await there.until(lambda: bool(there.webhook))
        await there.settled(there.say("bo", "hello", group))
        await there.settled(there.say("ana", "/daily", group))
        update = {"update_id": 77, "message": there.message("ana", "/tip @bo 5", group)}
        body = json.dumps(update).encode()
        for process in (one, two, one, two, one):
            there.webhook["url"] = f"http://127.0.0.1:{process.door.port}/telegram"
            assert await call(there, body) == 200
    async with serving(there, address, clock, webhook=WEBHOOK):
        await there.until(lambda: there.called("setWebhook")[-1:] != [])
        await there.settled(there.push(update, update_id=78))
        assert await coins(there, "bo") == "You have 5 coins."
    assert [shown.text for shown in there.seen_in(group) if "tipped" in shown.text] == ["ana tipped bo 5 coins."]


async def test_what_a_crash_cut_off_before_the_answer_is_answered(there, address, clock):
    """Fault 43: the tip was written, and nobody was told."""
    group = there.group("lobby", owner="ana")
    async with serving(there, address, clock):
        await there.settled(there.say("bo", "hello", group))
        await there.settled(there.say("ana", "/daily", group))

        def crash():
            raise BotApiError(500, "Internal Server Error")

        there.fail("sendMessage", crash)
        update = there.say("ana", "/tip @bo 5", group)
        await there.settled(update)
    assert not any("tipped" in shown.text for shown in there.shown)
    async with serving(there, address, clock):
        there.deliver(update)
        await there.settled(update)
        assert there.seen_in(group)[-1].text == "ana tipped bo 5 coins."
        assert await coins(there, "bo") == "You have 5 coins."


async def test_update_ids_may_jump_and_come_in_any_order(there, group):
    """Fault 73"""
    first = {"message": there.message("ana", "/tip @bo 1", group)}
    second = {"message": there.message("ana", "/tip @bo 2", group)}
    await there.settled(there.push(second, update_id=900_000_000))
    await there.settled(there.push(first, update_id=5))
    assert await coins(there, "bo") == "You have 3 coins."


async def test_three_hundred_updates_at_once_are_all_done(there, group):
    names = [f"member{number}" for number in range(300)]
    await there.settled(*(there.say(name, "/daily", group) for name in names), within_s=60)

    def answered() -> int:
        return len([shown for shown in there.shown if shown.text.startswith("You got 50 coins.")])

    # What takes a slow machine longer than Telegram waits goes on by itself.
    await asyncio.wait_for(there.until(lambda: answered() == 301), 60)
    assert answered() == 301


# --- fetching ---------------------------------------------------------------------------------------------------------


async def test_fetching_refuses_to_run_twice(there, address, clock):
    """Fault 35"""
    async with serving(there, address, clock):
        with pytest.raises(DoorError, match="Another process fetches this bot's messages already"):
            async with serving(there, address, clock, lease=timedelta(seconds=0.3)) as second:
                await second.door._closed.wait()


async def test_fetching_goes_on_where_another_ended(there, address, clock):
    group = there.group("lobby", owner="ana")
    for expected in ("bo tipped", "bo tipped"):
        async with serving(there, address, clock):
            await there.settled(there.say("ana", "hello", group), there.say("bo", "/daily", group))
            await there.settled(there.say("bo", "/tip @ana 1", group))
        assert there.seen_in(group)[-1].text.startswith(expected)


async def test_another_program_that_fetches_is_told_of(there, address, clock):
    """One that knows nothing of our store: Telegram itself says so."""

    def conflict():
        raise BotApiError(409, "Conflict: terminated by other getUpdates request")

    for _ in range(20):
        there.fail("getUpdates", conflict)
    with pytest.raises(DoorError, match="Another program fetches this bot's messages: stop it"):
        async with serving(there, address, clock) as opened:
            await opened.door._closed.wait()


async def test_a_token_that_is_none_is_told(there, address, clock):
    async with open_florin(address, clock) as florin:
        line = line_to(there)
        wrong = type(line)(token=f"{TOKEN}-old", api_url=there.url, file_url=there.url)
        door = TelegramDoor(wrong, florin.conversation, florin.memory_of("telegram"))
        with pytest.raises(DoorError, match="Telegram does not know FLORIN_TELEGRAM__TOKEN"):
            await door.run()


async def test_telegram_away_for_a_while_is_waited_for(there, address, clock):
    """Fault 78"""

    def away():
        raise BotApiError(502, "Bad Gateway")

    there.fail("getMe", away)
    group = there.group("lobby", owner="ana")
    async with serving(there, address, clock):
        there.fail("getUpdates", away)
        await there.settled(there.say("ana", "/daily", group))
    assert there.seen_in(group, by="ana")[-1].text.startswith("You got 50 coins.")


async def test_a_webhook_that_cannot_be_ended_at_once_is_ended_later(there, address, clock):
    """Fault 78"""

    def away():
        raise BotApiError(502, "Bad Gateway")

    there.fail("deleteWebhook", away)
    group = there.group("lobby", owner="ana")
    async with serving(there, address, clock):
        await there.settled(there.say("ana", "/daily", group))
    assert there.seen_in(group, by="ana")[-1].text.startswith("You got 50 coins.")


async def test_an_update_that_cannot_be_read_is_stepped_over(there, address, clock, caplog):
    """Faults 83 and 131"""
    group = there.group("lobby", owner="ana")
    async with serving(there, address, clock):
        broken = {"update_id": 900, "message": {"text": "my secret"}}
        there.deliver(broken)
        await there.settled(broken, there.say("ana", "/daily", group))
    assert there.seen_in(group, by="ana")[-1].text.startswith("You got 50 coins.")
    assert "my secret" not in caplog.text


async def test_closing_finishes_what_is_under_way(there, address, clock):
    """Fault 36"""
    group = there.group("lobby", owner="ana")
    async with serving(there, address, clock) as opened:
        await there.settled(there.say("bo", "hello", group), there.say("ana", "/daily", group))
        update = there.say("ana", "/tip @bo 5", group)
        await there.until(lambda: any(call.method == "getUpdates" for call in there.calls))
        await there.settled(update)
        await opened.door.close()
    assert there.seen_in(group)[-1].text == "ana tipped bo 5 coins."
