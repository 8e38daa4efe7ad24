"""No cycle of allowed orders ends with more than it began, however people collude.

A creator, two more members, a moderator and a treasurer play together: they tip, give, undo in full and in part, undo
in bulk and spend the chest. Every state they can reach in a few steps is looked at, and long random games besides.
Nobody grants anything. What members hold can then never rise by more than the chest held, and what is or can become
money can never rise at all. Rules with a bug planted in them are caught.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random
from typing import NamedTuple

import msgspec
import pytest

from economy.books import Books, Decision, Order, Outcome, Question
from economy.ledger import Posting, Undone
from economy.rules.adjusting import Action, Adjust, Target
from economy.rules.chest import TipFromChest
from economy.rules.creating import BeCreator
from economy.rules.gifting import SendGift
from economy.rules.offers import Press
from economy.rules.presence import Join
from economy.rules.tipping import Receivers, Tip
from economy.rules.undoing import UNDOABLE, Undo, UndoSince
from economy.values import AmountWord, Asset, Coins, EntryNumber, Own, Reason, Role
from tests.economy import orders
from tests.economy.laws import money, must_be_sound, must_conserve, worth
from tests.economy.model import ModelEconomy

PLAYERS = ("ana", "bo", "cy")
STANDING = {"mo": frozenset({Role.MODERATOR}), "tia": frozenset({Role.TREASURER}), "olga": frozenset({Role.OPERATOR})}
WHY = Reason("a game")


class Rich(NamedTuple):
    """What there is: held by members and in the chest, and how much of it is or can become money."""

    held: int
    with_chest: int
    money: int


class Rulebook(NamedTuple):
    """The rules that the game is played by. A test may plant its own."""

    tip: type[Tip] = Tip
    gift: type[SendGift] = SendGift
    undo: type[Undo] = Undo


FAIR = Rulebook()
Move = Callable[[ModelEconomy], Order | None]


def rich(model: ModelEconomy) -> Rich:
    held = worth(model)
    house = model.balance(Own.HOUSE, Asset.BONUS) + model.balance(Own.HOUSE, Asset.COIN)
    return Rich(held, held + house, money(model))


def play(model: ModelEconomy, order: Order) -> bool:
    """Carries an order out, and confirms what asks. Whether anything came of it."""
    known = len(model.entries)
    standing = STANDING.get(order.by.native_id, frozenset())
    answer = model.submit(order, f"game:{len(model.answers)}", standing, orders.START)
    if isinstance(answer.outcome, Question):
        nonce = answer.offered[0].nonce
        press = Press(by=order.by, nonce=nonce, inner=model.offers[nonce].order)
        model.submit(press, f"offer:{nonce}", standing, orders.START)
    return len(model.entries) > known


def table(*, coin: int = 3, bonus: int = 1, chest: int = 0) -> ModelEconomy:
    """`ana` has coins of both kinds, `bo` is a creator, and the chest may hold something."""
    model = ModelEconomy()
    for name in (*PLAYERS, *STANDING):
        play(model, Join(by=orders.person(name)))
    play(model, BeCreator(by=orders.person("bo")))
    rows = (("ana", Asset.COIN, coin), ("ana", Asset.BONUS, bonus), ("cy", Asset.BONUS, 2 * chest))
    for name, asset, amount in rows:
        if amount:
            target = (Target(orders.person(name), Coins(amount)),)
            play(model, Adjust(by=orders.person("olga"), action=Action.ADD, asset=asset, rows=target, reason=WHY))
    if chest:
        play(model, SendGift(by=orders.person("cy"), to=orders.person("ana"), gift="rose", count=2 * chest))
    return model


# --- the moves ----------------------------------------------------------------------------------------------------


def moves(rules: Rulebook) -> Iterator[Move]:
    for sender in PLAYERS:
        for receiver in PLAYERS:
            if sender != receiver:
                for amount in (1, 2):
                    yield _tip(rules, sender, receiver, amount)
                    yield _gift(rules, sender, receiver, amount)
        yield _undo_latest(rules, sender)
        yield _undo_since(sender)
        yield _chest(sender)
    for back in (1, 2, 3):
        yield _judge(rules, back)


def _tip(rules: Rulebook, sender: str, receiver: str, amount: int) -> Move:
    to = Receivers((orders.person(receiver),))
    return lambda model: rules.tip(by=orders.person(sender), receivers=to, amount=AmountWord.exact(amount))


def _gift(rules: Rulebook, sender: str, receiver: str, count: int) -> Move:
    to = orders.person(receiver)
    return lambda model: rules.gift(by=orders.person(sender), to=to, gift="rose", count=count)


def _undo_latest(rules: Rulebook, sender: str) -> Move:
    return lambda model: rules.undo(by=orders.person(sender))


def _undo_since(member: str) -> Move:
    since = orders.START - timedelta(days=1)
    return lambda model: UndoSince(by=orders.person("mo"), member=orders.person(member), since=since, reason=WHY)


def _chest(receiver: str) -> Move:
    to = Receivers((orders.person(receiver),))
    return lambda model: TipFromChest(by=orders.person("tia"), receivers=to, amount=AmountWord.exact(1))


def _judge(rules: Rulebook, back: int) -> Move:
    def move(model: ModelEconomy) -> Order | None:
        left = _undoable(model)
        return rules.undo(by=orders.person("mo"), of=left[-back], reason=WHY) if len(left) >= back else None

    return move


def _undoable(model: ModelEconomy) -> list[EntryNumber]:
    """What players did and could undo: the operator's first grants are no move of theirs."""
    return [
        entry.number
        for entry in model.entries.values()
        if entry.kind in UNDOABLE and entry.kind != "coins" and entry.undone_by is None
    ]


