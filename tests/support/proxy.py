"""A TCP proxy on loopback that can cut a connection at any byte, on the way to the server or on the way back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Self

CANCEL_REQUEST = bytes.fromhex("0000001004d2162e")
"""How PostgreSQL's cancel request begins."""

Cut = Callable[[bytes], int | None]
"""Told the bytes about to be passed on: how many of them still pass before the connection breaks; None is all, and a
negative number keeps them back without breaking it."""


class Proxy:
    """Passes every connection on to `port` of this machine.

    `cut_asked` and `cut_answered` look at what goes to the server and what comes back. A connection that is cut is
    reset on both sides; others, and those made later, go on as long as neither says otherwise.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.cut_asked: Cut = lambda _passed: None
        self.cut_answered: Cut = lambda _passed: None
        self.cancels = 0
        """How many cancel requests were seen."""
        self.connections = 0

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("the proxy is not running")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self.break_all()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def break_all(self) -> None:
        for line in self._lines:
            line.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._to)
        ends = (writer, up_writer)
        self._lines.update(ends)
        for task in (
            asyncio.create_task(self._pass_on(reader, up_writer, ends, self._asked)),
            asyncio.create_task(self._pass_on(up_reader, writer, ends, self._answered)),
        ):
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _asked(self, passed: bytes) -> int | None:
        self.cancels += passed.startswith(CANCEL_REQUEST)
        return self.cut_asked(passed)

    def _answered(self, passed: bytes) -> int | None:
        return self.cut_answered(passed)

    async def _pass_on(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        ends: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
        cut: Cut,
    ) -> None:
        with suppress(OSError):
            while passed := await source.read(65_536):
                left = cut(passed)
                if left is not None and left < 0:
                    continue
                sink.write(passed if left is None else passed[:left])
                await sink.drain()
                if left is not None:
                    break
        for end in ends:
            # What was written is sent before the line breaks.
            if not end.is_closing():
                end.close()
            self._lines.discard(end)
