"""A pooler on loopback that lends a server connection for one transaction at a time, as PgBouncer does in transaction
mode: whatever a client leaves in a session, somebody else finds, and it never gets the same session twice in a row.

What it was held against, by hand: PgBouncer 1.18 in front of the same server, under the same tests.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Final, Self

SSL_REQUEST: Final = bytes.fromhex("0000000804d2162f")
CANCEL_CODE: Final = bytes.fromhex("04d2162e")
KNOWN: Final = frozenset(
    {
        "user",
        "database",
        "application_name",
        "client_encoding",
        "datestyle",
        "timezone",
        "standard_conforming_strings",
    }
)
"""What a client may ask for when it connects; PgBouncer refuses anything else."""

_HANGS_UP: Final = b"X"
_ENDS: Final = frozenset({b"Q", b"S"})
"""What a client sends that the server ends by saying that it is ready."""
_READY: Final = b"Z"
_IDLE: Final = b"I"


class _Line:
    """One end of a connection, a message at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def startup(self) -> bytes:
        length = await self.reader.readexactly(4)
        return length + await self.reader.readexactly(int.from_bytes(length, "big") - 4)

    async def message(self) -> tuple[bytes, bytes]:
        """Its kind, and all of it. Raises IncompleteReadError where the other end is gone."""
        head = await self.reader.readexactly(5)
        return head[:1], head + await self.reader.readexactly(int.from_bytes(head[1:], "big") - 4)

    async def send(self, message: bytes) -> None:
        self.writer.write(message)
        await self.writer.drain()

    def close(self) -> None:
        self.writer.transport.abort()


class Pooler:
    """Lends at most `size` connections to the server at `port` for each database. Others wait for their turn."""

    def __init__(self, port: int, *, size: int) -> None:
        self._to = port
        self._size = size
        self._pools: dict[bytes, _Pool] = {}
        self._server: asyncio.Server | None = None
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.lent = 0
        """How many transactions there were."""
        self.lending = asyncio.Event()
        """Set with each of them, for whoever waits for the next."""

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("the pooler is not running")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def url(self, address: str) -> str:
        """The address of a database through this pooler."""
        place, _, database = address.rpartition("/")
        return f"{place.rpartition(':')[0]}:{self.port}/{database}?pgbouncer=true"

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
        """Breaks every connection, to clients and to the server: the pooler was started anew."""
        for line in self._lines:
            line.close()
        self._pools.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        client = _Line(reader, writer)
        self._lines.add(client)
        try:
            with suppress(asyncio.IncompleteReadError, OSError):
                if (pool := await self._greet(client)) is not None:
                    await _Client(self, client, pool).serve()
        finally:
            client.close()
            self._lines.discard(client)

    async def _greet(self, client: _Line) -> _Pool | None:
        """Lets a client in, which gets to hear what the server told the pooler."""
        startup = await client.startup()
        while startup == SSL_REQUEST:
            await client.send(b"N")
            startup = await client.startup()
        if startup[4:8] == CANCEL_CODE:
            return None
        words = startup[8:].split(b"\0")
        asked = {name.decode(): value for name, value in zip(words[::2], words[1::2], strict=False) if name}
        if strange := [name for name in asked if name.lower() not in KNOWN]:
            await client.send(_error(f"unsupported startup parameter: {strange[0]}"))
            return None
        name = b"user\0" + asked["user"] + b"\0database\0" + asked["database"] + b"\0"
        pool = self._pools.setdefault(name, _Pool(self, name, self._size))
        await client.send(await pool.greeting())
        return pool

    async def connected(self, startup: bytes) -> tuple[_Line, bytes]:
        """A new connection to the server, and all that it said until it was ready."""
        line = _Line(*await asyncio.open_connection("127.0.0.1", self._to))
        self._lines.add(line)
        body = bytes.fromhex("00030000") + startup + b"\0"
        await line.send((len(body) + 4).to_bytes(4, "big") + body)
        heard = b""
        kind = b""
        while kind != _READY:
            kind, message = await line.message()
            heard += message
        return line, heard

    def drop(self, line: _Line) -> None:
        line.close()
        self._lines.discard(line)


class _Pool:
    """The connections to one database. Those that were not used for longest go first."""

    def __init__(self, pooler: Pooler, startup: bytes, size: int) -> None:
        self._pooler = pooler
        self._startup = startup
        self._free: deque[_Line] = deque()
        self._left = asyncio.Semaphore(size)
        self._made = 0
        self._size = size
        self._greeting = b""

    async def greeting(self) -> bytes:
        if not self._greeting:
            self.give_back(await self.take())
        return self._greeting

    async def take(self) -> _Line:
        await self._left.acquire()
        # Another than the last one, as long as there may be more.
        if self._free and self._made >= self._size:
            return self._free.popleft()
        self._made += 1
        try:
            line, self._greeting = await self._pooler.connected(self._startup)
        except BaseException:
            self._made -= 1
            self._left.release()
            raise
        return line

    def give_back(self, line: _Line) -> None:
        self._free.append(line)
        self._left.release()

    def drop(self, line: _Line) -> None:
        self._pooler.drop(line)
        self._made -= 1
        self._left.release()


class _Client:
    """A client that was let in. It holds a connection from its first word until the server is idle again."""

    def __init__(self, pooler: Pooler, client: _Line, pool: _Pool) -> None:
        self._pooler = pooler
        self._client = client
        self._pool = pool
        self._held: _Line | None = None
        self._ends = 0
        self._passing: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        try:
            while True:
                kind, message = await self._client.message()
                if kind == _HANGS_UP:
                    return
                if self._held is None:
                    self._held = await self._pool.take()
                    self._pooler.lent += 1
                    self._pooler.lending.set()
                    self._passing = asyncio.create_task(self._pass_on(self._held))
                self._ends += kind in _ENDS
                await self._held.send(message)
        finally:
            if self._passing is not None:
                self._passing.cancel()
                with suppress(asyncio.CancelledError):
                    await self._passing
            if self._held is not None:
                # In the midst of a transaction: nobody else can use that connection, and the server rolls back.
                self._pool.drop(self._held)

    async def _pass_on(self, server: _Line) -> None:
        try:
            while True:
                kind, message = await server.message()
                await self._client.send(message)
                if kind == _READY:
                    self._ends -= 1
                    if not self._ends and message.endswith(_IDLE):
                        self._held = None
                        self._pool.give_back(server)
                        return
        except (asyncio.IncompleteReadError, OSError):
            self._client.close()


def _error(text: str) -> bytes:
    body = f"SFATAL\0VFATAL\0C08P01\0M{text}\0\0".encode()
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body
