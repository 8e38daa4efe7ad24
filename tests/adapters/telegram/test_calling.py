"""Requests to Telegram on a line that fails in every way that lines do: what is made again, what is in doubt, and what
is told of it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web
from msgspec import Struct
from telegram import InputFile
from telegram.error import BadRequest, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.ext import ExtBot

from adapters.telegram.calling import PART_BYTES, NotSent, NotSentInTime, Patience, Requests
from adapters.telegram.intake import Fetching
from adapters.telegram.pacing import Pacer
from adapters.telegram.rendering import Written
from adapters.telegram.sending import ATTEMPTS, Sender, Target, is_unsent
from tests.support.proxy import Proxy
from tests.support.telegram import TOKEN, BotApiError, Telegram
from tests.support.telegram_town import UNHURRIED

CHAT = -1001
SENT = {"ok": True, "result": {"message_id": 7, "date": 1_780_000_000, "chat": {"id": CHAT, "type": "supergroup"}}}
USUAL = Patience()
SHORT = Patience(pool_s=0.2, connect_s=0.2, write_s=0.2, write_file_s=0.2, read_s=0.2)
"""For lines on which nothing comes."""

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Wire:
    """A server that does to each connection what it is told to."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._open: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.reached = asyncio.Event()

    async def __aenter__(self) -> Wire:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.reached.set()
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._talk(reader, writer)
        finally:
            writer.transport.abort()


