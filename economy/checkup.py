"""What a checkup of a store finds, for whoever judges it. Nothing in here is a secret, or what people wrote.

None means throughout that it cannot be known here: PostgreSQL tells some things to its superusers alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct


class FileFacts(Struct, frozen=True, kw_only=True):
    """A store in a file. Sizes count bytes."""

    file_system: str | None
    """Its name, such as ext4."""
    is_writable: bool
    written: datetime
    size: int
    log_size: int
    """Of the write-ahead log beside it."""
    log_size_max: int
    """What is left of the log when nobody reads an old state any more."""
    disk_free: int
    inodes_free: int | None
    """Files that can still be made; None where the file system makes as many as fit."""
    damage: tuple[str, ...] = ()
    """What SQLite found wrong with the file's pages; at most ten."""


class Standby(Struct, frozen=True):
    """A server that follows the primary. Lags are of what it has replayed."""

    name: str
    is_synchronous: bool | None
    lag_bytes: int | None
    lag_s: float | None


class Slot(Struct, frozen=True):
    """A place kept in the server's log for somebody who is not connected."""

    name: str
    kept_bytes: int


class ServerFacts(Struct, frozen=True, kw_only=True):
    """A store on PostgreSQL. `settings` are those of a session of ours, as the server writes them."""

    settings: Mapping[str, str]
    is_loss_allowed: bool
    """Whether the operator has accepted to lose what was answered."""
    is_pooled: bool
    size: int
    """Bytes of the database."""
    standbys: tuple[Standby, ...]
    slots: tuple[Slot, ...]
    checksum_failures: int | None
    """Pages found torn or changed since the server's statistics began; None without checksums."""
    connections: int
    idle: tuple[float, ...]
    """For how many seconds each session of this database has been waiting in the midst of a transaction."""
    prepared: tuple[float, ...]
    """How many seconds ago each transaction of this database was prepared for a commit in two steps."""


class Checkup(Struct, frozen=True, kw_only=True):
    """A store that opened."""

    version: tuple[int, ...]
    """Of the database: (3, 51, 3), or (18, 6)."""
    losses: tuple[str, ...]
    """How it could lose what was answered."""
    revision: str | None
    head: str
    """The revision that this release needs."""
    notices_given_up: int = 0
    """What could not be told in the channels chosen for it, and is tried no more."""
    bots: Mapping[str, str] = {}
    """The bot of each platform that it is for, by the platform's id."""
    changed: tuple[str, ...] | None = None
    """Tables that are missing or not as they were made: their columns, CHECKs, indices or triggers. None for a
    revision that this release does not know."""
    unknown: tuple[str, ...] = ()
    """Tables that are none of ours."""
    newest_entry: datetime | None = None
    """When the newest of all last entries was written, by the clock of whoever wrote it."""
    clock_ahead_s: float | None = None
    """The database's clock less ours; None where they are the same."""
    facts: FileFacts | ServerFacts
