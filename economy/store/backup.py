"""Backups: a whole store in one file, made while it is in use, held against the audit, and put back into a new place.

A backup is a SQLite store of this release, whatever database it was made from, and needs no other file beside it.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from economy.store.audit import AuditReport, audit
from economy.store.copying import Copied, NotEmptyError, Progress, copy, must_be_empty, written_after
from economy.store.engine import Store, open_store, store_url
from economy.store.errors import StoreError
from economy.store.revision import revision_of
from economy.store.schema import upgrade_store

PAGES: Final = 2_560
"""Pages copied at a time, of 4 KiB each: between two the progress is told."""

BESIDE: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file, and would take for that of a new one."""


class DamagedError(StoreError):
    """A file that SQLite itself finds damaged."""


class Checked(Struct, frozen=True):
    """A copy and what its audit came to. `is_kept`: whether it is in its place."""

    report: AuditReport
    is_kept: bool


class Moved(Struct, frozen=True):
    """`written_after`: entries that the source got after it was copied, and that are not in the target."""

    copied: Copied
    report: AuditReport
    written_after: int


async def back_up(address: str, file: Path, progress: Progress) -> Checked:
    """Writes the store at `address`, as it is at one moment, into the new `file`, and audits that.

    The store may be in use. Kept also where its books do not balance: then it is needed most. Raises NotEmptyError
    where the file is there, StoreError where the store cannot be used.
    """
    must_be_new(file)
    with _partial(file) as partial:
        source = _file_of(address)
        if source is not None:
            await _copy_file(source, partial, progress)
        else:
            async with await open_store(address) as store:
                await _copy_into_new(store, _address(partial), progress)
        report = await _brought_up_and_audited(partial, progress)
        await asyncio.to_thread(_publish, partial, file)
    return Checked(report, is_kept=True)


async def restore(file: Path, address: str, progress: Progress) -> Checked:
    """Makes a new store at `address` out of the backup `file`, which stays as it is.

    A backup of an earlier release is brought up to this one. Not kept where its books do not balance. Raises
    NotEmptyError where something is there already, StoreError where the file is no backup.
    """
    target = _file_of(address)
    if target is not None:
        must_be_new(target)
    else:
        await _must_be_empty(address)
    with _partial(target) as partial:
        await _copy_file(file, partial, progress)
        report = await _brought_up_and_audited(partial, progress)
        if not report.ok:
            return Checked(report, is_kept=False)
        if target is not None:
            await asyncio.to_thread(_publish, partial, target)
        else:
            async with await open_store(_address(partial)) as store:
                await _copy_into_new(store, address, progress)
    return Checked(report, is_kept=True)


async def move(source: str, target: str, progress: Progress) -> Moved:
    """Copies the store at `source` to the new or empty one at `target`, and proves that both hold the same.

    What is written to the source meanwhile stays there, and is counted. Raises NotEmptyError, CopyDiffersError, and
    StoreError where either cannot be used.
    """
    file = _file_of(target)
    if file is not None:
        must_be_new(file)
    async with await open_store(source) as reading:
        if file is None:
            copied = await _copy_into_new(reading, target, progress)
        else:
            with _partial(file) as partial:
                copied = await _copy_into_new(reading, _address(partial), progress)
                await asyncio.to_thread(_publish, partial, file)
        async with await open_store(target) as written:
            report = await _audited(written, progress)
        return Moved(copied, report, await written_after(reading, copied))


def must_be_new(file: Path) -> None:
    """Raises NotEmptyError where `file` is there, or what SQLite would take for a part of it."""
    for name in (file, *(file.with_name(file.name + ending) for ending in BESIDE)):
        if name.exists():
            raise NotEmptyError(f"{name} is there already, and is left as it is")


async def _must_be_empty(address: str) -> None:
    async with await open_store(address, any_schema=True) as store, store.read(long=True) as connection:
        if await revision_of(connection) is not None:
            await must_be_empty(connection)


async def _copy_into_new(source: Store, target: str, progress: Progress) -> Copied:
    async with await open_store(target, any_schema=True) as store:
        await upgrade_store(store)
        return await copy(source, store, progress)


async def _brought_up_and_audited(file: Path, progress: Progress) -> AuditReport:
    async with await open_store(_address(file), any_schema=True) as store:
        async with store.read(long=True) as connection:
            if await revision_of(connection) is None:
                raise DamagedError("there is no store in it")
        await upgrade_store(store)
        return await _audited(store, progress)


async def _audited(store: Store, progress: Progress) -> AuditReport:
    return await audit(store, progress=lambda done, total: progress("auditing", done, total))


# --- files ----------------------------------------------------------------------------------------------------------


def _file_of(address: str) -> Path | None:
    url = store_url(address)
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def _address(file: Path) -> str:
    return f"sqlite:///{file}"


@contextmanager
def _partial(file: Path | None) -> Iterator[Path]:
    """A new, empty file beside `file` (anywhere, without one), for its owner's eyes; removed unless published."""
    folder = None if file is None else file.absolute().parent
    name = "florin" if file is None else file.name
    handle, made = tempfile.mkstemp(prefix=f"{name}.", suffix=".partial", dir=folder)
    os.close(handle)
    partial = Path(made)
    try:
        yield partial
    finally:
        for ending in ("", *BESIDE):
            partial.with_name(partial.name + ending).unlink(missing_ok=True)


async def _copy_file(source: Path, target: Path, progress: Progress) -> None:
    """Copies a SQLite store as it is at one moment, while others write to it."""
    loop = asyncio.get_running_loop()

    def told(done: int, total: int) -> None:
        loop.call_soon_threadsafe(progress, "copying", done, total)

    await asyncio.to_thread(_copy_pages, source, target, told)


def _copy_pages(source: Path, target: Path, told: Callable[[int, int], None]) -> None:
    try:
        # Not read-only, which would leave its -wal and -shm behind. It makes no file where there is none.
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True)) as reading:
            # Open between the steps, so that what others write in the meantime does not start the copy over.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
            with closing(sqlite3.connect(target)) as writing:
                reading.backup(writing, pages=PAGES, sleep=0, progress=lambda _, left, total: told(total - left, total))
                problem = writing.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise DamagedError(f"{source}: {error}") from error
    if problem != "ok":
        raise DamagedError(f"{source}: {problem}")


def _publish(partial: Path, file: Path) -> None:
    """Puts a finished store in its place, whole and on the disk."""
    with closing(sqlite3.connect(partial)) as database:
        # One file that needs no other beside it, and can be read where nothing can be written.
        database.execute("PRAGMA journal_mode = DELETE")
    _to_disk(partial)
    must_be_new(file)
    partial.rename(file)
    _to_disk(file.absolute().parent)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
