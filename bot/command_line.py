"""What the subcommands share: what is set, running to an end, and telling a problem in one sentence.

Everything heavy is imported where it is needed, so that `--help` is quick.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import typer

if TYPE_CHECKING:
    from bot.settings import Environment

T = TypeVar("T")

WRONG: Final = 1
UNUSABLE: Final = 2
TERMINATED: Final = 128 + signal.SIGTERM

IN_PLACE_S: Final = 0.2
BY_LINE_S: Final = 10.0
"""How often progress is told: on a terminal in place, elsewhere by a line of its own."""


class Stop(Exception):
    """Ends a command with one sentence for the operator and an exit status."""

    def __init__(self, sentence: str, status: int = WRONG) -> None:
        super().__init__(sentence)
        self.status = status


def environment_of(store: str | None) -> Environment:
    """What is set, `--store` before FLORIN_STORE; and logs that go by it."""
    from pydantic import SecretStr

    from bot import logs
    from bot.settings import LogLevel, SettingsError, read_environment

    try:
        environment = read_environment()
    except SettingsError as error:
        raise Stop(str(error), UNUSABLE) from None
    if store is not None:
        environment = environment.model_copy(update={"store": SecretStr(store)})
    # Somebody sits at a terminal in everything that there is so far, and lines between theirs had better matter.
    level = environment.log_level if "log_level" in environment.model_fields_set else LogLevel.WARNING
    logs.configure(level, environment.log_format, environment.secrets, in_full=environment.debug)
    return environment


def file_of(environment: Environment) -> Path | None:
    """The store's file; None where it is on a server."""
    from bot.app import store_file

    try:
        return store_file(environment.address)
    except ValueError as error:
        raise Stop(f"{shown(environment)} is no store: {error}.", UNUSABLE) from None


def must_exist(environment: Environment) -> None:
    """A store that is only asked about is not made by asking."""
    file = file_of(environment)
    if file is not None and not file.is_file():
        raise Stop(f"There is no store at {shown(environment)}; `florin run` makes one.")


def shown(environment: Environment) -> str:
    """The store's address without its password."""
    from bot.settings import shown_store

    return shown_store(environment.address)


def carried_out(work: Coroutine[Any, Any, T], environment: Environment) -> T:
    """Runs `work` to its end. A store or setting that cannot be used ends the command with a sentence."""
    from bot.app import store_problem
    from bot.settings import SettingsError

    try:
        return asyncio.run(_until_terminated(work))
    except asyncio.CancelledError:
        raise typer.Exit(TERMINATED) from None
    except SettingsError as error:
        raise Stop(str(error), UNUSABLE) from None
    except Exception as error:
        problem = store_problem(error)
        if problem is None:
            raise
        raise Stop(f"{shown(environment)}: {problem}.") from None


async def _until_terminated(work: Coroutine[Any, Any, T]) -> T:
    """`work`, which a polite SIGTERM ends as if it had been cancelled: what is open is closed."""
    if ours := asyncio.current_task():
        with suppress(NotImplementedError):  # as on Windows
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ours.cancel)
    return await work


def say(text: str) -> None:
    """What the command was asked for, to standard output."""
    sys.stdout.write(f"{text}\n")


class ProgressLine:
    """Shows on standard error how far something long is: to a person in place, elsewhere now and then a line."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._every_s = IN_PLACE_S if self._is_shown else BY_LINE_S
        self._told_s = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s < self._every_s:
            return
        self._told_s = now_s
        percent = 100 * done // total if total else 100
        line = f"{what}: {done:,} of {total:,} ({percent} %)"
        sys.stderr.write(f"\r\x1b[K{line}" if self._is_shown else f"{line}\n")
        sys.stderr.flush()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def surprised() -> int:
    """Tells of a fault of ours: where it is for whoever repairs it, without anything that people wrote."""
    import structlog

    from bot import logs
    from bot.settings import LogFormat, LogLevel

    if not structlog.is_configured():
        # Its own way of telling exceptions shows locals.
        logs.configure(LogLevel.WARNING, LogFormat.TEXT)
    structlog.get_logger("florin").exception("florin failed")
    sys.stderr.write("florin: something failed that should not have; the lines above say where.\n")
    return WRONG
