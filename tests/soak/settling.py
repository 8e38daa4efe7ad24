"""The end of a soak: what is in doubt is delivered again, and everything is added up from the first entry."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from sqlalchemy.exc import DBAPIError

from economy.store.audit import audit
from economy.store.engine import Store
from economy.store.errors import StoreError
from economy.store.journal import StoreJournal
from economy.store.projector import StoreProjector
from tests.bench.town import SystemClock
from tests.soak.acts import submission_of
from tests.soak.auditor import Auditor
from tests.soak.diary import Diaries, is_unwritten
from tests.soak.findings import Outcome
from tests.soak.ground import Ground
from tests.soak.plants import around

AGAIN_MAX: Final = 2_000
"""How many acts that were told as done are delivered again, besides all that are in doubt."""

AT_ONCE: Final = 200
PATIENCE_S: Final = 60
LOOK_EVERY_S: Final = 0.02


async def settle(store: Store, auditor: Auditor, diaries: Diaries, ground: Ground) -> None:
    """Leaves in the auditor's outcome what it finds."""
    outcome = auditor.outcome
    projector = StoreProjector(store)
    await _patiently(projector.drain)
    diaries.read()
    some = ground.chance.sample(sorted(diaries.told), min(len(diaries.told), AGAIN_MAX))
    keys = [*diaries.in_doubt(), *some]
    async with StoreJournal(around(store, ground.plant), SystemClock()) as journal:
        await _deliver(journal, keys, diaries, outcome)
        # By now nothing is in doubt: whoever delivers once more is told the same.
        await _deliver(journal, keys, diaries, outcome)
    await auditor.audit_all()
    await projector.drain()
    report = await audit(store)
    for problem in report.problems:
        outcome.findings.broken[f"audit: {problem.what} {problem.where}"] = problem.detail


async def _deliver(journal: StoreJournal, keys: Sequence[str], diaries: Diaries, outcome: Outcome) -> None:
    for first in range(0, len(keys), AT_ONCE):
        part = keys[first : first + AT_ONCE]
        answers = await asyncio.gather(*(journal.submit(submission_of(key)) for key in part))
        for key, answer in zip(part, answers, strict=True):
            outcome.again += 1
            if is_unwritten(answer):
                outcome.findings.broken[key] = "was put off, and nobody was in its way"
                continue
            number = answer.number or 0
            before = diaries.told.setdefault(key, number)
            if before != number:
                text = f"was told as entry {before}, and delivered again as entry {number}"
                outcome.findings.doubled[key] = text


async def _patiently(work: Callable[[], Awaitable[None]]) -> None:
    """Tries until a server that was killed is back."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await work()
            except (StoreError, DBAPIError, OSError):
                await asyncio.sleep(LOOK_EVERY_S)
            else:
                return
