"""Moments as people write them. Pure: now is an argument."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from economy.values import zone

_AGO = re.compile(r"([1-9][0-9]{0,3})([mhdw])", re.ASCII | re.IGNORECASE)
_UNIT = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?", re.ASCII)


def parse_since(text: str, now: datetime, time_zone: str) -> datetime | None:
    """`2h`, `3d`, `2026-01-05` or `2026-01-05T12:00` (of the community's time zone, or with its own), as UTC; None
    for anything else. What lies some time back is cut to the minute, so that the same words given twice at once
    mean the same."""
    if found := _AGO.fullmatch(text):
        return (now - int(found[1]) * _UNIT[found[2].lower()]).replace(second=0, microsecond=0)
    if len(text) > 40 or not _DATE.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone(time_zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
