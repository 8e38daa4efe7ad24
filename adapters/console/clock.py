"""A transcript's own clock, which stands still, and the words that set it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_SHIFT = re.compile(r"\+(?:[0-9]{1,6}[wdhms])+", re.ASCII)
_PART = re.compile(r"([0-9]+)([wdhms])", re.ASCII)
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


class StandingClock:
    """Tells the time it was last set to."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def set(self, at: datetime) -> None:
        self._now = at.astimezone(UTC)

    def forward(self, by: timedelta) -> None:
        """Raises OverflowError beyond the year 9999."""
        self._now += by


def parse_moment(text: str) -> datetime | None:
    """`2026-01-05T12:00Z` or another ISO 8601 time that says its zone; None for anything else."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return None


def parse_shift(text: str) -> timedelta | None:
    """`+2d`, `+90m`, `+1h30m`: weeks, days, hours, minutes, seconds; None for anything else."""
    if _SHIFT.fullmatch(text) is None:
        return None
    return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in _PART.findall(text)), timedelta())
