"""What a soak comes to."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

TOLD_MAX: Final = 5
"""How many findings of a sort are told in words; all are counted."""


class Findings(Struct):
    """What must not be. `lost`: keys told as done whose entry is not there. `doubled`: acts with more than one
    effect. `broken`: whatever else does not add up. Each by what it is about, with what is wrong."""

    lost: dict[str, str] = field(default_factory=dict)
    doubled: dict[str, str] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.broken)

    def words(self) -> list[str]:
        """The first few of each sort."""
        found: list[str] = []
        for sort, about in (("lost", self.lost), ("doubled", self.doubled), ("broken", self.broken)):
            found += [f"{sort}: {what}: {text}" for what, text in list(about.items())[:TOLD_MAX]]
        return found

    def sorts(self) -> str:
        """How many of each sort, as words."""
        counts = {"lost": len(self.lost), "doubled": len(self.doubled), "broken": len(self.broken)}
        return ", ".join(f"{count:,} {sort}" for sort, count in counts.items() if count) or "nothing"


class Outcome(Struct):
    """One line of the table that a soak ends with.

    `hits` counts what was done to the processes and the server, by name. `gap_s`: the longest time between two audits
    while the store could be read. `again`: how many acts were delivered once more at the end.
    """

    topic: str
    store: str
    findings: Findings = field(default_factory=Findings)
    seconds: float = 0.0
    orders: int = 0
    entries: int = 0
    hits: dict[str, int] = field(default_factory=dict)
    images: int = 0
    audits: int = 0
    gap_s: float = 0.0
    again: int = 0

    def hit(self, name: str) -> None:
        self.hits[name] = self.hits.get(name, 0) + 1

    def so_far(self) -> str:
        """For whoever watches."""
        hits = sum(self.hits.values())
        done = f"{self.orders:,} orders, {hits:,} hits, {self.audits:,} audits"
        return f"{self.store}: {done}, found {self.findings.sorts()}"
