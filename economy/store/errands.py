"""Looks at a SQLite file: each is one errand to a thread, however many questions it asks.

The driver goes to a thread of its own and back for every statement, for the beginning of a transaction and for its end,
and each way costs more than what a command asks. Here all of it is done on the other side.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy import Connection, Dialect, Engine
from sqlalchemy.ext.asyncio import AsyncConnection

T = TypeVar("T")
P = ParamSpec("P")
Look = Callable[Concatenate[AsyncConnection, P], Coroutine[Any, Any, T]]
"""Asks a connection, waits for nothing else, and answers plain values."""


class Errands:
    """Threads, each with a connection of `engine` while it looks."""

    def __init__(self, engine: Engine, threads: int) -> None:
        self.engine = engine
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="look")

    async def run(self, look: Look[P, T], *given: P.args, **more: P.kwargs) -> T:
        """What `look` answers, of one snapshot."""
        errand = partial(self._carry_out, lambda connection: look(connection, *given, **more))
        return await asyncio.get_running_loop().run_in_executor(self._threads, errand)

    async def close(self) -> None:
        """Returns when nobody looks any more."""
        await asyncio.to_thread(self._threads.shutdown)
        self.engine.dispose()

    def _carry_out(self, look: Callable[[AsyncConnection], Coroutine[Any, Any, T]]) -> T:
        with self.engine.connect() as connection:
            # A look asks for no more than this one has.
            looking = look(cast(AsyncConnection, _AtOnce(connection)))
            try:
                looking.send(None)
            except StopIteration as done:
                found: T = done.value
                return found
            finally:
                looking.close()
        raise RuntimeError("a look waits for nothing but its connection")


class _AtOnce:
    """As much of an asynchronous connection as a look asks for; whatever it answers is there at once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, *asked: Any) -> Any:
        return self._connection.execute(*asked)

    async def exec_driver_sql(self, *asked: Any) -> Any:
        return self._connection.exec_driver_sql(*asked)
