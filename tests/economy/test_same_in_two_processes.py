"""Two processes on one store come to what one of them could have come to alone, in some order.

Orders go to this process, to another, or to both at the same moment. Of those given at once nobody knows who was
first: an order of them is searched for in which the model answers all of them just as they were answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import datetime
from itertools import cycle
from random import Random
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import settings
from hypothesis.stateful import rule, run_state_machine_as_test

from economy.books import Order
from economy.ledger import Entry
from economy.refusals import Code, refuse
from economy.rules.adjusting import Action, Adjust, Target
from economy.rules.offers import Press
from economy.rules.presence import Join
from economy.rules.tipping import Receivers, Tip
from economy.service import Answer, Submission
from economy.values import ALL, AmountWord, Asset, Coins, EntryNumber, IdempotencyKey, Identity, Reason
from tests.economy import orders
from tests.economy.community import chances
from tests.economy.community_on_store import (
    ROOM,
    CommunityOnStore,
    Fresh,
    as_written,
    fresh_on,
    fresh_sqlite,
    given_code,
    with_code_of,
    with_codes,
)
from tests.economy.model import ModelEconomy
from tests.economy.store.second import SecondProcess


class Given(NamedTuple):
    """An order as the model knows it, and what the store answered."""

    submission: Submission
    found: Answer


Nonces = dict[str, str]
"""What the store calls a button of the model's, and which code it gave for the model's."""


class NoOrderError(AssertionError):
    """No order of what was given at once explains its answers."""


def explain(
    model: ModelEconomy,
    here: Sequence[Given],
    there: Sequence[Given],
    now: datetime,
    nonces: Nonces,
    stored: Sequence[Entry],
) -> tuple[ModelEconomy, Nonces] | None:
    """The model after all of `here` and `there`, each in its own order, mixed so that every answer is the model's.

    So is every entry that the store holds, in this order: `stored` are those after the model's.
    """
    if not here and not there:
        return None if stored else (model, nonces)
    for first, (own, other) in (("here", (here, there)), ("there", (there, here))):
        if not own:
            continue
        following = model.fork()
        submission, found = own[0]
        order = submission.order
        wanted = following.submit(order, submission.key, submission.standing, now)
        known = match(wanted, found, nonces)
        made = [as_written(entry) for entry in list(following.entries.values())[len(model.entries) :]]
        if known is None or made != stored[: len(made)]:
            continue
        left = (own[1:], other) if first == "here" else (other, own[1:])
        if done := explain(following, *left, now, known, stored[len(made) :]):
            return done
    return None


def match(wanted: Answer, found: Answer, nonces: Nonces) -> Nonces | None:
    """The buttons known after an answer, if it is the one that the model gives."""
    if wanted.outcome == refuse(Code.KEY_REUSED):
        return nonces if found.outcome == wanted.outcome else None
    if len(wanted.offered) != len(found.offered):
        return None
    known, offered = dict(nonces), []
    found = with_code_of(found, wanted, known)
    for ours, theirs in zip(wanted.offered, found.offered, strict=True):
        if known.setdefault(ours.nonce, theirs.nonce) != theirs.nonce:
            return None
        offered.append(msgspec.structs.replace(theirs, nonce=ours.nonce))
    return known if msgspec.structs.replace(found, offered=tuple(offered)) == wanted else None


class CommunityInTwoProcesses(CommunityOnStore):
    """The model runs ahead, and is set right by what the store answers."""

    def __init__(self, fresh: Fresh, second: SecondProcess) -> None:
        super().__init__(fresh)
        self._second = second
        self._known: ModelEconomy = self.model.fork()
        """The model as the store has confirmed it."""
        self._nonces: Nonces = {}
        self._turns = cycle(("both", "here", "both", "there"))
        self.turned = 0
        """How often the other order was the right one, or one in between."""

    def close(self) -> None:
        self._second.leave()
        super().close()

    def submit(self, order: Order, key: str = "") -> Answer:
        answer = super().submit(order, key)
        if answer.offered or given_code(answer):
            self.catch_up()  # nobody presses a button, or enters a code, before they have seen it
        return answer

    def press(self, nonce: str, by: Identity) -> Answer:
        order = Press(by=by, nonce=nonce, inner=self.model.offers[nonce].order)
        return self.submit(order, f"offer:{nonce}:{by}")

    def undoable(self) -> list[EntryNumber]:
        """Nobody can name a receipt that they were not given yet."""
        return [number for number in super().undoable() if number in self._known.entries]

    # Which steps hypothesis may draw must not hang on who was first: it would call that inconsistent.

    @rule(chance=chances)
    def a_key_comes_again(self, chance: Random) -> None:
        self.catch_up()  # it counts the entries
        super().a_key_comes_again(chance)

    @rule(chance=chances)
    def staff_undoes(self, chance: Random) -> None:
        if self.undoable():
            super().staff_undoes(chance)

    @rule(chance=chances)
    def a_sender_undoes(self, chance: Random) -> None:
        if self.undoable():
            super().a_sender_undoes(chance)

    @rule(chance=chances)
    def someone_presses(self, chance: Random) -> None:
        if self.model.offers:
            super().someone_presses(chance)

    @rule(chance=chances)
    def someone_enters_a_code(self, chance: Random) -> None:
        if self.model.codes:
            super().someone_enters_a_code(chance)

    @rule(chance=chances)
    def an_order_is_delivered_twice(self, chance: Random) -> None:
        """Most often to both processes at the same moment."""
        order = orders.drawn(chance)
        self.acts += 1
        key = f"twice:{self.acts}"
        self.submit(order, key)
        self.submit(order, key)

    def step(self, chance: Random) -> None:
        if chance.random() < 0.1:
            self.an_order_is_delivered_twice(chance)
        else:
            super().step(chance)

    def catch_up(self) -> None:
        waiting, self._waiting = [submission for submission, _ in self._waiting], []
        self._size = next(self._sizes)
        here, there = self._parted(waiting)
        if there:
            self._second.tell(self.address, self.now, [self._as_stored(each) for each in there])
        answers = self._runner.run(self._together([self._as_stored(each) for each in here]))
        answers_there = self._second.hear() if there else []
        ahead = self.model
        self.settle(list(map(Given, here, answers)), list(map(Given, there, answers_there)))
        self.turned += list(self.model.entries.values()) != list(ahead.entries.values())

    def settle(self, here: Sequence[Given], there: Sequence[Given]) -> None:
        """Sets the model right. Raises NoOrderError where that is not possible."""
        stored = self.stored_after(len(self._known.entries))
        explained = explain(self._known, here, there, self.now, self._nonces, stored)
        if explained is None:
            raise NoOrderError(f"here: {here}\nthere: {there}\nstored: {stored}")
        self.checked = min(self.checked, len(self._known.entries))
        self.model, self._nonces = explained
        self._known = self.model.fork()

    def _parted(self, waiting: Sequence[Submission]) -> tuple[Sequence[Submission], Sequence[Submission]]:
        match next(self._turns):
            case "here":
                return waiting, ()
            case "there":
                return (), waiting
            case _:
                return waiting[::2], waiting[1::2]

    def _as_stored(self, submission: Submission) -> Submission:
        """A copy: what goes to the other process is none of the objects we know either, and must be the same order."""
        submission = with_codes(submission, self._nonces)
        order = submission.order
        if isinstance(order, Press):
            order = msgspec.structs.replace(order, nonce=self._nonces[order.nonce])
        return deepcopy(msgspec.structs.replace(submission, order=order))


SETTINGS = settings(max_examples=10, stateful_step_count=40, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def second() -> Iterator[SecondProcess]:
    with SecondProcess() as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgres"])
def fresh(request: pytest.FixtureRequest) -> Fresh:
    if request.param == "sqlite":
        return fresh_sqlite
    return fresh_on(request.getfixturevalue("databases"))


@pytest.fixture
def community(fresh: Fresh, second: SecondProcess) -> Iterator[CommunityInTwoProcesses]:
    opened = CommunityInTwoProcesses(fresh, second)
    yield opened
    opened.close()


def test_whatever_people_do_in_two_processes_happens_in_some_order(fresh, second):
    """Faults 23, 24, 25 and 35"""

    class OnFresh(CommunityInTwoProcesses):
        def __init__(self) -> None:
            super().__init__(fresh, second)

    run_state_machine_as_test(OnFresh, settings=SETTINGS)


@pytest.mark.parametrize("seed", range(3))
def test_a_long_season_in_two_processes_happens_in_some_order(community, seed):
    """Faults 23, 24, 25 and 35

    Who was first is not the same each time, and neither is what comes of it: a season lasts until all has happened.
    """
    chance = Random(seed)
    community.begin(chance)
    wanted = {"tip", "gift", "undo", "coins", "daily", "connect"}
    kinds: set[str] = set()
    for number in range(2_500):
        community.step(chance)
        kinds = {entry.kind for entry in community.model.entries.values()}
        if number >= 250 and wanted <= kinds:
            break
    community.must_be_the_same()
    assert wanted <= kinds


# --- the search itself ------------------------------------------------------------------------------------------------


def tip(sender: str, amount: int) -> Tip:
    to = Receivers((orders.person("bo"),))
    return Tip(by=orders.person(sender), receivers=to, amount=AmountWord.exact(amount))


def answered(model: ModelEconomy, *given: tuple[str, Order]) -> list[Given]:
    """The orders with the answers that the model gives to them in this order. It goes on from there."""
    return [
        Given(
            Submission(ROOM, IdempotencyKey(key), order),
            model.submit(order, key, orders.standing(order.by), orders.START),
        )
        for key, order in given
    ]


@pytest.fixture
def rich() -> ModelEconomy:
    """Ana has 50 coins."""
    model = ModelEconomy()
    rows, why = (Target(orders.person("ana"), Coins(50)),), Reason("to begin with")
    answered(
        model,
        ("1", Join(by=orders.person("ana"))),
        ("2", Join(by=orders.person("bo"))),
        (
            "3",
            Adjust(by=orders.person("olga"), asset=Asset.BONUS, action=Action.ADD, rows=rows, reason=why),
        ),
    )
    return model


def explained(rich: ModelEconomy, after: ModelEconomy, here: Sequence[Given], there: Sequence[Given]) -> bool:
    stored = [as_written(entry) for entry in list(after.entries.values())[len(rich.entries) :]]
    return explain(rich, here, there, orders.START, {}, stored) is not None


def test_an_order_that_explains_the_answers_is_found_whoever_was_first(rich):
    after = rich.fork()
    first, second, third = answered(after, ("4", tip("ana", 40)), ("5", tip("ana", 40)), ("6", tip("ana", 10)))
    assert explained(rich, after, [first, third], [second])
    assert explained(rich, after, [second], [first, third])
    assert not explained(rich, after, [third, first], [second]), "those of one process keep their order"


def test_coins_that_are_spent_twice_have_no_order(rich):
    one, other = rich.fork(), rich.fork()
    here, there = answered(one, ("4", tip("ana", 40))), answered(other, ("5", tip("ana", 40)))
    assert not explained(rich, one, here, there)


def test_a_key_that_acts_twice_has_no_order(rich):
    one, other = rich.fork(), rich.fork()
    here, there = answered(one, ("4", tip("ana", 10))), answered(other, ("4", tip("ana", 10)))
    assert not explained(rich, one, here, there)


def test_entries_in_another_order_than_their_answers_are_seen(rich):
    after = rich.fork()
    first, second = answered(after, ("4", tip("ana", 20)), ("5", tip("ana", 20)))
    stored = [as_written(entry) for entry in list(after.entries.values())[len(rich.entries) :]]
    assert explain(rich, [first], [second], orders.START, {}, stored) is not None
    assert explain(rich, [first], [second], orders.START, {}, stored[::-1]) is None
    assert explain(rich, [first], [second], orders.START, {}, [*stored, stored[0]]) is None


def test_a_store_that_went_another_way_is_noticed(community):
    chance = Random(1)
    community.begin(chance)
    community.catch_up()
    community.change_store("UPDATE accounts SET balance = 7 WHERE owner = 1 AND asset = 'bonus'")
    everything = Tip(by=orders.person("ana"), receivers=Receivers((orders.person("bo"),)), amount=ALL)
    with pytest.raises(NoOrderError):
        community.submit(everything)  # it asks, and so is told at once
