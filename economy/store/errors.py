"""What can go wrong with a store, told apart by what its reader can do about it."""

from __future__ import annotations

import traceback

from sqlalchemy.exc import DBAPIError, OperationalError


class StoreError(Exception):
    """Something about the store itself; never a rule's no."""


class StoreBusyError(StoreError):
    """Another process holds the store's lock longer than we wait. Nothing was written."""


class NoPrimaryError(StoreError):
    """No host of the store answers and takes writes. Nothing was written."""


class ConnectionLostError(StoreError):
    """The connection broke before the commit was sent. Nothing was written."""


class CommitInDoubtError(StoreError):
    """The commit was sent and nobody knows what became of it: what was to be written must be written again."""


class StoreFullError(StoreError):
    """The store cannot be written to: its disk is full, was made read-only, or permission was lost. It can be read.
    Nothing was written."""


class StoreBrokenError(StoreError):
    """The disk failed while it was written to. What it says afterwards proves nothing, so nothing more may be written
    by this process: opened anew, the store holds what reached the disk."""


class UnsafeStoreError(StoreError):
    """The database does not hold what durability rests on (WAL, full sync, foreign keys, ...)."""


class SchemaMismatchError(StoreError):
    """The store's tables are not those of this release: `florin db upgrade` brings an older store up to date."""


class OrderFailedError(StoreError):
    """An order could not be carried out because of a bug or a broken store. Nothing of it was written.

    Holds the order's kind and key; never its texts.
    """


_SQLITE_BUSY = 5
_SQLITE_LOCKED = 6
# Of https://sqlite.org/rescode.html: PERM, READONLY, FULL, CANTOPEN, and a -shm or -wal that cannot be made larger.
# IOERR_WRITE is what a full disk's neighbours come as: a file system that became read-only, a quota, a size limit.
_SQLITE_UNWRITABLE = (3, 8, 13, 14)
_SQLITE_NO_ROOM = (10 | 19 << 8, 10 | 6 << 8, 10 | 3 << 8)
# IOERR_FSYNC and IOERR_DIR_FSYNC. After one the kernel drops what it could not write, and a second fsync succeeds.
_SQLITE_UNSYNCED = (10 | 4 << 8, 10 | 5 << 8)
# disk_full; insufficient_privilege, as for a role whose rights were taken.
_POSTGRES_UNWRITABLE = ("53100", "42501")


def is_busy(error: DBAPIError) -> bool:
    """Whether the store was only locked by someone else."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in (_SQLITE_BUSY, _SQLITE_LOCKED)
    # PostgreSQL: lock_not_available.
    return sqlstate_of(error) == "55P03"


def is_unwritable(error: DBAPIError) -> bool:
    """Whether the store can be read and not written to, for a reason that somebody can mend."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_UNWRITABLE or code in _SQLITE_NO_ROOM
    return sqlstate_of(error) in _POSTGRES_UNWRITABLE


def is_broken(error: DBAPIError) -> bool:
    """Whether the disk did not take what it was told to keep."""
    return getattr(error.orig, "sqlite_errorcode", None) in _SQLITE_UNSYNCED


def sqlstate_of(error: Exception) -> str | None:
    """PostgreSQL's code of the error; None where no server said anything."""
    found: str | None = getattr(getattr(error, "orig", None), "sqlstate", None)
    return found


def is_worth_another(error: DBAPIError) -> bool:
    """Whether running the transaction again may be the answer: the file failed, or two of PostgreSQL's met.

    A key that is there already is one of these: another process made the same member or wrote the same key meanwhile,
    and what it wrote is seen the next time.
    """
    sqlstate = sqlstate_of(error)
    if sqlstate is None:
        return isinstance(error, OperationalError)
    return sqlstate in ("40001", "40P01", "23505")


def describe(problem: BaseException) -> str:
    """What went wrong and where, without any value: exceptions may quote what people wrote."""
    frames = traceback.extract_tb(problem.__traceback__)
    where = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames[-6:]))
    cause = f" of {type(problem.orig).__name__}" if isinstance(problem, DBAPIError) else ""
    return f"{type(problem).__name__}{cause} at {where}"
