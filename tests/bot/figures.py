"""Figures of a Florin that is well, and changes to them."""

from __future__ import annotations

from msgspec.structs import replace

from economy.figures import (
    Behind,
    Connections,
    Figures,
    FileFigures,
    JournalFigures,
    OutboxFigures,
    Spread,
    StoreFigures,
)

GB = 1024**3

FIGURES = Figures(
    JournalFigures(
        state="open",
        waiting=3,
        waiting_max=10_000,
        orders={("tip", "done", ""): 5, ("tip", "refused", "insufficient_funds"): 2},
        batch_orders=Spread((1, 2), [3, 1, 2], 12.0),
        batch_s=Spread((0.5, 1.0), [5, 1, 0], 1.25),
        again=4,
    ),
    StoreFigures(
        database="sqlite",
        answer_s=0.002,
        problem="",
        file=FileFigures(5 * GB, 64 * 1024**2, 10 * GB),
        projector=Behind(7, 0.5),
        sealer=Behind(8, 1.5),
        outbox=OutboxFigures(9, 0, 2.5),
    ),
    Connections(1, 2),
    Connections(3, 4),
)


def journal_with(**figures: object) -> Figures:
    return replace(FIGURES, journal=replace(FIGURES.journal, **figures))


def store_with(**figures: object) -> Figures:
    return replace(FIGURES, store=replace(FIGURES.store, **figures))