# --- the search ---------------------------------------------------------------------------------------------------


class GainError(AssertionError):
    """Somebody found a way to end with more."""


def must_gain_nothing(model: ModelEconomy, before: Rich, began: Rich) -> None:
    """No step makes coins, though one may burn some (where a grant is undone); and no way leads to more money."""
    now = rich(model)
    if now.with_chest > before.with_chest or now.held > began.with_chest:
        raise GainError(f"{before} became {now}")
    if now.money > began.money:
        raise GainError(f"money out of free coins: {began} became {now}")


def search(start: ModelEconomy, rules: Rulebook = FAIR, depth: int = 3) -> int:
    """Looks at every state that `depth` moves reach from `start`. How many there were. Raises GainError."""
    began = rich(start)
    alphabet = list(moves(rules))
    seen = {fingerprint(start)}
    border = [start]
    for _ in range(depth):
        following = []
        for model in border:
            before = rich(model)
            for move in alphabet:
                there = model.fork()
                order = move(there)
                if order is None or not play(there, order):
                    continue
                mark = fingerprint(there)
                if mark not in seen:
                    seen.add(mark)
                    must_gain_nothing(there, before, began)
                    following.append(there)
        border = following
    return len(seen)


def fingerprint(model: ModelEconomy) -> tuple[object, ...]:
    """Two states alike in this are alike in all that can follow."""
    balances = tuple(sorted((*account, balance) for account, balance in model.accounts.items() if balance))
    left = tuple((model.entries[number].actor, model.entries[number].postings) for number in _undoable(model))
    return balances, left


def game(start: ModelEconomy, chance: Random, steps: int, rules: Rulebook = FAIR) -> int:
    """A long random game. How many undos were partial. Raises GainError."""
    began = rich(start)
    alphabet = list(moves(rules))
    for _ in range(steps):
        before = rich(start)
        order = chance.choice(alphabet)(start)
        if order is not None and play(start, order):
            must_gain_nothing(start, before, began)
    undone = [entry.receipt for entry in start.entries.values() if isinstance(entry.receipt, Undone)]
    return sum(any(part.missing for part in receipt.parts) for receipt in undone)


