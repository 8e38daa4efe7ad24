"""Opening a store: one writer, several readers, and what durability rests on, asserted before the first order."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from sqlalchemy import URL, Engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from economy.store import postgres, sqlite
from economy.store.beside import Companions
from economy.store.bulk import Bulk, PostgresBulk, SqliteBulk
from economy.store.disk import must_be_local
from economy.store.errands import Errands, Look
from economy.store.errors import (
    CommitInDoubtError,
    ConnectionLostError,
    StoreBrokenError,
    StoreBusyError,
    StoreFullError,
    is_broken,
    is_busy,
    is_unwritable,
    sqlstate_of,
)
from economy.store.revision import must_be_head

T = TypeVar("T")
P = ParamSpec("P")

READERS: Final = 4
BUSY_TIMEOUT_S: Final = 5.0


def store_url(text: str) -> URL:
    """The address as SQLAlchemy wants it: `sqlite:///file`, `postgresql://...`; a bare path is a SQLite file."""
    if text.startswith(("postgresql://", "postgres://", "postgresql+asyncpg://")):
        return postgres.url_of(text)
    url = make_url(text if "://" in text else f"sqlite:///{text}")
    match url.get_backend_name():
        case "sqlite":
            if url.database in (None, "", ":memory:"):
                raise ValueError("a store is a file: sqlite:///path")
            return url.set(drivername="sqlite+aiosqlite")
        case other:
            raise ValueError(f"a store is sqlite:// or postgresql://, not {other}://")


def temporary_store_url() -> str:
    """A new SQLite store in a folder of its own, for those who only try something; it is theirs to remove."""
    return f"sqlite:///{Path(tempfile.mkdtemp(prefix='florin-')) / 'florin.sqlite'}"


class Store:
    """One database. `write` and `read` hand out transactions, `look` answers questions; everything else is the business
    of who asks.

    SQLite has one writer at a time. Journal and projector of a process share it by a lock in turn, so that they
    never wait for each other in the database.
    """

    def __init__(
        self,
        url: URL,
        writer: AsyncEngine,
        reader: AsyncEngine,
        bulk: Bulk,
        server: postgres.Server | None = None,
        errands: Errands | None = None,
    ) -> None:
        self.url = url
        self.writer = writer
        self.reader = reader
        self.bulk = bulk
        self._server = server
        self._errands = errands
        self.answer_timeout_s = postgres.ANSWER_TIMEOUT_S
        self.companions: Companions | None = None
        """Of a file: what lies beside it. None for a server."""
        if server is None:
            self.companions = Companions(Path(str(url.database)))
            event.listen(writer.sync_engine, "connect", self._forget_companions)
        self._turn = asyncio.Lock()
        self._broken: StoreBrokenError | None = None
        self._break_listeners: list[Callable[[StoreBrokenError], None]] = []

    def on_break(self, listener: Callable[[StoreBrokenError], None]) -> None:
        """Calls `listener` when the disk has failed, once; it must be quick and not raise."""
        self._break_listeners.append(listener)

    @asynccontextmanager
    async def write(self, *, long: bool = False) -> AsyncIterator[AsyncConnection]:
        """A write transaction: committed when the block ends, rolled back when it raises.

        On SQLite it holds the lock from the start, so that nothing read in it is older. Raises StoreBusyError where
        another process keeps a lock longer than we wait, StoreFullError where the disk is full or may not be written
        to, StoreBrokenError once it has failed, and on PostgreSQL NoPrimaryError, ConnectionLostError, or
        CommitInDoubtError, after which the same has to be written again. The commit is not cancelled with the caller.
        What is to take `long` is not given up where the server is slow.
        """
        if self._server is not None:
            async with self._server_transaction(self._server, long=long) as connection:
                yield connection
            return
        async with self._turn, self._file_transaction() as connection:
            yield connection

    @asynccontextmanager
    async def _file_transaction(self) -> AsyncIterator[AsyncConnection]:
        if self._broken is not None:
            # A second sync would succeed, and prove nothing.
            raise self._broken
        async with self.writer.connect() as connection:
            try:
                _ = await connection.begin()
                yield connection
                if self.companions is not None:
                    self.companions.look()
                await unhurried(connection.commit())
            except StoreBrokenError as problem:
                await unhurried(connection.rollback())
                self._break(problem)
                raise
            except DBAPIError as problem:
                await unhurried(connection.rollback())
                told = _meaning(problem)
                if told is problem:
                    raise
                if isinstance(told, StoreBrokenError):
                    self._break(told)
                raise told from problem
            except BaseException:
                await unhurried(connection.rollback())
                raise

    def _forget_companions(self, *_connected: object) -> None:
        if self.companions is not None:
            self.companions.forget()

    def _break(self, problem: StoreBrokenError) -> None:
        self._broken = problem
        for listener in self._break_listeners:
            listener(problem)

    @asynccontextmanager
    async def _server_transaction(self, server: postgres.Server, *, long: bool) -> AsyncIterator[AsyncConnection]:
        async with self.writer.connect() as connection:
            link = await _link(connection)
            link.warnings.clear()
            with self._given_up(link, long=long):
                try:
                    if server.beginning:
                        await connection.exec_driver_sql(server.beginning)
                    yield connection
                except BaseException as problem:
                    await unhurried(_roll_back(connection, link))
                    if isinstance(problem, (DBAPIError, OSError)):
                        raise self._told(problem, link, server) from problem
                    raise
                await self._commit(connection, link)

    @contextmanager
    def _given_up(self, link: postgres.Link, *, long: bool) -> Iterator[None]:
        """A server that stops answering is given up, unless what it is asked takes long: the driver's own time-outs
        would send a cancel request."""
        if long:
            yield
            return
        watchdog = asyncio.get_running_loop().call_later(self.answer_timeout_s, link.terminate)
        try:
            yield
        finally:
            watchdog.cancel()

    async def _commit(self, connection: AsyncConnection, link: postgres.Link) -> None:
        try:
            await unhurried(connection.commit())
        except (DBAPIError, OSError) as problem:
            await unhurried(_roll_back(connection, link))
            if postgres.is_undone(sqlstate_of(problem)):
                raise
            if isinstance(problem, DBAPIError) and is_unwritable(problem):
                raise _meaning(problem) from problem
            raise CommitInDoubtError("the connection broke at the commit") from problem
        if link.warnings:
            # 01000 above all: committed here, and perhaps on no standby.
            raise CommitInDoubtError(f"the server warned at the commit: {', '.join(link.warnings)}")

    def _told(self, problem: DBAPIError | OSError, link: postgres.Link, server: postgres.Server) -> Exception:
        """What an error before the commit means to whoever writes."""
        if postgres.is_lost(sqlstate_of(problem), closed=link.is_closed()):
            # What was a primary may be none now, and its other connections are as useless.
            server.leave()
            return ConnectionLostError("the connection to the store broke")
        return _meaning(problem)

    @asynccontextmanager
    async def read(self, *, long: bool = False) -> AsyncIterator[AsyncConnection]:
        """A consistent snapshot, on PostgreSQL of the primary. Unless it is to take `long`, a server that does not
        answer in `answer_timeout_s` is given up."""
        async with self.reader.connect() as connection:
            if self._server is None:
                yield connection
                return
            with self._given_up(await _link(connection), long=long):
                yield connection

    async def look(self, look: Look[P, T], *given: P.args, **more: P.kwargs) -> T:
        """What `look` answers of a consistent snapshot, as with `read`. It may ask as often as it likes, and must not
        wait for anything but the answers."""
        if self._errands is not None:
            return await self._errands.run(look, *given, **more)
        async with self.read() as connection:
            return await look(connection, *given, **more)

    @property
    def looker(self) -> Engine:
        """What `look` asks."""
        return self.reader.sync_engine if self._errands is None else self._errands.engine

    @property
    def server(self) -> postgres.Server | None:
        """The server it is on; None for a file."""
        return self._server

    @property
    def file(self) -> Path:
        """The file it is in, where it is on no server."""
        return Path(str(self.url.database))

    async def close(self) -> None:
        if self._errands is not None:
            await self._errands.close()
        await self.reader.dispose()
        await self.writer.dispose()

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _meaning(problem: DBAPIError | OSError) -> Exception:
    """What an error means to whoever writes, where it is about the store and not about what was written."""
    if isinstance(problem, DBAPIError):
        if is_busy(problem):
            return StoreBusyError("the store is locked by another process")
        if is_unwritable(problem):
            return StoreFullError("the store's disk is full, or it may not be written to")
        if is_broken(problem):
            return StoreBrokenError("the store's disk failed to keep what was written")
    return problem


async def _link(connection: AsyncConnection) -> postgres.Link:
    raw = await connection.get_raw_connection()
    link = raw.driver_connection
    if not isinstance(link, postgres.Link):
        raise TypeError("a connection of ours is a Link")
    return link


async def _roll_back(connection: AsyncConnection, link: postgres.Link) -> None:
    """Rolls back where there is a connection left to do it on; the server does it where there is none."""
    if not link.is_closed():
        with suppress(DBAPIError):
            await connection.rollback()
            return
    link.terminate()
    await connection.invalidate()


async def unhurried(work: Awaitable[T]) -> T:
    """Finishes `work` even if the caller is cancelled meanwhile; the cancellation is told afterwards."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait((task,))
        raise


