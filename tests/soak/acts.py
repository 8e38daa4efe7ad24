"""What people do in a soak. Every act follows from its key alone, so that whoever holds the key can do it again."""

from __future__ import annotations

import random
from typing import Final

from economy.books import Order
from economy.ledger import Receipt
from economy.rules.adjusting import Action
from economy.rules.creating import BeCreator
from economy.rules.gifting import SendGift
from economy.rules.tipping import Receivers, Tip
from economy.rules.undoing import Undo
from economy.service import Submission
from economy.store.engine import Store
from economy.store.journal import StoreJournal
from economy.values import AmountWord, Asset, IdempotencyKey
from tests.bench.town import SystemClock
from tests.economy.store.acting import NOBODY, ROOM, Acting, adjust, person, sighting

RICH: Final = tuple(f"member{each}" for each in range(16))
POOR: Final = ("pia", "pit")
"""They hold too little for all that they order, and everybody's orders meet at their wallets."""

CREATORS: Final = ("cleo", "cai")
FUNDS: Final = 1_000_000_000

GIFTS: Final = ("rose", "cookie", "melody")


def order_of(key: str) -> Order:
    """Mostly tips and gifts, some of which are refused for want of funds, and undos."""
    chance = random.Random(key)
    which = chance.random()
    if which < 0.1:
        poor = chance.choice(POOR)
        return Tip(by=person(poor), receivers=_to(chance.choice(RICH)), amount=AmountWord.exact(chance.randint(5, 50)))
    sender = chance.choice(RICH)
    if which < 0.3:
        return SendGift(by=person(sender), gift=chance.choice(GIFTS), to=person(chance.choice(CREATORS)))
    if which < 0.34:
        return Undo(by=person(sender), of=None)
    if which < 0.45:
        receivers = chance.sample([each for each in RICH if each != sender], 3)
        return Tip(by=person(sender), receivers=_to(*receivers), amount=AmountWord.exact(3))
    receiver = chance.choice([each for each in (*RICH, *POOR) if each != sender])
    return Tip(by=person(sender), receivers=_to(receiver), amount=AmountWord.exact(chance.randint(1, 20)))


def _to(*names: str) -> Receivers:
    return Receivers(tuple(map(person, names)))


def submission_of(key: str) -> Submission:
    """The act as a door would deliver it, for the first time or again."""
    order = order_of(key)
    named = dict.fromkeys((order.by, *order.needs().people))
    seen = tuple(sighting(identity.native_id) for identity in named)
    return Submission(ROOM, IdempotencyKey(key), order, NOBODY, seen)


async def settle_in(store: Store) -> None:
    """Everybody comes, and gets what they start with."""
    async with StoreJournal(store, SystemClock()) as journal:
        acting = Acting(journal, prefix="soak:start")
        for name in RICH:
            await acting.done(adjust(name, FUNDS))
            await acting.done(adjust(name, FUNDS, Action.ADD, Asset.COIN))
        for name in POOR:
            await acting.done(adjust(name, 50))
        for name in CREATORS:
            answer = await acting.done(BeCreator(by=person(name)))
            assert isinstance(answer.outcome, Receipt)