async def asked(reader: asyncio.StreamReader) -> bytes:
    """A whole request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return head + await reader.readexactly(length)


def answering(body: bytes, *, status: str = "200 OK", longer_by: int = 0) -> Talk:
    """Answers every request so. `longer_by`: how much more is promised before the connection ends."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await asked(reader)
            head = (
                f"HTTP/1.1 {status}\r\nContent-Length: {len(body) + longer_by}\r\nLocation: http://127.0.0.1:9/\r\n\r\n"
            )
            writer.write(head.encode() + body)
            await writer.drain()
            if longer_by:
                return

    return talk


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Breaks the line before anything was read from it."""


async def hear_and_hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asked(reader)


async def hear_and_say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asked(reader)
    await asyncio.Event().wait()


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    assert isinstance(writer.transport, asyncio.Transport)
    writer.transport.pause_reading()
    await asyncio.Event().wait()


@asynccontextmanager
async def calling(
    url: str, requests: Requests | None = None, *, connections: int = 8, patience: Patience = USUAL
) -> AsyncIterator[ExtBot]:
    """A bot that asks of `url`, and has not asked anything yet."""
    requests = requests or Requests(connections=connections, patience=patience)
    bot = ExtBot(
        TOKEN,
        base_url=f"{url}/bot",
        base_file_url=f"{url}/file/bot",
        request=requests,
        get_updates_request=requests,
        rate_limiter=Pacer(UNHURRIED),
    )
    await requests.initialize()
    try:
        yield bot
    finally:
        await requests.shutdown()


async def problem_of(call: Awaitable[object]) -> TelegramError:
    """What a call fails with. Fault 129: none of it holds the token."""
    with pytest.raises(TelegramError) as raised:
        await call
    problem = raised.value
    shown = "".join(traceback.format_exception(problem)) + repr(problem) + str(problem)
    assert TOKEN not in shown
    assert problem.__cause__ is None or isinstance(problem.__cause__, TelegramError)
    assert problem.__context__ is None or isinstance(problem.__context__, TelegramError)
    return problem


def say(bot: ExtBot) -> Awaitable[object]:
    return bot.send_message(CHAT, "ana tipped bo 5 coins.")


@pytest.fixture(autouse=True)
def told_no_token(caplog):
    """Fault 129: whatever happens, no log holds the token."""
    caplog.set_level(logging.DEBUG)
    # As `bot.logs` has it: it logs where it was told to ask.
    caplog.set_level(logging.WARNING, "telegram")
    yield
    assert TOKEN not in "".join(record.getMessage() + str(record.exc_info) for record in caplog.get_records("call"))


# --- what cannot have been sent ---------------------------------------------------------------------------------------


async def test_nobody_there_means_not_sent():
    """Fault 78"""
    async with Wire(hang_up) as wire:
        pass
    async with calling(f"http://127.0.0.1:{wire.port}") as bot:
        problem = await problem_of(say(bot))
    assert isinstance(problem, NotSent)
    assert is_unsent(problem)


async def test_a_line_that_breaks_before_it_is_safe_means_not_sent_and_is_tried_again():
    """Fault 78"""
    async with Wire(hang_up) as wire, calling(f"https://127.0.0.1:{wire.port}") as bot:
        problem = await problem_of(Sender(bot, never_moved).text(Written("x", "x"), Target(chat=CHAT)))
    assert is_unsent(problem)
    assert wire.connections == ATTEMPTS


async def test_no_safe_line_in_time_means_not_sent():
    """Fault 78"""
    async with Wire(say_nothing) as wire, calling(f"https://127.0.0.1:{wire.port}", patience=SHORT) as bot:
        problem = await problem_of(say(bot))
    assert isinstance(problem, NotSentInTime)
    assert isinstance(problem, TimedOut)
    assert is_unsent(problem)


async def test_no_free_connection_in_time_means_not_sent():
    """Fault 78"""
    async with Wire(hear_and_say_nothing) as wire, calling(f"http://127.0.0.1:{wire.port}", connections=1) as bot:
        first = asyncio.create_task(bot.send_message(CHAT, "hello"))
        await wire.reached.wait()
        problem = await problem_of(bot.send_message(CHAT, "hello", pool_timeout=0.05, connect_timeout=0.05))
        assert isinstance(problem, NotSentInTime)
        assert is_unsent(problem)
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first


# --- what may have been sent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("talk", [hang_up, hear_and_hang_up])
async def test_a_line_that_breaks_later_leaves_it_in_doubt_and_nothing_is_made_again(talk):
    """Fault 78"""
    async with Wire(talk) as wire, calling(f"http://127.0.0.1:{wire.port}") as bot:
        problem = await problem_of(Sender(bot, never_moved).text(Written("x", "x"), Target(chat=CHAT)))
    assert isinstance(problem, NetworkError)
    assert not is_unsent(problem)
    assert wire.connections == 1


async def test_a_line_that_breaks_at_the_second_request_leaves_it_in_doubt():
    """Fault 78: a request may be lost on a connection that was kept."""
    heard = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await asked(reader))
        body = json.dumps(SENT).encode()
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        heard.append(await asked(reader))

    async with Wire(talk) as wire, calling(f"http://127.0.0.1:{wire.port}") as bot:
        await say(bot)
        problem = await problem_of(say(bot))
    assert not is_unsent(problem)
    assert len(heard) == 2


async def test_no_answer_in_time_leaves_it_in_doubt():
    """Fault 78"""
    async with Wire(hear_and_say_nothing) as wire, calling(f"http://127.0.0.1:{wire.port}", patience=SHORT) as bot:
        problem = await problem_of(say(bot))
    assert type(problem) is TimedOut
    assert not is_unsent(problem)


async def test_a_file_that_nobody_reads_is_given_up():
    async with Wire(say_nothing) as wire, calling(f"http://127.0.0.1:{wire.port}", patience=SHORT) as bot:
        problem = await problem_of(bot.send_document(CHAT, b"x" * 20_000_000, write_timeout=0.01))
    assert type(problem) is TimedOut


async def test_an_answer_that_is_cut_off_leaves_it_in_doubt():
    """Fault 78"""
    talk = answering(json.dumps(SENT).encode()[:-20], longer_by=20)
    async with Wire(talk) as wire, calling(f"http://127.0.0.1:{wire.port}") as bot:
        problem = await problem_of(say(bot))
    assert isinstance(problem, NetworkError)
    assert not is_unsent(problem)


@pytest.mark.parametrize("body", [b'{"ok": true, "result": {"text": "canary', b"<html>canary</html>", b"[]", b"\xff"])
async def test_what_is_no_answer_is_in_doubt_and_not_logged(body, caplog):
    """Faults 78 and 131"""
    async with Wire(answering(body)) as wire, calling(f"http://127.0.0.1:{wire.port}") as bot:
        problem = await problem_of(say(bot))
    assert str(problem) == "Invalid server response"
    assert not is_unsent(problem)
    assert "canary" not in caplog.text


async def test_what_speaks_no_http_is_in_doubt():
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        writer.write(b"220 smtp.example ready\r\n\r\n")
        await writer.drain()
        await asyncio.Event().wait()

    async with Wire(talk) as wire, calling(f"http://127.0.0.1:{wire.port}", patience=SHORT) as bot:
        problem = await problem_of(say(bot))
    assert isinstance(problem, NetworkError)
    assert not is_unsent(problem)


# --- what Telegram says -----------------------------------------------------------------------------------------------


async def test_what_telegram_refuses_is_raised_as_the_library_does(there: Telegram):
    """Fault 77"""

    def refused():
        raise BotApiError(400, "Bad Request: chat not found")

    def hurried():
        raise BotApiError(429, "Too Many Requests: retry after 3", retry_after=3)

    there.fail("getMe", refused)
    there.fail("getMe", hurried)
    there.fail("getMe", lambda: web.Response(status=502, text="<html>Bad Gateway</html>"))
    async with calling(there.url) as bot:

        def ask() -> Awaitable[object]:
            # Past the pacer, which would wait and ask again.
            return bot.request.post(f"{bot.base_url}/getMe")

        assert isinstance(await problem_of(ask()), BadRequest)
        told_to_wait = await problem_of(ask())
        assert isinstance(told_to_wait, RetryAfter)
        assert is_unsent(told_to_wait)
        away = await problem_of(ask())
        assert isinstance(away, NetworkError)
        assert not is_unsent(away)
        assert await ask()


async def test_it_goes_nowhere_else():
    """Fault 129: an address that holds the token is asked of Telegram alone."""
    talk = answering(b"", status="307 Temporary Redirect")
    async with Wire(talk) as wire, calling(f"http://127.0.0.1:{wire.port}") as bot:
        problem = await problem_of(say(bot))
    assert isinstance(problem, NetworkError)
    assert "(307)" in str(problem)


# --- what is sent -----------------------------------------------------------------------------------------------------


class Read(Struct):
    """A form that arrived: its fields, and its one file by name, kind and content."""

    agent: str
    fields: dict[str, str]
    file: tuple[str, str, bytes] | None = None


@asynccontextmanager
async def reading(kept: list[Read]) -> AsyncIterator[str]:
    """A server that reads forms."""

    async def read(request: web.Request) -> web.Response:
        form = await request.post()
        found = Read(request.headers["User-Agent"], {})
        for name, value in form.items():
            if isinstance(value, web.FileField):
                found.file = (value.filename, value.content_type, value.file.read())
            else:
                found.fields[name] = str(value)
        kept.append(found)
        return web.json_response(SENT)

    served = web.Application(client_max_size=60_000_000)
    served.router.add_post("/bot{token}/{method}", read)
    runner = web.AppRunner(served, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_words_arrive_as_they_are():
    kept: list[Read] = []
    async with reading(kept) as url, calling(url) as bot:
        await bot.send_message(CHAT, "50 % & more = ★\n+1", disable_notification=True)
    wanted = {"chat_id": str(CHAT), "text": "50 % & more = ★\n+1", "disable_notification": "true"}
    assert kept == [Read(Requests.USER_AGENT, wanted)]


@pytest.mark.parametrize("size", [0, 10, 3 * PART_BYTES + 1, 5_000_000])
async def test_a_file_arrives_as_it_is_beside_the_words(size):
    content = (b"\r\n--\x00\xff" * (size // 6 + 1))[:size]
    kept: list[Read] = []
    async with reading(kept) as url, calling(url) as bot:
        await bot.send_document(CHAT, content, filename='größe "1".csv', caption="★ & more")
        await bot.send_document(CHAT, InputFile(io.BytesIO(content), "report.csv", read_file_handle=False))
    assert [each.file for each in kept] == [
        ("größe %221%22.csv", "text/csv", content),
        ("report.csv", "text/csv", content),
    ]
    assert kept[0].fields["chat_id"] == str(CHAT)
    assert kept[0].fields["caption"] == "★ & more"


async def test_a_file_is_fetched(there: Telegram):
    there.files["some file.csv"] = b"ana,5\n" * 100_000
    async with calling(there.url) as bot:
        content = await bot.request.retrieve(f"{there.url}/file/bot{TOKEN}/some file.csv")
    assert content == there.files["some file.csv"]


async def test_one_connection_serves_many_requests(there: Telegram):
    async with Proxy(there.port) as line, calling(f"http://127.0.0.1:{line.port}") as bot:
        for _ in range(5):
            await bot.get_me()
        assert line.connections == 1


# --- proxies ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def proxies(monkeypatch) -> Callable[..., None]:
    def named(**names: str) -> None:
        for name in ("http", "https", "all", "no"):
            for each in (f"{name}_proxy", f"{name.upper()}_PROXY"):
                monkeypatch.delenv(each, raising=False)
        for name, value in names.items():
            monkeypatch.setenv(name, value)

    return named


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""])
async def test_a_proxy_that_the_environment_names_is_used(proxies, name, scheme):
    heard: list[bytes] = []
    answer = answering(json.dumps(SENT).encode())

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n"))
        await answer(reader, writer)

    async with Wire(talk) as wire:
        proxies(**{name: f"{scheme}127.0.0.1:{wire.port}"})
        async with calling("http://telegram.invalid") as bot:
            await say(bot)
    assert heard[0].startswith(b"POST http://telegram.invalid/bot")


async def test_a_proxy_is_not_used_for_what_needs_none(there: Telegram, proxies):
    proxies(http_proxy="http://127.0.0.1:9", no_proxy="example.com,127.0.0.1")
    async with calling(there.url) as bot:
        assert (await bot.get_me()).is_bot


async def test_a_proxy_of_another_kind_is_told(proxies):
    proxies(all_proxy="socks5://127.0.0.1:9")
    async with calling("http://telegram.invalid") as bot:
        problem = await problem_of(say(bot))
    assert str(problem) == "The environment names a proxy that is none for HTTP"
    assert is_unsent(problem)


# --- the end ----------------------------------------------------------------------------------------------------------


async def test_closed_it_sends_nothing_and_can_be_opened_again(there: Telegram):
    requests = Requests(connections=8, patience=USUAL)
    async with calling(there.url, requests) as bot:
        await bot.get_me()
        await requests.shutdown()
        await requests.shutdown()
        assert is_unsent(await problem_of(bot.get_me()))
        await requests.initialize()
        assert (await bot.get_me()).is_bot
    assert len(there.called("getMe")) == 2


async def test_closing_ends_what_is_under_way():
    requests = Requests(connections=8, patience=USUAL)
    async with Wire(hear_and_say_nothing) as wire, calling(f"http://127.0.0.1:{wire.port}", requests) as bot:
        under_way = asyncio.create_task(problem_of(say(bot)))
        await wire.reached.wait()
        await requests.shutdown()
        assert not is_unsent(await under_way)


# --- what is fetched --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("result", ["canary", {"text": "canary"}, ["canary"], [{"message": {"text": "canary"}}], None])
async def test_what_are_no_updates_are_not_taken_and_not_logged(result, caplog):
    """Fault 131"""
    fetching = Fetching(connections=1, patience=USUAL)
    talk = answering(json.dumps({"ok": True, "result": result}).encode())
    async with Wire(talk) as wire, calling(f"http://127.0.0.1:{wire.port}", fetching) as bot:
        problem = await problem_of(bot.get_updates())
    assert str(problem) == "Invalid server response"
    assert fetching.taken() == ()
    assert "canary" not in caplog.text


async def test_what_was_fetched_is_given_once():
    fetching = Fetching(connections=1, patience=USUAL)
    updates = [{"update_id": 5, "message": {"is": "none"}}]
    talk = answering(json.dumps({"ok": True, "result": updates}).encode())
    async with Wire(talk) as wire, calling(f"http://127.0.0.1:{wire.port}", fetching) as bot:
        assert await bot.get_updates() == ()
    assert fetching.taken() == updates
    assert fetching.taken() == ()


async def never_moved(old: int, new: int) -> None:
    raise AssertionError("no chat moved")
