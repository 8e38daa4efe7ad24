"""One figure of the table, and what it has to be."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from msgspec import Struct


class Row(Struct, frozen=True):
    """What a figure tells, its unit, and what it must be and aims to be. `least`: the targets are lower bounds."""

    title: str
    unit: str
    must: float | None = None
    aim: float | None = None
    least: bool = True

    def met(self, value: float, target: float) -> bool:
        return value >= target if self.least else value <= target


class Figure(Struct, frozen=True):
    """A row, measured once a round. `detail` says in absolute numbers what the ratio comes from."""

    row: Row
    store: str
    values: tuple[float, ...]
    detail: str = ""

    @property
    def value(self) -> float:
        return median(self.values)

    @property
    def reached(self) -> float | None:
        """How far the figure is beyond 'must', as a factor: 1 is just there, whichever way the row is read."""
        if self.row.must is None or not self.value:
            return None
        return self.value / self.row.must if self.row.least else self.row.must / self.value


class Load(Struct, frozen=True):
    """How a way of asking went, each value once a round. Latencies are of all rounds, in seconds."""

    title: str
    store: str
    rates: tuple[float, ...]
    client_us: tuple[float, ...]
    server_us: tuple[float, ...]
    percentiles: dict[float, float]


PERCENTS = (1.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9)
"""The percentiles that a `Load` keeps of its latencies."""


class GrowthPoint(Struct, frozen=True):
    """What an order costs in a store of so many entries, as a ratio to the smallest."""

    store: str
    entries: int
    time: float
    cpu: float


class Results(Struct):
    """All that a run found out."""

    figures: list[Figure] = []
    loads: list[Load] = []
    growth: list[GrowthPoint] = []


def spread(values: Sequence[float]) -> str:
    """`median (least-most)` in a fitting number of digits."""
    text = short(median(values))
    return f"{text} ({short(min(values))}-{short(max(values))})" if len(values) > 1 else text


def short(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
