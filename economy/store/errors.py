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


def is_busy(error: DBAPIError) -> bool:
    """Whether the store was only locked by someone else."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in (_SQLITE_BUSY, _SQLITE_LOCKED)
    # PostgreSQL: lock_not_available.
    return sqlstate_of(error) == "55P03"


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
