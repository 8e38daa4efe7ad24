"""Bugs that are planted, each of which its harness must find: one that cannot fail proves nothing."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tests.soak.disk import disk
from tests.soak.findings import Outcome
from tests.soak.ground import POSTGRES, SQLITE, Say, Size
from tests.soak.kills import kills
from tests.soak.plants import SORTS, Plant, is_caught
from tests.soak.power import power


class Control(Struct, frozen=True):
    """A bug, in which database, and which harness has to find it."""

    plant: Plant
    store: str
    topic: str


CONTROLS: Final = (
    *(Control(plant, store, "kills") for plant in (Plant.HASTY, Plant.STALE) for store in (SQLITE, POSTGRES)),
    *(Control(plant, store, "kills") for plant in (Plant.FORGETFUL, Plant.LEAKY) for store in (SQLITE, POSTGRES)),
    Control(Plant.ASYNCHRONOUS, POSTGRES, "kills"),
    Control(Plant.NORMAL, SQLITE, "power"),
    *(Control(Plant.DEAF, store, "disk") for store in (SQLITE, POSTGRES)),
)

SIZE: Final = Size(seconds=0, life_s=0.5, long_stop_s=1, server_s=2, audit_every_s=0.1)


class Caught(Struct, frozen=True):
    """What a control came to. `told` is the first finding of the sort that it has to be found as."""

    control: Control
    seconds: float
    is_caught: bool
    told: str


async def control(which: Control, say: Say, *, seed: int) -> Caught:
    outcome = await _planted(which, say, seed)
    found: dict[str, str] = getattr(outcome.findings, SORTS[which.plant])
    what, text = next(iter(found.items()), ("", ""))
    told = f"{SORTS[which.plant]}: {what}: {text}" if found else outcome.findings.sorts()
    return Caught(which, outcome.seconds, is_caught(which.plant, outcome.findings), told)


async def _planted(which: Control, say: Say, seed: int) -> Outcome:
    match which.topic:
        case "kills":
            return await kills(which.store, SIZE, say, seed=seed, plant=which.plant)
        case "disk":
            return await disk(which.store, SIZE, say, seed=seed, plant=which.plant)
        case _:
            return await power(SIZE, say, seed=seed, plant=which.plant)
