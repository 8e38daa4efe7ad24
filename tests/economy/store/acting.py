"""People who act in a place, as a door would tell the journal of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from economy.books import Order
from economy.refusals import Refusal
from economy.rules.adjusting import Action, Adjust, Target
from economy.rules.configuring import Appoint, ChangeSetting
from economy.rules.offers import Press
from economy.rules.tipping import Receivers, Tip
from economy.rules.undoing import Undo
from economy.service import Answer, Submission
from economy.store.journal import StoreJournal
from economy.values import (
    ALL,
    NO_NOTE,
    AmountWord,
    Asset,
    Coins,
    EntryNumber,
    IdempotencyKey,
    Identity,
    Note,
    Place,
    Reason,
    Role,
    Sighting,
)

ROOM = Place("console", "room")
STAFF = frozenset({Role.OWNER, Role.OPERATOR})
NOBODY: frozenset[Role] = frozenset()


class StillClock:
    """Stands still until told otherwise."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 5, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def later(self, **span: float) -> None:
        self._now += timedelta(**span)


def person(name: str) -> Identity:
    return Identity("console", name)


def sighting(name: str, *, present: bool | None = True, is_bot: bool = False) -> Sighting:
    return Sighting(person(name), name, is_bot, present)


def tip(sender: str, *to: str, amount: int | None = 10, note: Note = NO_NOTE) -> Tip:
    """A tip; `amount` None is all."""
    word = ALL if amount is None else AmountWord.exact(amount)
    return Tip(by=person(sender), receivers=Receivers(tuple(map(person, to))), amount=word, note=note)


def adjust(member: str, amount: int, action: Action = Action.ADD, asset: Asset = Asset.BONUS) -> Adjust:
    rows = (Target(person(member), Coins(amount)),)
    return Adjust(by=person("owner"), action=action, asset=asset, rows=rows, reason=Reason("a reason"))


def setting(name: str, value: str | int | bool) -> ChangeSetting:
    return ChangeSetting(by=person("owner"), name=name, value=value)


def appoint(member: str, role: Role) -> Appoint:
    return Appoint(by=person("owner"), member=person(member), role=role)


def refusal_of(answer: Answer | BaseException) -> Refusal:
    assert isinstance(answer, Answer)
    assert isinstance(answer.outcome, Refusal), answer.outcome
    return answer.outcome


def number_of(answer: Answer | BaseException) -> int:
    """The number of the entry that an order became."""
    assert isinstance(answer, Answer)
    assert answer.number is not None, answer.outcome
    return answer.number


class Acting:
    """Submits orders under keys of its own; everyone an order names is seen, and there."""

    def __init__(self, journal: StoreJournal, place: Place = ROOM, prefix: str = "act") -> None:
        self.journal = journal
        self.place = place
        self._prefix = prefix
        self._acts = 0

    def key(self) -> str:
        self._acts += 1
        return f"{self._prefix}:{self._acts}"

    def submission(
        self,
        order: Order,
        key: str | None = None,
        standing: frozenset[Role] | None = None,
        seen: Iterable[Sighting] | None = None,
    ) -> Submission:
        by = order.by.native_id
        if standing is None:
            standing = STAFF if by == "owner" else NOBODY
        if seen is None:
            named = dict.fromkeys((by, *(identity.native_id for identity in order.needs().people)))
            seen = tuple(sighting(name) for name in named)
        return Submission(self.place, IdempotencyKey(key or self.key()), order, standing, tuple(seen))

    async def submit(self, order: Order, key: str | None = None, **more) -> Answer:
        return await self.journal.submit(self.submission(order, key, **more))

    async def done(self, order: Order, **more) -> Answer:
        """Carries out an order that must become an entry."""
        answer = await self.submit(order, **more)
        number_of(answer)
        return answer

    async def together(self, *orders: Order) -> list[Answer]:
        """Submits all at the same moment, so that they share a batch."""
        return await asyncio.gather(*(self.submit(order) for order in orders))

    async def refused(self, order: Order, **more) -> Refusal:
        return refusal_of(await self.submit(order, **more))

    async def grant(self, **amounts: int) -> None:
        for name, amount in amounts.items():
            await self.done(adjust(name, amount))

    async def undo(self, name: str, of: int | None = None, reason: str = "", **more) -> Answer:
        number = None if of is None else EntryNumber(of)
        return await self.submit(Undo(by=person(name), of=number, reason=Reason(reason)), **more)

    async def press(self, name: str, question: Answer, inner: Order, key: str | None = None, **more) -> Answer:
        nonce = question.offered[0].nonce
        order = Press(by=person(name), nonce=nonce, inner=inner)
        return await self.submit(order, key or f"offer:{nonce}:{name}", seen=(sighting(name),), **more)