async def open_store(
    address: str,
    *,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    any_schema: bool = False,
    allow_loss: bool = False,
    only_looks: bool = False,
) -> Store:
    """Opens the store at `address`.

    Raises StoreBusyError where another process keeps the file to itself, NoPrimaryError where no server answers,
    UnsafeStoreError if the database does not hold what durability rests on (on PostgreSQL unless `allow_loss`), and
    SchemaMismatchError if its tables are not those of this release, unless `any_schema` (only migrations do).
    `only_looks` is for the doctor, who opens a server that could lose something to say how.
    """
    url = store_url(address)
    if url.get_backend_name() == "postgresql":
        server = postgres.Server(url, lock_timeout_s=busy_timeout_s, allow_loss=allow_loss, any_schema=any_schema)
        reader = server.engine(connections=READERS, writes=False)
        store = Store(url, server.engine(connections=postgres.WRITERS, writes=True), reader, PostgresBulk(), server)
    else:
        server = None
        must_be_local(Path(str(url.database)))
        writer = sqlite.engine(url, "BEGIN IMMEDIATE", connections=1, busy_timeout_s=busy_timeout_s)
        reader = sqlite.engine(url, "BEGIN", connections=READERS, busy_timeout_s=busy_timeout_s)
        store = Store(
            url,
            writer,
            reader,
            SqliteBulk(),
            errands=sqlite.errands(url, threads=READERS, busy_timeout_s=busy_timeout_s),
        )
    try:
        async with store.read() as connection:
            if server is not None and not only_looks:
                await server.must_be_safe(connection)
            if not any_schema:
                await must_be_head(connection)
    except DBAPIError as problem:
        await store.close()
        if is_busy(problem):
            raise StoreBusyError("the store is locked by another process") from problem
        raise
    except BaseException:
        await store.close()
        raise
    return store
