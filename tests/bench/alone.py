"""A process that serves a store as `florin run` does: it starts, answers, works for a while, and tells what that took.

`python -m tests.bench.alone ADDRESS MEMBERS ORDERS`
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from typing import Final

import msgspec

from bot.app import SystemClock, open_florin
from bot.collecting import collect_rarely
from economy.ledger import Receipt
from economy.projections.boards import Board, Period
from economy.rules.tipping import Receivers, Tip
from economy.service import Economy, Sighting, Submission
from economy.values import AmountWord, IdempotencyKey, MemberId
from tests.bench.filling import COMMUNITY, PLACE, person, person_name
from tests.bench.machine import Footprint, memory_mb

AT_ONCE: Final = 64


async def live(address: str, members: int, orders: int) -> None:
    async with open_florin(address, SystemClock()) as florin:
        chance = random.Random(members)
        numbers = iter(range(time.time_ns(), sys.maxsize))
        await _tip(florin.economy, chance, members, next(numbers))
        answered_at, first = time.monotonic(), memory_mb(os.getpid())
        for _ in range(orders // AT_ONCE):
            await asyncio.gather(*(_tip(florin.economy, chance, members, next(numbers)) for _ in range(AT_ONCE)))
        await florin.economy.board(COMMUNITY, Board.BALANCE, Period.ALL, reader=MemberId(members))
        told = Footprint(answered_at, first, memory_mb(os.getpid()))
    sys.stdout.write(msgspec.json.encode(told).decode())


async def _tip(economy: Economy, chance: random.Random, members: int, number: int) -> None:
    sender, receiver = chance.sample(range(1, members + 1), 2)
    order = Tip(by=person(sender), receivers=Receivers((person(receiver),)), amount=AmountWord.exact(1))
    key = IdempotencyKey(f"discord:interaction:{number}")
    seen = Sighting(person(sender), person_name(sender))
    answer = await economy.submit(Submission(PLACE, key, order, frozenset(), (seen,)))
    if not isinstance(answer.outcome, Receipt):
        raise RuntimeError(f"an order of the benchmark was not carried out: {answer.outcome}")


if __name__ == "__main__":
    collect_rarely()
    asyncio.run(live(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