def long_games(rules: Rulebook) -> int:
    """Games of all lengths and purses. How many undos were partial."""
    partial = 0
    for seed in range(24):
        model = table(coin=2 + seed, bonus=2 + seed, chest=1 + seed // 4)
        partial += game(model, Random(seed), 120, rules)
        must_be_sound(model)
        for entry in model.entries.values():
            must_conserve(entry)
    return partial


@pytest.mark.parametrize(("coin", "bonus", "chest", "depth"), [(1, 1, 0, 4), (2, 1, 0, 4), (0, 2, 0, 4), (1, 2, 1, 3)])
def test_nobody_ends_with_more_whatever_they_do_in_a_few_steps(coin, bonus, chest, depth):
    """Fault 102."""
    states = search(table(coin=coin, bonus=bonus, chest=chest), depth=depth)
    assert states > 500, "a search that looks at little shows little"


def test_nobody_ends_with_more_after_a_long_game():
    """Fault 102."""
    assert long_games(FAIR) > 20, "partial undos are where coins would come from"


# --- planted bugs -------------------------------------------------------------------------------------------------


def with_more(decision: Decision, *postings: Posting) -> Decision:
    legs = max((posting.leg for posting in decision.postings), default=0) + 1
    added = tuple(msgspec.structs.replace(posting, leg=legs) for posting in postings)
    return msgspec.structs.replace(decision, postings=(*decision.postings, *added))


class GenerousUndo(Undo, frozen=True, kw_only=True, tag="undo"):
    """Gives the sender back what the receiver had spent as well."""

    def decide(self, books: Books, now) -> Outcome:
        decision = Undo.decide(self, books, now)
        if isinstance(decision, Decision) and isinstance(decision.receipt, Undone):
            part = decision.receipt.parts[0]
            if part.missing:
                return with_more(decision, Posting(Own.MINT, part.actor, Asset.BONUS, part.missing))
        return decision


class AlchemistUndo(Undo, frozen=True, kw_only=True, tag="undo"):
    """Gives back as bought coins what was taken from free ones."""

    def decide(self, books: Books, now) -> Outcome:
        decision = Undo.decide(self, books, now)
        if isinstance(decision, Decision):
            for posting in decision.postings:
                if posting.asset is Asset.BONUS and posting.source > 0 and posting.destination > 0:
                    return with_more(
                        decision,
                        Posting(posting.destination, Own.MINT, Asset.BONUS, posting.amount),
                        Posting(Own.SALES, posting.destination, Asset.COIN, posting.amount),
                    )
        return decision


class RoundingGift(SendGift, frozen=True, kw_only=True, tag="send_gift"):
    """Rounds the house's part up as well."""

    def decide(self, books: Books, now) -> Outcome:
        decision = SendGift.decide(self, books, now)
        if isinstance(decision, Decision) and self.count % 2:
            return with_more(decision, Posting(Own.MINT, Own.HOUSE, Asset.BONUS, Coins(1)))
        return decision


class PayingTip(Tip, frozen=True, kw_only=True, tag="tip"):
    """Lets free coins arrive as bought ones."""

    def decide(self, books: Books, now) -> Outcome:
        decision = Tip.decide(self, books, now)
        if isinstance(decision, Decision):
            to = decision.postings[-1].destination
            return with_more(
                decision, Posting(to, Own.MINT, Asset.BONUS, Coins(1)), Posting(Own.SALES, to, Asset.COIN, Coins(1))
            )
        return decision


PLANTED = {
    "a partial undo that gives back all": Rulebook(undo=GenerousUndo),
    "an undo that turns free coins into bought ones": Rulebook(undo=AlchemistUndo),
    "a share that is rounded up twice": Rulebook(gift=RoundingGift),
    "a tip that arrives as bought coins": Rulebook(tip=PayingTip),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_the_search_finds_a_planted_bug(bug):
    with pytest.raises(GainError):
        search(table(coin=2, bonus=2, chest=1), PLANTED[bug])


@pytest.mark.parametrize("bug", PLANTED)
def test_a_long_game_finds_a_planted_bug(bug):
    with pytest.raises(GainError):
        long_games(PLANTED[bug])
