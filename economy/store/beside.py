"""The two files beside a SQLite file that is open: what is committed is in them, and nothing else guards them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

from economy.store.errors import StoreBrokenError

LOG_ALARM: Final = 256 * 1024 * 1024
"""Bytes of the write-ahead log from which a warning is due: four times what a checkpoint leaves of it."""

log = logging.getLogger(__name__)


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
