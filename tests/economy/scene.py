"""A community to try rules in: people by name, orders as one would say them, a clock that stands still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from economy.books import Order, Question
from economy.ledger import Posting
from economy.refusals import Code, Refusal, Value
from economy.rules.adjusting import Action, Adjust, Target
from economy.rules.chest import TipFromChest
from economy.rules.configuring import Appoint, ChangeSetting, TurnFeature
from economy.rules.creating import BeCreator
from economy.rules.gifting import SendGift
from economy.rules.offers import Press
from economy.rules.presence import Join
from economy.rules.tipping import Receivers, Tip
from economy.rules.undoing import Undo
from economy.service import Answer
from economy.settings import Feature
from economy.values import (
    ALL,
    HALF,
    NO_NOTE,
    AmountWord,
    Asset,
    Coins,
    EntryNumber,
    Identity,
    Note,
    Own,
    Reason,
    Role,
)
from tests.economy.laws import must_be_sound, must_conserve
from tests.economy.model import ModelEconomy

MINT, SALES, HOUSE, HELD, ESCROW = "mint", "sales", "house", "held", "escrow"
OWN_NAMES = {Own.MINT: MINT, Own.SALES: SALES, Own.HOUSE: HOUSE, Own.HELD: HELD, Own.ESCROW: ESCROW}
OPERATOR = "operator"
OWNER = "owner"

Moved = tuple[str, str, str, int]
"""A posting as a test reads it: source, destination, asset, amount."""


def person(name: str) -> Identity:
    return Identity("console", name)


def words(amount: int | str) -> AmountWord:
    """`50`, `all` or `half` as an order holds them."""
    match amount:
        case "all":
            return ALL
        case "half":
            return HALF
        case _:
            return AmountWord.exact(int(amount))


class Scene:
    """`ana`, `bo` and `cy` have joined. Every answer is checked against the laws of money."""

    def __init__(self, *people: str) -> None:
        self.model = ModelEconomy()
        self.now = datetime(2026, 1, 5, 12, tzinfo=UTC)
        self.standing: dict[str, frozenset[Role]] = {
            OPERATOR: frozenset({Role.OPERATOR}),
            OWNER: frozenset({Role.OWNER}),
        }
        self._acts = 0
        for name in people or ("ana", "bo", "cy"):
            self.joins(name)

    # --- setting the scene --------------------------------------------------------------------------------------

    def joins(self, name: str, *roles: Role, is_bot: bool = False) -> None:
        self.model.meet(person(name), is_bot=is_bot)
        self.done(Join(by=person(name)))
        self.stands(name, *roles)

    def stands(self, name: str, *roles: Role) -> None:
        """What the door attests of a person from now on."""
        self.standing[name] = frozenset(roles)

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def set(self, name: str, value: Value) -> None:
        self.done(ChangeSetting(by=person(OWNER), name=name, value=value))

    def turn(self, feature: Feature, *, on: bool) -> None:
        self.done(TurnFeature(by=person(OWNER), feature=feature, on=on))

    def appoint(self, name: str, role: Role) -> None:
        by = OPERATOR if role is Role.OPERATOR else OWNER
        self.done(Appoint(by=person(by), member=person(name), role=role))

    def grant(self, name: str, *, coin: int = 0, bonus: int = 0, diamond: int = 0) -> None:
        for asset, amount in ((Asset.COIN, coin), (Asset.BONUS, bonus), (Asset.DIAMOND, diamond)):
            if amount:
                rows = (Target(person(name), Coins(amount)),)
                order = Adjust(
                    by=person(OPERATOR), action=Action.ADD, asset=asset, rows=rows, reason=Reason("for the scene")
                )
                self.done(order)

    def creator(self, name: str) -> None:
        self.done(BeCreator(by=person(name)))

    # --- acting ---------------------------------------------------------------------------------------------------

    def submit(self, order: Order, key: str = "") -> Answer:
        if not key:
            self._acts += 1
            key = f"test:{self._acts}"
        known = len(self.model.entries)
        answer = self.model.submit(order, key, self.standing.get(order.by.native_id, frozenset()), self.now)
        for entry in list(self.model.entries.values())[known:]:
            must_conserve(entry)
        must_be_sound(self.model)
        return answer

    def done(self, order: Order) -> Answer:
        """Carries out an order that must not be refused or asked about."""
        answer = self.submit(order)
        assert answer.number is not None, answer.outcome
        return answer

    def press(self, name: str, question: Answer, ordinal: int = 0) -> Answer:
        """Presses a button of an answer, as the public face does."""
        nonce = question.offered[ordinal].nonce
        order = Press(by=person(name), nonce=nonce, inner=self.model.offers[nonce].order)
        return self.submit(order, f"offer:{nonce}:{name}")

    def tip(self, sender: str, *to: str, amount: int | str = 10, note: str = "", split: bool = False) -> Answer:
        receivers = Receivers(tuple(person(name) for name in to))
        note_ = Note(note) if note else NO_NOTE
        return self.submit(Tip(by=person(sender), receivers=receivers, amount=words(amount), split=split, note=note_))

    def gift(self, sender: str, to: str, gift: str = "rose", count: int = 1, message: str = "") -> Answer:
        return self.submit(SendGift(by=person(sender), to=person(to), gift=gift, count=count, message=Note(message)))

    def chest(self, actor: str, *to: str, amount: int | str = 10, split: bool = False) -> Answer:
        receivers = Receivers(tuple(person(name) for name in to))
        return self.submit(TipFromChest(by=person(actor), receivers=receivers, amount=words(amount), split=split))

    def adjust(
        self,
        actor: str,
        action: Action,
        *rows: tuple[str, int],
        asset: Asset = Asset.BONUS,
        reason: str = "a reason",
        role: Role | None = None,
        role_amount: int = 0,
    ) -> Answer:
        return self.submit(
            Adjust(
                by=person(actor),
                action=action,
                asset=asset,
                rows=tuple(Target(person(name), Coins(amount)) for name, amount in rows),
                role=role,
                role_amount=Coins(role_amount),
                reason=Reason(reason),
            )
        )

    def undo(self, actor: str, of: Answer | int | None = None, reason: str = "") -> Answer:
        number = of.number if isinstance(of, Answer) else of
        return self.submit(
            Undo(by=person(actor), of=None if number is None else EntryNumber(number), reason=Reason(reason))
        )

    # --- looking ----------------------------------------------------------------------------------------------------

    def has(self, name: str) -> tuple[int, int, int]:
        """coin, bonus and diamond of a member."""
        return self.model.wallet(person(name))

    def house(self) -> tuple[int, int]:
        """coin and bonus of the house."""
        return self.model.balance(Own.HOUSE, Asset.COIN), self.model.balance(Own.HOUSE, Asset.BONUS)

    def id(self, name: str) -> int:
        return self.model.member(person(name)).id

    def moved(self, answer: Answer) -> list[Moved]:
        """The postings of an answer's entry, in order."""
        assert answer.number is not None, answer.outcome
        return [self._read(posting) for posting in self.model.entries[answer.number].postings]

    def text(self, answer: Answer) -> tuple[str, str] | None:
        """Topic and text that an answer's entry keeps beside it."""
        assert answer.number is not None, answer.outcome
        texts = self.model.texts[answer.number]
        return (texts[0].topic, texts[0].text) if texts else None

    def _read(self, posting: Posting) -> Moved:
        return self._name(posting.source), self._name(posting.destination), str(posting.asset), int(posting.amount)

    def _name(self, owner: int) -> str:
        for own, name in OWN_NAMES.items():
            if owner == own:
                return name
        return next(member.name for member in self.model.members.values() if member.id == owner)


def refused(answer: Answer, code: Code, **fields: Value) -> Refusal:
    """The refusal that an answer must be; `fields` must be among its facts."""
    assert isinstance(answer.outcome, Refusal), f"not refused: {answer.outcome}"
    assert answer.number is None
    assert answer.outcome.code is code, answer.outcome
    assert fields.items() <= answer.outcome.fields.items(), answer.outcome
    return answer.outcome


def asked(answer: Answer) -> tuple[str, ...]:
    """Why an answer asks before it acts."""
    assert isinstance(answer.outcome, Question), f"does not ask: {answer.outcome}"
    assert len(answer.offered) == 1
    assert answer.number is None
    return answer.outcome.why
