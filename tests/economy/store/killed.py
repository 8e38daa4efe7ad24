"""A process that is killed in the midst of a batch, once before every statement; run by `test_journal_kills`.

    python -m tests.economy.store.killed FOLDER

FOLDER holds `before.sqlite`. For n = 0, 1, 2, ... it is copied to `n.sqlite`, and a child process submits three tips
there and dies before its n-th statement, before its COMMIT (`commit.sqlite`), or after it and before it answers
(`answer.sqlite`). Prints how many statements there are.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

from sqlalchemy import event

from economy.store.engine import Store, open_store
from economy.store.journal import StoreJournal
from tests.economy.store.acting import Acting, StillClock, tip

KILLED = 9
TIPS = 3


def die() -> None:
    os._exit(KILLED)


def die_before(store: Store, point: str) -> None:
    seen = 0

    @event.listens_for(store.writer.sync_engine, "before_cursor_execute")
    def count(*_execution: object) -> None:
        nonlocal seen
        if str(seen) == point:
            die()
        seen += 1

    @event.listens_for(store.writer.sync_engine, "commit")
    def commit(_connection: object) -> None:
        if point == "commit":
            die()


async def live(file: Path, point: str) -> None:
    async with await open_store(f"sqlite:///{file}") as store:
        die_before(store, point)
        async with StoreJournal(store, StillClock()) as journal:
            if point == "answer":
                journal.on_commit(lambda _last: die())
            acting = Acting(journal)
            await asyncio.gather(*(acting.submit(tip("ana", "bo"), key=f"act:killed:{each}") for each in range(TIPS)))


def killed_at(folder: Path, point: str) -> bool:
    """Whether the child died there; it forks before there is any thread or loop."""
    file = folder / f"{point}.sqlite"
    shutil.copy(folder / "before.sqlite", file)
    child = os.fork()
    if child == 0:
        asyncio.run(live(file, point))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


def main(folder: Path) -> int:
    points = 0
    while killed_at(folder, str(points)):
        points += 1
    return points if killed_at(folder, "commit") and killed_at(folder, "answer") else -1


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]))}\n")
