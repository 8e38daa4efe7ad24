"""A small community in memory: real rules, real entries, no store."""

from datetime import UTC, datetime, timedelta

from economy.books import CREATOR, PRESENT, Books, Decision, Hint, Member, Order
from economy.ledger import Entry
from economy.refusals import Refusal
from economy.rules.adjusting import Action, Adjust, Target
from economy.rules.configuring import ChangeSetting
from economy.rules.creating import BeCreator
from economy.rules.gifting import SendGift
from economy.rules.presence import Join
from economy.rules.tipping import Receivers, Tip
from economy.rules.undoing import UNDOABLE, Undo
from economy.values import (
    COINS_MAX,
    AmountWord,
    Asset,
    Coins,
    EntryNumber,
    IdempotencyKey,
    Identity,
    MemberId,
    Reason,
    Role,
)

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
"""A Monday at noon."""


def person(name: str) -> Identity:
    return Identity("console", name)


def tip(sender: str, *receivers: str, amount: int = 10) -> Tip:
    people = tuple(person(receiver) for receiver in receivers)
    return Tip(
        by=person(sender),
        receivers=Receivers(people),
        amount=AmountWord.exact(amount),
        confirmed=True,
        agreed_bought=Coins(COINS_MAX),
    )


def gift(sender: str, creator: str, slug: str = "bouquet", price: int = 100, count: int = 1) -> SendGift:
    return SendGift(by=person(sender), to=person(creator), gift=slug, count=count, agreed_price=price)


def undo(number: int, by: str = "mo") -> Undo:
    return Undo(by=person(by), of=EntryNumber(number), reason=Reason("a mistake"))


class Town:
    """Carries orders out as the journal would, and keeps every entry."""

    def __init__(self, *names: str, coin: int = 0, bonus: int = 0, time_zone: str = "UTC") -> None:
        self.books = Books({} if time_zone == "UTC" else {"setting.time_zone": time_zone})
        self.now = START
        self.entries: list[Entry] = []
        for number, name in enumerate(names, start=1):
            wallet = {Asset.COIN: coin, Asset.BONUS: bonus, Asset.DIAMOND: 0}
            member = Member(MemberId(number), person(name), name, wallet=wallet, flags={PRESENT: True, CREATOR: True})
            self.books.add(member)

    @classmethod
    def founded(cls, *names: str, coin: int = 0, bonus: int = 0, time_zone: str = "UTC") -> "Town":
        """A town whose entries tell everything from the start: who joined and became a creator, and every grant."""
        town = cls(*names)
        for name in names:
            town.books.actor(person(name)).flags.clear()
            town.do(Join(by=person(name)))
            town.do(BeCreator(by=person(name)))
        if time_zone != "UTC":
            town.set("time_zone", time_zone)
        for asset, amount in ((Asset.COIN, coin), (Asset.BONUS, bonus)):
            if amount:
                town.grant(asset, amount, *names)
        return town

    def grant(self, asset: Asset, amount: int, *names: str) -> Entry | Refusal:
        """Gives each of `names` as much, by the operator."""
        rows = tuple(Target(person(name), Coins(amount)) for name in names)
        order = Adjust(
            by=rows[0].member, action=Action.ADD, asset=asset, rows=rows, reason=Reason("a grant"), confirmed=True
        )
        return self.do(order, Role.OPERATOR)

    def set(self, name: str, value: str | int | bool | None) -> Entry | Refusal:
        """Changes a setting, by the owner."""
        by = next(iter(self.books.members.values())).identity
        return self.do(ChangeSetting(by=by, name=name, value=value), Role.OWNER)

    def id(self, name: str) -> MemberId:
        return self.books.actor(person(name)).id

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    def do(self, order: Order, *standing: Role) -> Entry | Refusal:
        """The entry that `order` makes. Questions fail: agree beforehand."""
        self.books.standing = frozenset(standing)
        actor = self.books.actor(order.by).id
        outcome = order.decide(self.books, self.now)
        if isinstance(outcome, Hint):
            return outcome.refusal
        if isinstance(outcome, Refusal):
            return outcome
        assert isinstance(outcome, Decision), outcome
        number = EntryNumber(len(self.entries) + 1)
        entry = Entry(
            number=number,
            key=IdempotencyKey(f"test:{number}"),
            kind=order.kind,
            actor=actor,
            reason=outcome.reason,
            at=self.now,
            time_zone=self.books.settings.time_zone,
            postings=outcome.postings,
            facts=outcome.facts,
            receipt=outcome.receipt,
        )
        self.books.apply(entry, outcome.undoes)
        self.books.entries[number] = entry
        self.entries.append(entry)
        if order.kind in ("tip", "gift"):
            self.books.latest[actor] = number
        return entry

    def undoable(self) -> list[EntryNumber]:
        return [
            number for number, entry in self.books.entries.items() if entry.kind in UNDOABLE and entry.undone_by is None
        ]
