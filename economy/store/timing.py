"""Times as the store keeps them: microseconds since 1970, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def from_us(at_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at_us)
