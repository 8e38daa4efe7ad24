"""A community in which anyone may try anything, one step after the other, for hypothesis to play with."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from economy.books import Order
from economy.ledger import Undone
from economy.refusals import Code, refuse
from economy.rules.adjusting import Action, Adjust, Target
from economy.rules.claiming import Return
from economy.rules.connecting import Connect, Disconnect, EnterCode, Leaving
from economy.rules.creating import BeCreator
from economy.rules.offers import Press
from economy.rules.presence import Join
from economy.rules.undoing import UNDOABLE
from economy.service import Answer
from economy.values import Asset, Coins, EntryNumber, Identity, Reason
from tests.economy import orders
from tests.economy.laws import bought, money, must_be_sound, must_conserve, must_have_no_ghosts, must_reverse
from tests.economy.model import ModelEconomy

# Hypothesis draws the number and drops steps it does not need; what a step does is drawn from that number.
chances = st.integers(0, 2**32 - 1).map(Random)


class Community(RuleBasedStateMachine):
    """A few members with coins of every kind, and staff. The laws of money are checked after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.model = ModelEconomy()
        self.now = orders.START
        self.acts = 0
        self.checked = 0

    def submit(self, order: Order, key: str = "") -> Answer:
        if not key:
            self.acts += 1
            key = f"test:{self.acts}"
        return self.model.submit(order, key, orders.standing(order.by), self.now)

    # --- steps ------------------------------------------------------------------------------------------------

    @initialize(chance=chances)
    def begin(self, chance: Random) -> None:
        for name in (*orders.MEMBERS, *orders.STAFF):
            self.submit(Join(by=orders.person(name)))
        self.submit(BeCreator(by=orders.person("cy")))
        for asset in (Asset.COIN, Asset.BONUS):
            rows = tuple(Target(orders.person(name), Coins(chance.randint(1, 100))) for name in orders.MEMBERS)
            by, why = orders.person("olga"), Reason("to begin with")
            self.submit(Adjust(by=by, action=Action.ADD, asset=asset, rows=rows, reason=why, confirmed=True))

    @rule(chance=chances)
    def someone_moves_coins(self, chance: Random) -> None:
        self.submit(orders.drawn(chance, orders.MOVES))

    @rule(chance=chances)
    def someone_does_anything(self, chance: Random) -> None:
        self.submit(orders.drawn(chance))

    @precondition(lambda self: self.undoable())
    @rule(chance=chances)
    def staff_undoes(self, chance: Random) -> None:
        by = orders.person(chance.choice(("mo", "mo", "owen", "olga", "tia")))
        self.submit(orders.undo(by, chance.choice(self.undoable()[-8:]), orders.reason(chance)))

    @precondition(lambda self: self.undoable())
    @rule(chance=chances)
    def a_sender_undoes(self, chance: Random) -> None:
        entry = self.model.entries[chance.choice(self.undoable()[-4:])]
        by = self.model.members[entry.actor].identity
        self.submit(orders.undo(by, None if chance.random() < 0.5 else entry.number, ""))

    @precondition(lambda self: self.model.waiting)
    @rule(chance=chances)
    def an_hour_comes(self, chance: Random) -> None:
        entry = self.model.entries[chance.choice(list(self.model.waiting))]
        self.submit(Return(by=self.model.members[entry.actor].identity, of=entry.number))

    @precondition(lambda self: self.model.offers)
    @rule(chance=chances)
    def someone_presses(self, chance: Random) -> None:
        nonce = chance.choice(list(self.model.offers)[-3:])
        offered_to = self.model.offers[nonce].order.by
        self.press(nonce, orders.someone(chance) if chance.random() < 0.1 else offered_to)

    @precondition(lambda self: self.model.answers)
    @rule(chance=chances)
    def a_key_comes_again(self, chance: Random) -> None:
        known = len(self.model.entries)
        answer = self.submit(orders.drawn(chance), chance.choice(list(self.model.answers)))
        assert len(self.model.entries) == known
        assert answer.repeated or answer.outcome == refuse(Code.KEY_REUSED)

    @rule(chance=chances)
    def someone_asks_for_a_code(self, chance: Random) -> None:
        self.submit(Connect(by=orders.someone(chance), new=chance.random() < 0.1))

    @precondition(lambda self: self.model.codes)
    @rule(chance=chances)
    def someone_enters_a_code(self, chance: Random) -> None:
        known = [code.code for code in self.model.codes.values()]
        code = "WRONGONE" if chance.random() < 0.2 else chance.choice(known)
        self.submit(EnterCode(by=orders.someone(chance), code=code))

    @rule(chance=chances)
    def someone_leaves_a_person(self, chance: Random) -> None:
        shared = self.model.shared_identities() if chance.random() < 0.9 else ()
        by = chance.choice(shared) if shared else orders.someone(chance)
        self.asks_and_confirms(Disconnect(by=by, who=chance.choice(tuple(Leaving))))

    @rule(chance=chances)
    def two_become_one(self, chance: Random) -> None:
        """All steps of it, where nothing stands in the way."""
        first, second, *_ = orders.crowd(chance)
        if second.native_id == orders.STRANGER:
            return
        self.submit(Connect(by=first, new=True))
        if code := self.model.codes.get(first):
            self.asks_and_confirms(EnterCode(by=second, code=code.code))
            self.asks_and_confirms(Connect(by=first))

    @rule(hours=st.sampled_from((0.01, 0.1, 1, 12, 24, -1)))
    def time_passes(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    def step(self, chance: Random) -> None:
        """Any of the steps, for those who draw all by themselves."""
        draw = chance.random()
        if draw < 0.07:
            chance.choice(
                (
                    self.two_become_one,
                    self.two_become_one,
                    self.someone_asks_for_a_code,
                    self.someone_leaves_a_person,
                    self.someone_leaves_a_person,
                )
            )(chance)
        elif draw < 0.08 and self.model.codes:
            self.someone_enters_a_code(chance)
        elif draw < 0.45:
            self.someone_moves_coins(chance)
        elif draw < 0.65:
            self.someone_does_anything(chance)
        elif draw < 0.75 and self.undoable():
            self.staff_undoes(chance)
        elif draw < 0.82 and self.undoable():
            self.a_sender_undoes(chance)
        elif draw < 0.86 and self.model.waiting:
            self.an_hour_comes(chance)
        elif draw < 0.92 and self.model.offers:
            self.someone_presses(chance)
        elif draw < 0.95:
            self.a_key_comes_again(chance)
        else:
            self.time_passes(chance.choice((0.01, 0.1, 1, 12, 24, -1)))

    # --- helping them -----------------------------------------------------------------------------------------

    def press(self, nonce: str, by: Identity) -> Answer:
        order = Press(by=by, nonce=nonce, inner=self.model.offers[nonce].order)
        return self.submit(order, f"offer:{nonce}:{by}")

    def asks_and_confirms(self, order: Order) -> None:
        """Gives an order that asks first, and presses the button that came of it, if one did."""
        before = len(self.model.offers)
        self.submit(order)
        for nonce in list(self.model.offers)[before:]:
            if self.model.offers[nonce].order.by == order.by:
                self.press(nonce, order.by)
                return

    def undoable(self) -> list[EntryNumber]:
        """Entries that could be undone, corrections and what was undone before being a few of them."""
        return [
            entry.number
            for entry in self.model.entries.values()
            if entry.kind in UNDOABLE
            and (entry.undone_by is None or entry.number % 4 == 0)
            and (entry.kind != "coins" or entry.number % 4 == 1)
        ]

    @invariant()
    def the_laws_hold(self) -> None:
        must_be_sound(self.model)
        must_have_no_ghosts(self.model)
        assert money(self.model) <= bought(self.model), "free coins became money"
        entries = list(self.model.entries.values())
        for entry in entries[self.checked :]:
            must_conserve(entry)
            if isinstance(entry.receipt, Undone):
                must_reverse(self.model, entry)
        self.checked = len(entries)
        assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
        assert len({entry.key for entry in entries}) == len(entries)
