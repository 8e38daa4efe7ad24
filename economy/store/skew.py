"""How far this machine's clock is from the database's, by which all processes on a server agree on the time.

What one process may have for a while, such as a notice it tells, another takes when that while is over: by clocks five
minutes apart, both would have it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from economy.store.engine import Store
from economy.store.timing import to_us

LOOK_EVERY_S: Final = 60.0
AGREES_WITHIN_US: Final = 1_000_000
"""What the way to the database and back may make of clocks that agree."""

log = logging.getLogger(__name__)


def machine_time() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # how far off it is, is the question


class Skew:
    """Looks at the database's clock now and then. A file has none but the machine's own."""

    def __init__(self, store: Store, machine: Callable[[], datetime] = machine_time) -> None:
        self._store = store
        self._machine = machine
        self._us = 0
        self._looked_s: float | None = None

    async def us(self) -> int:
        """Microseconds to add to the time of this machine."""
        if self._store.server is None:
            return 0
        if self._looked_s is None or monotonic() - self._looked_s > LOOK_EVERY_S:
            before = to_us(self._machine())
            theirs = await self._store.look(_time)
            # Seen half-way between question and answer.
            skew = to_us(theirs) - (before + to_us(self._machine())) // 2
            skew = 0 if abs(skew) < AGREES_WITHIN_US else skew
            if abs(skew - self._us) >= AGREES_WITHIN_US:
                log.warning("this machine's clock is %d s from the database's", -skew // 1_000_000)
            self._us, self._looked_s = skew, monotonic()
        return self._us


async def _time(connection: AsyncConnection) -> datetime:
    found: datetime = (await connection.exec_driver_sql("SELECT clock_timestamp()")).scalar_one()
    return found
