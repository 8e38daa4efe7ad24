"""One of several processes on a database; run by `test_postgres`.

    python -m tests.economy.store.neighbour ADDRESS NUMBER EACH

Submits tips of ana's (who has funds for fewer than there are), tips that cross those of the other processes, and tips
under keys that all processes share, with a projector running; prints what it was told as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress

from economy.service import Answer
from economy.store.journal import StoreJournal
from economy.store.projector import StoreProjector
from tests.economy.store.acting import Acting, StillClock, tip
from tests.support.stores import open_store


async def main(address: str, number: int, each: int) -> dict[str, object]:
    async with await open_store(address) as store, StoreJournal(store, StillClock()) as journal:
        projector = StoreProjector(store)
        journal.on_commit(projector.wake)
        projecting = asyncio.create_task(projector.run())
        acting = Acting(journal, prefix=f"process:{number}")

        async def in_turn(*orders: tuple[str, str, int], key: str = "") -> list[Answer]:
            return [
                await acting.submit(tip(by, to, amount=amount), key=f"{key}:{at}" if key else None)
                for at, (by, to, amount) in enumerate(orders)
            ]

        there, back = ("bo", "cy") if number % 2 else ("cy", "bo")
        spent, crossed, crossed_back, shared = await asyncio.gather(
            in_turn(*[("ana", "dee", 10)] * each),
            in_turn(*[(there, back, 3)] * (each // 2)),
            in_turn(*[(back, there, 2)] * (each // 2)),
            in_turn(*[("bo", "eli", 1)] * each, key="shared"),
        )
        projecting.cancel()
        with suppress(asyncio.CancelledError):
            await projecting
    return {
        "spent": sum(answer.number is not None for answer in spent),
        "crossed": sum(answer.number is not None for answer in (*crossed, *crossed_back)),
        "first": sum(not answer.repeated for answer in shared),
        "shared": [answer.number for answer in shared],
    }


if __name__ == "__main__":
    told = asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
    sys.stdout.write(f"{json.dumps(told)}\n")
