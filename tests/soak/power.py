"""Fault 41: the power goes at any moment, and the disk keeps what was synced and any part of the rest."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from itertools import count
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError

from economy.store.audit import audit
from economy.store.engine import Store, open_store
from economy.store.errors import StoreError
from economy.store.journal import StoreJournal
from economy.store.projector import StoreProjector
from tests.bench.town import SystemClock
from tests.soak.acts import submission_of
from tests.soak.findings import Outcome
from tests.soak.ground import CHECKPOINTS, SQLITE, Ground, Say, Size, pragmas
from tests.soak.images import Disk, Event, Loss, Record, Told, write_image
from tests.soak.plants import Plant, is_caught
from tests.soak.vfs import watched

SESSIONS: Final = 3
"""How often the store is closed and opened again in one record."""

ORDERS: Final = 60
"""In a session."""

CALLERS: Final = 6
SHARED_MEMORY: Final = 32_768
IMAGES_A_RECORD: Final = 60
AGAIN: Final = 6
"""How many acts are delivered again on each image."""


async def power(size: Size, say: Say, *, seed: int, plant: Plant | None = None) -> Outcome:
    """Record after record, and images of each. With a plant it ends as soon as that is seen."""
    outcome = Outcome("power loss", SQLITE)
    began = time.monotonic()
    told_s = 60.0
    async with Ground(SQLITE, seed=seed) as ground:
        template = ground.folder / "florin.sqlite"
        for number in count(1):
            folder = ground.folder / f"record-{number}"
            folder.mkdir()
            shutil.copy(template, folder / "florin.sqlite")
            record = await _record(folder / "florin.sqlite", number, plant)
            shutil.copy(template, folder / "florin.sqlite")
            await _lose_power(record.events, folder / "florin.sqlite", ground.chance, outcome)
            shutil.rmtree(folder)
            outcome.seconds = time.monotonic() - began
            outcome.orders += sum(isinstance(event, Told) for event in record.events)
            if outcome.seconds >= told_s:
                told_s += 60
                say(f"{outcome.images:,} images of {number} records")
            if plant is not None and (is_caught(plant, outcome.findings) or outcome.images >= size.images):
                break
            if plant is None and outcome.seconds >= size.seconds and outcome.images >= size.images:
                break
    return outcome


# --- the record -----------------------------------------------------------------------------------------------------


async def _record(file: Path, number: int, plant: Plant | None) -> Record:
    """Orders by several callers on a store, and everything that was written meanwhile."""
    record = Record()
    with watched(file, record):
        for session in range(SESSIONS):
            async with await open_store(f"sqlite:///{file}") as store:
                await pragmas(store, CHECKPOINTS, *(["synchronous = NORMAL"] if plant is Plant.NORMAL else []))
                await _work(store, record, f"soak:power:{number}:{session}")
    return record


async def _work(store: Store, record: Record, prefix: str) -> None:
    numbers = count(1)
    projector = StoreProjector(store)

    async def call() -> None:
        while (each := next(numbers)) <= ORDERS:
            key = f"{prefix}:{each}"
            answer = await journal.submit(submission_of(key))
            record.told(key, answer.number or 0)

    async with StoreJournal(store, SystemClock()) as journal:
        await asyncio.gather(*(call() for _ in range(CALLERS)))
        await projector.drain()


# --- its images -----------------------------------------------------------------------------------------------------


async def _lose_power(events: list[Event], before: Path, chance: random.Random, outcome: Outcome) -> None:
    """Loses it at moments drawn from the whole record, each with a loss that is drawn too."""
    disk = Disk(before)
    told: dict[str, int] = {}
    moments = set(chance.sample(range(len(events)), min(len(events), IMAGES_A_RECORD)))
    folder = before.parent / "image"
    for moment, event in enumerate(events):
        disk.follow(event)
        if isinstance(event, Told):
            told[event.key] = event.number
        if moment in moments:
            loss = chance.choice(list(Loss))
            outcome.hit("amid writes" if disk.is_open else "between writes")
            folder.mkdir()
            write_image(disk.after_power_loss(loss, chance), folder)
            # Shared memory is never synced: whatever is left of it must not matter.
            (folder / f"{before.name}-shm").write_bytes(chance.randbytes(SHARED_MEMORY))
            await _must_be_whole(folder / before.name, told, loss, chance, outcome)
            shutil.rmtree(folder)
            outcome.images += 1


async def _must_be_whole(file: Path, told: dict[str, int], loss: Loss, chance: random.Random, outcome: Outcome) -> None:
    """The image opens, is sound, its books balance, and nothing that was told is gone."""
    findings, where = outcome.findings, f"image {outcome.images}, where {loss}"
    try:
        async with await open_store(f"sqlite:///{file}") as store:
            async with store.read() as connection:
                [[sound]] = (await connection.exec_driver_sql("PRAGMA integrity_check")).all()
                numbered = "SELECT key, number FROM entries UNION ALL SELECT key, 0 FROM answers"
                kept: dict[str, int] = {row.key: row.number for row in await connection.exec_driver_sql(numbered)}
            if sound != "ok":
                findings.broken[where] = sound
            for key, number in told.items():
                if kept.get(key) != number:
                    findings.lost[f"{key} in {where}"] = f"was told as {number}, and is {kept.get(key)}"
            report = await audit(store)
            for problem in report.problems:
                findings.broken[f"audit of {where}: {problem.what} {problem.where}"] = problem.detail
            outcome.audits += 1
            await _deliver_again(store, told, kept, chance, outcome)
    except (StoreError, DBAPIError) as problem:
        findings.broken[where] = f"does not open: {problem}"


async def _deliver_again(
    store: Store, told: dict[str, int], kept: dict[str, int], chance: random.Random, outcome: Outcome
) -> None:
    """Whoever was told gets the same answer from what is left."""
    keys = [key for key in told if key in kept]
    async with StoreJournal(store, SystemClock()) as journal:
        for key in chance.sample(keys, min(len(keys), AGAIN)):
            answer = await journal.submit(submission_of(key))
            outcome.again += 1
            if not answer.repeated or (answer.number or 0) != told[key]:
                outcome.findings.doubled[key] = f"was told as {told[key]}, and delivered again as {answer.number}"
