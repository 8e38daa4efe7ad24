"""What a SQLite file rests on and SQLite does not look at: a local disk, and the two files beside it."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Final

from economy.store.errors import StoreBrokenError, UnsafeStoreError

LOG_ALARM: Final = 256 * 1024 * 1024
"""Bytes of the write-ahead log from which a warning is due: four times what a checkpoint leaves of it."""

MOUNTS: Final = Path("/proc/self/mounts")
"""Where Linux tells what is mounted."""

REMOTE: Final = frozenset(
    ("afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs")
) | {"gpfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
"""File systems of other machines: the log's index is memory that all processes share, and locks have to hold."""

_OCTAL: Final = re.compile(r"\\([0-7]{3})")

log = logging.getLogger(__name__)


def must_be_local(file: Path) -> None:
    """Raises UnsafeStoreError where the file's folder is another machine's. Does not know on systems but Linux."""
    try:
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return
    kind = file_system_of(file.resolve(), mounts)
    if kind in REMOTE:
        raise UnsafeStoreError(
            f"the store lies on a network file system ({kind}), where SQLite loses what was answered: put it on a local"
            " disk, or use PostgreSQL"
        )


def file_system_of(file: Path, mounts: str) -> str:
    """The kind of file system that holds `file`, by the lines of /proc/mounts; empty where none does."""
    found, depth = "", -1
    for line in mounts.splitlines():
        _device, point, kind, *_ = line.split(" ")
        folder = Path(_OCTAL.sub(lambda code: chr(int(code[1], 8)), point))
        # The later of two on one folder hides the other.
        if len(folder.parts) >= depth and file.is_relative_to(folder):
            found, depth = kind, len(folder.parts)
    return found


class Companions:
    """The write-ahead log and its index, which belong to the file as long as anybody has it open."""

    def __init__(self, file: Path, alarm: int = LOG_ALARM) -> None:
        real = file.resolve()
        self._log = real.with_name(f"{real.name}-wal")
        self._index = real.with_name(f"{real.name}-shm")
        self._known: tuple[int, int] | None = None
        self.alarm = alarm
        self._warn_from = alarm

    def forget(self) -> None:
        """Another connection has opened the file, and may have made both anew."""
        self._known = None

    def look(self) -> None:
        """Raises StoreBrokenError where one of them was deleted or replaced: what is committed would be lost with it.

        Warns of a log that has grown. To be called in the midst of a transaction, when both are there.
        """
        try:
            told, index = self._log.stat(), self._index.stat()
        except FileNotFoundError as problem:
            raise StoreBrokenError(f"{Path(str(problem.filename)).name} was deleted while it was in use") from problem
        found = (told.st_ino, index.st_ino)
        if self._known not in (None, found):
            raise StoreBrokenError(f"{self._log.name} or {self._index.name} was replaced while it was in use")
        self._known = found
        self._warn_of(told.st_size)

    def _warn_of(self, size: int) -> None:
        if size >= self._warn_from:
            log.warning(
                "the write-ahead log has grown to %d MB: something that reads for long, as a copy or a shell does,"
                " keeps it from being emptied",
                size >> 20,
            )
            self._warn_from = 2 * size
        elif size < self.alarm:
            self._warn_from = self.alarm
