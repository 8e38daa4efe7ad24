"""Whether Florin is well, as its figures say: what `GET /health` answers. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from economy.figures import Behind, Figures

PROJECTOR_S_MAX: Final = 30.0
"""Boards are a second behind in ordinary load."""
SEALER_S_MAX: Final = 300.0
QUEUE_SHARE_MAX: Final = 0.9
DISK_FREE_MIN: Final = 200 * 1024 * 1024
LOG_SIZE_MAX: Final = 256 * 1024 * 1024
"""Bytes. SQLite's write-ahead log is cut at 64 MB, unless somebody keeps reading an old state."""


class Symptom(Struct, frozen=True):
    """One thing that is not as it should be."""

    what: str
    words: str


class Health(Struct, frozen=True):
    """`status` is `ok` or `degraded`. Warnings are worth knowing, and degrade nothing yet."""

    status: str
    degraded: tuple[Symptom, ...]
    warnings: tuple[Symptom, ...]

    @property
    def is_well(self) -> bool:
        return not self.degraded


def health_of(figures: Figures) -> Health:
    """What the figures come to."""
    degraded = tuple(_degraded(figures))
    return Health("degraded" if degraded else "ok", degraded, tuple(_warnings(figures)))


def _degraded(figures: Figures) -> Iterator[Symptom]:
    journal, store = figures.journal, figures.store
    match journal.state:
        case "open":
            pass
        case "read_only":
            yield Symptom("journal", "the store cannot be written to, so orders are refused: is its disk full?")
        case _:
            yield Symptom("journal", "its disk has failed, and nothing is written any more: look at it, and restart")
    if journal.waiting > QUEUE_SHARE_MAX * journal.waiting_max:
        yield Symptom("queue", f"{journal.waiting:,} orders wait, and {journal.waiting_max:,} can")
    if store.answer_s is None:
        yield Symptom("store", f"the database does not answer ({store.problem})")
    if store.losses and not store.is_loss_allowed:
        yield Symptom("durability", "; ".join(store.losses))
    yield from _late("projector", "boards and statistics", store.projector, PROJECTOR_S_MAX)
    yield from _late("sealer", "seals", store.sealer, SEALER_S_MAX)


def _late(what: str, made: str, behind: Behind | None, most_s: float) -> Iterator[Symptom]:
    if behind is not None and behind.seconds > most_s:
        yield Symptom(what, f"{made} are {behind.seconds:,.0f} s and {behind.entries:,} entries behind")


def _warnings(figures: Figures) -> Iterator[Symptom]:
    store = figures.store
    if store.losses and store.is_loss_allowed:
        yield Symptom("durability", f"{'; '.join(store.losses)}; the store's address allows it")
    if store.file is not None and store.file.disk_free < DISK_FREE_MIN:
        yield Symptom("disk", f"{store.file.disk_free // 1024**2:,} MB are free where the store is")
    if store.file is not None and store.file.log_size > LOG_SIZE_MAX:
        yield Symptom("log", f"the write-ahead log takes {store.file.log_size // 1024**2:,} MB")
    if store.outbox is not None and store.outbox.dead:
        yield Symptom("outbox", f"{store.outbox.dead:,} events could not be told, and are tried no more")
