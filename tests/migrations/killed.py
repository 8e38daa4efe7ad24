"""A migration that is killed before one statement after the other; run by `test_migrations`.

    python -m tests.migrations.killed ADDRESS STEP

A child process brings the new store at ADDRESS up to this release, and dies before its STEPth statement, its 2 STEPth,
and so on, each time on what the one before has left. Prints how often one died; the last of them lived.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys

from sqlalchemy import Engine, event

from economy.store.revision import HEAD
from economy.store.schema import current
from tests.support.stores import open_store, upgrade

KILLED = 9


def killed_at(address: str, point: int) -> bool:
    """Whether the child died there, and left nothing behind."""
    child = os.fork()
    if child == 0:
        seen = 0

        @event.listens_for(Engine, "before_cursor_execute")
        def count(*_execution: object) -> None:
            nonlocal seen
            seen += 1
            if seen > point:
                os._exit(KILLED)

        asyncio.run(upgrade(address))
        os._exit(0)
    died = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED
    found = asyncio.run(revision(address))
    if found != (None if died else HEAD):
        raise AssertionError(f"killed before statement {point}, it left {found}")
    return died


async def revision(address: str) -> str | None:
    async with await open_store(address, any_schema=True) as store:
        return await current(store)


def main(address: str, step: int) -> int:
    deaths = 0
    while killed_at(address, deaths * step):
        deaths += 1
    return deaths


if __name__ == "__main__":
    importlib.import_module("alembic.command")  # once, before any child is made
    sys.stdout.write(f"{main(sys.argv[1], int(sys.argv[2]))}\n")
