"""Tips to somebody not yet seen: they wait in escrow, and end in one of three ways, once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from economy.books import WAITING
from economy.refusals import Code, Refusal
from economy.rules.claiming import CLAIMS_MAX, NAME_LENGTH_MAX, Return, TakeUp, TipsTaken, TipUnseen
from economy.rules.presence import Leave
from economy.rules.safety import Block, Freeze, FreezeAll, Scope
from economy.rules.tipping import Tipped
from economy.rules.undoing import UndoSince
from economy.settings import Feature
from economy.values import COINS_MAX, AmountWord, Asset, Coins, EntryNumber, MemberId, Note, Own, Reason, Role
from tests.economy.model import receipt_of
from tests.economy.scene import ESCROW, MINT, OWNER, SALES, Scene, asked, person, refused, words

ZOE = "console:@zoe"
WHY = Reason("a reason")


@pytest.fixture
def scene() -> Scene:
    """`ana` has 100 free coins, and `bo` 30 free and 40 bought ones; `mo` moderates. Nobody has seen zoe."""
    scene = Scene("ana", "bo", "cy", "mo")
    scene.stands("mo", Role.MODERATOR)
    scene.grant("ana", bonus=100)
    scene.grant("bo", bonus=30, coin=40)
    return scene


def leave(scene: Scene, sender: str, amount: int | str = 10, name: str = ZOE, note: str = "", **more):
    return scene.submit(TipUnseen(by=person(sender), name=name, amount=words(amount), note=Note(note), **more))


def arrive(scene: Scene, name: str = "zoe", *known_as: str):
    if person(name) not in scene.model._identities:
        scene.joins(name)
    return scene.submit(TakeUp(by=person(name), names=known_as or (ZOE,)))


def expire(scene: Scene, claim, by: str = "ana"):
    return scene.submit(Return(by=person(by), of=EntryNumber(claim.number)))


def waits_of(scene: Scene, name: str) -> object:
    return scene.model.member(person(name)).flags.get(WAITING)


def test_it_leaves_the_wallet_waits_and_is_taken_up(scene):
    claim = leave(scene, "ana", 30, note="welcome")
    assert scene.moved(claim) == [("ana", ESCROW, "bonus", 30)]
    assert scene.text(claim) == ("note", "welcome")
    assert (scene.has("ana"), waits_of(scene, "ana")) == ((0, 70, 0), 1)
    taken = arrive(scene)
    assert scene.moved(taken) == [(ESCROW, "ana", "bonus", 30), ("ana", "zoe", "bonus", 30)]
    assert (scene.has("ana"), scene.has("zoe"), waits_of(scene, "ana")) == ((0, 70, 0), (0, 30, 0), None)
    refused(arrive(scene), Code.NOTHING_TO_UNDO, rule="claim_over")


def test_all_that_waits_for_a_name_is_taken_up_at_once_whoever_left_it(scene):
    for sender in ("ana", "cy", "ana"):
        scene.grant(sender, bonus=5)
        leave(scene, sender, 5)
    leave(scene, "ana", 7, name="console:@yan")
    receipt = receipt_of(arrive(scene))
    assert isinstance(receipt, TipsTaken)
    assert receipt.total == 15
    assert [tip.sender for tip in receipt.tips] == [scene.id(name) for name in ("ana", "cy", "ana")]
    assert waits_of(scene, "ana") == 1


def test_bought_coins_wait_as_such_and_arrive_as_free_ones(scene):
    """What is given back is given back as what it was."""
    question = leave(scene, "bo", 50)
    assert asked(question) == ("bought",)
    claim = scene.press("bo", question)
    assert scene.moved(claim) == [("bo", ESCROW, "bonus", 30), ("bo", ESCROW, "coin", 20)]
    taken = arrive(scene)
    assert scene.moved(taken)[2:] == [
        ("bo", "zoe", "bonus", 30),
        ("bo", SALES, "coin", 20),
        (MINT, "zoe", "bonus", 20),
    ]
    assert scene.has("zoe") == (0, 50, 0)


def test_bought_coins_come_back_as_bought_ones(scene):
    scene.press("bo", leave(scene, "bo", 50))
    scene.undo("bo")
    assert scene.has("bo") == (40, 30, 0)


@pytest.mark.parametrize(("amount", "why"), [(1_000, ("large",)), ("all", ("large", "all"))])
def test_what_other_tips_ask_about_this_asks_about(scene, amount, why):
    scene.grant("ana", bonus=1_900)
    assert asked(leave(scene, "ana", amount)) == why


def test_pressed_five_times_it_waits_once(scene):
    """Fault 25."""
    question = leave(scene, "ana", "all")
    answers = [scene.press("ana", question) for _ in range(5)]
    assert len({answer.number for answer in answers}) == 1
    assert waits_of(scene, "ana") == 1


@pytest.mark.parametrize("days", [1, 7, 30])
def test_it_goes_back_at_its_hour_and_no_earlier(scene, days):
    scene.set("claim_days", days)
    claim = leave(scene, "ana", 30)
    scene.set("claim_days", None)
    scene.later(days=days, seconds=-1)
    refused(expire(scene, claim), Code.NOT_ALLOWED, rule="waits")
    scene.later(seconds=1)
    back = expire(scene, claim)
    assert scene.moved(back) == [(ESCROW, "ana", "bonus", 30)]
    assert waits_of(scene, "ana") is None
    refused(expire(scene, claim), Code.NOTHING_TO_UNDO, rule="claim_over")


def test_at_its_hour_nobody_takes_it_up_any_more(scene):
    leave(scene, "ana", 30)
    scene.later(days=7)
    refused(arrive(scene), Code.NOTHING_TO_UNDO, rule="claim_over")


def test_what_was_taken_up_does_not_go_back(scene):
    claim = leave(scene, "ana", 30)
    arrive(scene)
    scene.later(days=8)
    refused(expire(scene, claim), Code.NOTHING_TO_UNDO, rule="claim_over")
    refused(scene.undo("ana", claim), Code.NOTHING_TO_UNDO, rule="claim_over")


def test_its_sender_takes_it_back_as_long_as_it_waits(scene):
    claim = leave(scene, "ana", 30)
    scene.later(days=3)
    assert scene.moved(scene.undo("ana", claim)) == [(ESCROW, "ana", "bonus", 30)]
    refused(arrive(scene), Code.NOTHING_TO_UNDO, rule="claim_over")
    refused(scene.undo("ana", claim), Code.NOTHING_TO_UNDO, rule="claim_over")


def test_nobody_but_staff_takes_back_what_anothers_waits(scene):
    claim = leave(scene, "ana", 30)
    refused(scene.undo("bo", claim), Code.NOT_ALLOWED, rule="undo_any")
    refused(scene.undo("mo", claim), Code.REASON_REQUIRED)
    assert scene.undo("mo", claim, "spam").number is not None
    assert scene.has("ana") == (0, 100, 0)


def test_what_was_taken_up_a_moderator_gives_back_to_its_sender_not_to_escrow(scene):
    leave(scene, "ana", 30)
    taken = arrive(scene)
    scene.tip("zoe", "cy", amount=10)
    scene.undo("mo", taken, "not that zoe")
    assert (scene.has("ana"), scene.has("zoe")) == ((0, 90, 0), (0, 0, 0))


def test_a_bulk_undo_takes_back_what_waits_and_what_was_taken_up(scene):
    scene.later(hours=1)
    since = scene.now
    leave(scene, "ana", 30)
    arrive(scene)
    leave(scene, "ana", 20, name="console:@yan")
    leave(scene, "ana", 5, name="console:@yan")
    question = scene.submit(UndoSince(by=person("mo"), member=person("ana"), since=since, reason=WHY))
    scene.press("mo", question)
    assert (scene.has("ana"), scene.has("zoe"), waits_of(scene, "ana")) == ((0, 100, 0), (0, 0, 0), None)


# --- who may, and who may not -----------------------------------------------------------------------------------------


def test_whoever_left_it_and_is_gone_is_still_paid_for_and_paid_back(scene):
    """Fault 82: what left the wallet was given; what comes back is theirs."""
    leave(scene, "ana", 30)
    later = leave(scene, "ana", 20, name="console:@yan")
    scene.done(Leave(by=person("ana")))
    assert receipt_of(arrive(scene)).total == 30
    scene.later(days=7)
    expire(scene, later)
    assert scene.has("ana") == (0, 70, 0)
    assert not scene.model.member(person("ana")).is_present


@pytest.mark.parametrize("scope", [Scope.SEND, Scope.BOTH])
def test_of_whom_may_not_send_nothing_is_paid_out_meanwhile(scene, scope):
    """Fault 31."""
    leave(scene, "ana", 30)
    scene.done(Freeze(by=person("mo"), member=person("ana"), scope=scope, reason=WHY))
    refused(arrive(scene), Code.NOTHING_TO_UNDO)
    scene.done(Freeze(by=person("mo"), member=person("ana"), scope=None, reason=WHY))
    assert receipt_of(arrive(scene)).total == 30


def test_also_to_whom_may_not_receive_their_own_goes_back_at_its_hour(scene):
    claim = leave(scene, "ana", 30)
    scene.done(Freeze(by=person("mo"), member=person("ana"), scope=Scope.BOTH, reason=WHY))
    scene.later(days=7)
    expire(scene, claim)
    assert scene.has("ana") == (0, 100, 0)


def test_while_everyone_is_frozen_nothing_is_taken_up_or_goes_back(scene):
    claim = leave(scene, "ana", 30)
    scene.done(FreezeAll(by=person(OWNER), reason=WHY))
    refused(arrive(scene), Code.FROZEN, rule="everyone")
    scene.later(days=7)
    refused(expire(scene, claim), Code.FROZEN, rule="everyone")
    scene.done(FreezeAll(by=person(OWNER), frozen=False, reason=WHY))
    expire(scene, claim)
    assert scene.has("ana") == (0, 100, 0)


def test_whoever_cannot_receive_gets_it_once_they_can(scene):
    leave(scene, "ana", 30)
    scene.joins("zoe")
    scene.done(Freeze(by=person("mo"), member=person("zoe"), scope=Scope.RECEIVE, reason=WHY))
    refused(arrive(scene), Code.FROZEN, rule="receive", own=True)
    scene.done(Freeze(by=person("mo"), member=person("zoe"), scope=None, reason=WHY))
    assert receipt_of(arrive(scene)).total == 30


def test_what_somebody_left_whom_they_block_stays_and_goes_back(scene):
    leave(scene, "ana", 30)
    scene.grant("cy", bonus=5)
    leave(scene, "cy", 5)
    scene.joins("zoe")
    scene.done(Block(by=person("zoe"), other=person("ana")))
    assert receipt_of(arrive(scene)).total == 5
    assert waits_of(scene, "ana") == 1


def test_nobody_takes_up_their_own(scene):
    """Fault 9."""
    leave(scene, "ana", 30)
    refused(arrive(scene, "ana"), Code.NOTHING_TO_UNDO)


def test_bots_take_up_nothing(scene):
    """Fault 10."""
    leave(scene, "ana", 30)
    scene.joins("robo", is_bot=True)
    refused(arrive(scene, "robo"), Code.RECIPIENT_IS_BOT)


def test_whoever_is_not_there_takes_up_nothing(scene):
    leave(scene, "ana", 30)
    scene.joins("zoe")
    scene.done(Leave(by=person("zoe")))
    refused(arrive(scene), Code.NOT_ALLOWED, rule="absent")


def test_to_come_is_no_order_of_ones_own_so_the_welcome_grant_waits_for_one(scene):
    scene.set("welcome_grant", 25)
    leave(scene, "ana", 30)
    arrive(scene)
    assert scene.has("zoe") == (0, 30, 0)


def test_a_full_wallet_takes_up_nothing(scene):
    """Fault 7."""
    leave(scene, "ana", 30)
    scene.joins("zoe")
    scene.grant("zoe", bonus=COINS_MAX - 29)
    refused(arrive(scene), Code.LIMIT_EXCEEDED, rule="balance")
    assert waits_of(scene, "ana") == 1


# --- limits -----------------------------------------------------------------------------------------------------------


def test_so_many_of_one_sender_wait_and_no_more(scene):
    for number in range(CLAIMS_MAX):
        leave(scene, "ana", 1, name=f"console:@n{number}")
    refused(leave(scene, "ana", 1), Code.LIMIT_EXCEEDED, rule="claims", limit=CLAIMS_MAX)
    scene.undo("ana")
    assert leave(scene, "ana", 1).number is not None


@pytest.mark.parametrize("amount", [0, COINS_MAX + 1])
def test_amounts_are_as_everywhere(scene, amount):
    """Faults 1 and 5."""
    if amount > COINS_MAX:
        with pytest.raises(ValueError, match="coins go from 0"):
            words(amount)
        return
    refused(leave(scene, "ana", amount), Code.INVALID_AMOUNT)


def test_what_is_not_there_cannot_wait(scene):
    refused(leave(scene, "ana", 101), Code.INSUFFICIENT_FUNDS, needed=101, available=100)
    refused(leave(scene, "cy", "half"), Code.INSUFFICIENT_FUNDS)


@pytest.mark.parametrize("name", ["", "x" * (NAME_LENGTH_MAX + 1), "console:@zoë", "console:@z\n"])
def test_names_are_as_doors_make_them(scene, name):
    refused(leave(scene, "ana", 10, name=name), Code.UNKNOWN_MEMBER)


@pytest.mark.parametrize("feature", [Feature.TIPPING, Feature.CLAIMS])
def test_where_it_is_turned_off_nothing_waits(scene, feature):
    scene.turn(feature, on=False)
    refused(leave(scene, "ana"), Code.FEATURE_OFF, feature=str(feature))


def test_only_its_sender_is_given_it_back(scene):
    claim = leave(scene, "ana", 30)
    scene.later(days=7)
    refused(expire(scene, claim, by="bo"), Code.NOT_ALLOWED, rule="waits")


def test_only_what_waits_goes_back(scene):
    tipped = scene.tip("ana", "bo")
    assert isinstance(tipped.outcome, Tipped)
    scene.later(days=8)
    refused(expire(scene, tipped), Code.NOTHING_TO_UNDO)


@given(
    free=st.integers(0, 60),
    bought=st.integers(0, 60),
    amount=st.integers(1, 120),
    end=st.sampled_from(("taken", "undone", "expired")),
)
def test_however_it_ends_no_coin_is_made_or_lost(free, bought, amount, end):
    """Fault 22. The scene checks the laws after each step, escrow among them."""
    scene = Scene("ana", "zoe")
    scene.grant("ana", bonus=free, coin=bought)
    order = TipUnseen(
        by=person("ana"), name=ZOE, amount=AmountWord.exact(amount), confirmed=True, agreed_bought=Coins(COINS_MAX)
    )
    claim = scene.submit(order)
    if amount > free + bought:
        assert isinstance(claim.outcome, Refusal)
        return
    match end:
        case "taken":
            arrive(scene)
            assert scene.has("zoe") == (0, amount, 0)
        case "undone":
            scene.undo("ana", claim)
            assert scene.has("ana") == (bought, free, 0)
        case _:
            scene.later(days=7)
            expire(scene, claim)
            assert scene.has("ana") == (bought, free, 0)
    assert scene.model.balance(Own.ESCROW, Asset.BONUS) == scene.model.balance(Own.ESCROW, Asset.COIN) == 0
    assert MemberId(0) not in scene.model.members
