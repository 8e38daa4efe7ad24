"""A process that is killed in the midst of a batch, once before every statement; run by `test_journal_kills`.

    python -m tests.economy.store.killed WHERE [STATEMENTS]

WHERE is a folder with `before.sqlite`, or the address of a store on PostgreSQL. For n = 0, 1, 2, ... a child process
submits three tips and dies before its n-th statement, then before its COMMIT (`commit`), and after it and before it
answers (`answer`). A file is copied for each point (`n.sqlite`); a server goes through all of them. Prints how many
statements there are.

With the number of STATEMENTS all die on one store (`again.sqlite`) over the same three tips, as a process does that is
started again whenever it dies, until nothing kills it any more. Prints how often it died.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

from sqlalchemy import event

from economy.store.engine import Store
from economy.store.journal import StoreJournal
from tests.economy.store.acting import Acting, StillClock, tip
from tests.support.stores import open_store

KILLED = 9
TIPS = 3


def key(point: str, each: int) -> str:
    return f"act:killed:{point}:{each}"


def address_of(where: str, point: str) -> str:
    """The store on which a child dies at `point`."""
    return where if "://" in where else f"sqlite:///{where}/{point}.sqlite"


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


async def live(address: str, point: str, name: str) -> None:
    async with await open_store(address) as store:
        die_before(store, point)
        async with StoreJournal(store, StillClock()) as journal:
            if point == "answer":
                journal.on_commit(lambda _last: die())
            acting = Acting(journal)
            await asyncio.gather(*(acting.submit(tip("ana", "bo"), key=key(name, each)) for each in range(TIPS)))


def killed_at(where: str, point: str, name: str = "") -> bool:
    """Whether the child died there; it forks before there is any thread or loop."""
    child = os.fork()
    if child == 0:
        asyncio.run(live(address_of(where, name or point), point, name or point))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


def copy(where: str, name: str) -> None:
    if "://" not in where:
        shutil.copy(Path(where) / "before.sqlite", Path(where) / f"{name}.sqlite")


def killed_on_copy(where: str, point: str) -> bool:
    copy(where, point)
    return killed_at(where, point)


def once_at_each(where: str) -> int:
    points = 0
    while killed_on_copy(where, str(points)):
        points += 1
    return points if killed_on_copy(where, "commit") and killed_on_copy(where, "answer") else -1


def again_and_again(where: str, statements: int) -> int:
    copy(where, "again")
    points = (*map(str, range(statements)), "commit", "answer", "answer", "never")
    return sum(killed_at(where, point, "again") for point in points)


if __name__ == "__main__":
    told, again = sys.argv[1], sys.argv[2:]
    sys.stdout.write(f"{again_and_again(told, int(again[0])) if again else once_at_each(told)}\n")
