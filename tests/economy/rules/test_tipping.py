"""Tips: who may, how much, what moves, and when it asks first."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from economy.books import PRESENT, Books, Decision, Member, Outcome
from economy.refusals import Code, Refusal
from economy.rules.presence import Leave
from economy.rules.safety import Block, Freeze, FreezeAll, Scope
from economy.rules.tipping import RECEIVERS_MAX, Receivers, Tip, TipPart, Tipped
from economy.settings import Feature
from economy.values import COINS_MAX, AmountWord, Asset, Coins, Identity, MemberId, Reason, Role
from tests.economy.model import receipt_of
from tests.economy.scene import MINT, OWNER, SALES, Scene, asked, person, refused

WHY = Reason("a reason")


@pytest.fixture
def scene() -> Scene:
    return Scene()


# --- what moves -------------------------------------------------------------------------------------------------


def test_a_tip_of_free_coins_goes_straight_to_the_receiver(scene):
    scene.grant("ana", bonus=100)
    answer = scene.tip("ana", "bo", amount=50, note="well done")
    assert scene.moved(answer) == [("ana", "bo", "bonus", 50)]
    assert receipt_of(answer) == Tipped(
        sender=scene.id("ana"), tips=(TipPart(scene.id("bo"), Coins(50)),), bought=Coins(0)
    )


def test_free_coins_are_spent_before_bought_ones_which_arrive_as_free(scene):
    scene.grant("ana", coin=100, bonus=20)
    question = scene.tip("ana", "bo", amount=50)
    assert asked(question) == ("bought",)
    answer = scene.press("ana", question)
    assert scene.moved(answer) == [
        ("ana", "bo", "bonus", 20),
        ("ana", SALES, "coin", 30),
        (MINT, "bo", "bonus", 30),
    ]
    assert scene.has("ana") == (70, 0, 0)
    assert scene.has("bo") == (0, 50, 0)


def test_of_several_receivers_the_free_coins_are_spent_wholly_before_any_bought_one(scene):
    scene.grant("ana", coin=100, bonus=15)
    answer = scene.press("ana", scene.tip("ana", "bo", "cy", amount=10))
    assert scene.moved(answer) == [
        ("ana", "bo", "bonus", 10),
        ("ana", "cy", "bonus", 5),
        ("ana", SALES, "coin", 5),
        (MINT, "cy", "bonus", 5),
    ]


@pytest.mark.parametrize(
    ("amount", "split", "each", "left"),
    [
        (50, False, 50, 1),
        (50, True, 25, 51),
        (51, True, 25, 51),
        ("half", False, 25, 51),
        ("half", True, 25, 51),
    ],
)
def test_amounts_are_each_or_split_and_the_remainder_stays(scene, amount, split, each, left):
    """Fault 22."""
    scene.grant("ana", bonus=101)
    scene.tip("ana", "bo", "cy", amount=amount, split=split)
    assert scene.has("bo") == scene.has("cy") == (0, each, 0)
    assert scene.has("ana") == (0, left, 0)


def test_all_is_split_and_asks_first(scene):
    scene.grant("ana", bonus=101)
    question = scene.tip("ana", "bo", "cy", amount="all")
    assert asked(question) == ("all",)
    scene.press("ana", question)
    assert scene.has("ana") == (0, 1, 0)
    assert scene.has("bo") == scene.has("cy") == (0, 50, 0)


def test_a_receiver_named_twice_gets_it_once(scene):
    scene.grant("ana", bonus=100)
    scene.tip("ana", "bo", "bo", amount=10)
    assert scene.has("bo") == (0, 10, 0)


@settings(derandomize=True, database=None, deadline=None, max_examples=60)
@given(
    bonus=st.integers(0, 300),
    coin=st.integers(0, 300),
    amount=st.integers(1, 400),
    heads=st.integers(1, 3),
    split=st.booleans(),
)
def test_parts_of_a_tip_come_to_what_left_the_sender(bonus, coin, amount, heads, split):
    """Fault 22."""
    scene = Scene("ana", "bo", "cy", "di")
    scene.grant("ana", bonus=bonus, coin=coin)
    answer = scene.tip("ana", *["bo", "cy", "di"][:heads], amount=amount, split=split)
    each = amount // heads if split else amount
    if answer.offered and answer.offered[0].label == "confirm":
        answer = scene.press("ana", answer)
    if max(each * heads, amount) > bonus + coin or each == 0:
        refused(answer, Code.INSUFFICIENT_FUNDS)
    else:
        assert sum(scene.has("ana")) == bonus + coin - each * heads
        assert scene.has("bo") == (0, each, 0)
        assert scene.has("ana")[1] == max(0, bonus - each * heads), "free coins go first"


def test_the_note_is_kept_beside_the_entry(scene):
    scene.grant("ana", bonus=10)
    assert scene.text(scene.tip("ana", "bo", amount=1, note="well  done\0")) == ("note", "well done")
    assert scene.text(scene.tip("ana", "bo", amount=1)) is None


# --- refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", [False, True])
def test_a_tip_of_nothing_is_refused(scene, split):
    """Fault 1."""
    scene.grant("ana", bonus=10)
    refused(scene.tip("ana", "bo", amount=0, split=split), Code.INVALID_AMOUNT, limit=COINS_MAX)


def test_a_tip_to_self_is_refused(scene):
    """Fault 9."""
    scene.grant("ana", bonus=10)
    refused(scene.tip("ana", "ana"), Code.SELF_TRANSFER)
    refused(scene.tip("ana", "bo", "ana", amount=1), Code.SELF_TRANSFER)
    assert scene.has("bo") == (0, 0, 0)


def test_a_person_with_two_accounts_is_one_member():
    """Fault 9."""
    elsewhere = Identity("telegram", "77")
    books = Books()
    books.add(
        Member(MemberId(1), person("ana"), flags={PRESENT: True}, wallet={Asset.BONUS: 9}), person("ana"), elsewhere
    )
    books.add(Member(MemberId(2), person("bo"), flags={PRESENT: True}), person("bo"), Identity("telegram", "78"))
    now = datetime(2026, 1, 5, tzinfo=UTC)

    def tip(*to: Identity) -> Outcome:
        return Tip(by=person("ana"), receivers=Receivers(to), amount=AmountWord.exact(5)).decide(books, now)

    assert tip(elsewhere) == Refusal(Code.SELF_TRANSFER)
    twice = tip(person("bo"), Identity("telegram", "78"))
    assert isinstance(twice, Decision)
    assert [posting.amount for posting in twice.postings] == [5]


def test_bots_strangers_and_leavers_cannot_be_tipped(scene):
    """Fault 10."""
    scene.grant("ana", bonus=10)
    scene.joins("robot", is_bot=True)
    refused(scene.tip("ana", "robot"), Code.RECIPIENT_IS_BOT, member_id=scene.id("robot"))
    refused(scene.tip("ana", "nobody"), Code.UNKNOWN_MEMBER, name="nobody")
    scene.done(Leave(by=person("bo")))
    refused(scene.tip("ana", "bo"), Code.UNKNOWN_MEMBER, rule="left", name="bo")


def test_a_bot_cannot_tip(scene):
    """Fault 10."""
    scene.joins("robot", is_bot=True)
    scene.grant("ana", bonus=10)
    refused(scene.tip("robot", "ana"), Code.NOT_ALLOWED, rule="bots")


def test_named_receivers_get_it_all_or_none(scene):
    scene.grant("ana", bonus=100)
    refused(scene.tip("ana", "bo", "nobody", amount=10), Code.UNKNOWN_MEMBER)
    assert scene.has("bo") == (0, 0, 0)


def test_one_coin_too_many_is_refused_and_exactly_enough_is_not(scene):
    scene.grant("ana", bonus=10, coin=5)
    refused(scene.tip("ana", "bo", amount=16), Code.INSUFFICIENT_FUNDS, needed=16, available=15)
    refused(scene.tip("ana", "bo", "cy", amount=8), Code.INSUFFICIENT_FUNDS, needed=16, available=15)
    refused(scene.tip("ana", "bo", "cy", amount=16, split=True), Code.INSUFFICIENT_FUNDS, needed=16, available=15)
    asked(scene.tip("ana", "bo", amount=15))


def test_what_is_split_must_be_there_though_the_remainder_stays(scene):
    scene.grant("ana", bonus=16)
    refused(scene.tip("ana", "bo", "cy", amount=17, split=True), Code.INSUFFICIENT_FUNDS, needed=17, available=16)


def test_one_bought_coin_is_enough_to_ask(scene):
    scene.grant("ana", bonus=10, coin=5)
    assert asked(scene.tip("ana", "bo", amount=11)) == ("bought",)


@pytest.mark.parametrize("amount", ["all", "half"])
def test_where_nothing_is_left_to_split_it_is_insufficient_funds(scene, amount):
    refused(scene.tip("ana", "bo", amount=amount), Code.INSUFFICIENT_FUNDS, needed=1, available=0)
    scene.grant("ana", bonus=1)
    refused(scene.tip("ana", "bo", "cy", amount=amount), Code.INSUFFICIENT_FUNDS, rule="split", people=2, available=1)


def test_a_total_beyond_all_coins_is_refused_before_anything_else_is_added_up(scene):
    """Fault 6."""
    scene.grant("ana", bonus=10)
    refused(scene.tip("ana", "bo", "cy", amount=COINS_MAX), Code.INVALID_AMOUNT, limit=COINS_MAX)
    refused(scene.tip("ana", "bo", amount=COINS_MAX), Code.INSUFFICIENT_FUNDS, needed=COINS_MAX)


def test_a_full_wallet_refuses_the_whole_tip_and_the_sender_keeps_the_coins(scene):
    """Fault 7."""
    scene.grant("ana", bonus=10)
    scene.grant("bo", bonus=COINS_MAX - 4)
    refused(scene.tip("ana", "cy", "bo", amount=5), Code.LIMIT_EXCEEDED, rule="balance", member_id=scene.id("bo"))
    assert scene.has("ana") == (0, 10, 0)
    assert scene.has("cy") == (0, 0, 0)
    scene.tip("ana", "cy", "bo", amount=4)
    assert scene.has("bo") == (0, COINS_MAX, 0)


def test_a_tip_names_at_least_one_and_at_most_fifty(scene):
    scene.grant("ana", bonus=100)
    refused(scene.tip("ana", amount=1), Code.INVALID_ARGUMENT, rule="receivers")
    crowd = [f"p{number}" for number in range(RECEIVERS_MAX + 1)]
    for name in crowd:
        scene.joins(name)
    refused(scene.tip("ana", *crowd, amount=1), Code.LIMIT_EXCEEDED, rule="receivers", limit=RECEIVERS_MAX)
    assert scene.tip("ana", *crowd[:-1], amount=1).number


@pytest.mark.parametrize(
    ("who", "scope", "rule"),
    [
        ("ana", Scope.SEND, "send"),
        ("ana", Scope.BOTH, "send"),
        ("ana", Scope.RECEIVE, None),
        ("bo", Scope.RECEIVE, "receive"),
        ("bo", Scope.BOTH, "receive"),
        ("bo", Scope.SEND, None),
    ],
)
def test_who_is_frozen_neither_sends_nor_receives_as_it_says(scene, who, scope, rule):
    """Fault 31."""
    scene.grant("ana", bonus=10)
    scene.done(Freeze(by=person(OWNER), member=person(who), scope=scope, reason=WHY))
    answer = scene.tip("ana", "bo", amount=1)
    if rule is None:
        assert answer.number
    else:
        refused(answer, Code.FROZEN, rule=rule, appeal="a moderator")
    scene.done(Freeze(by=person(OWNER), member=person(who), scope=None, reason=WHY))
    assert scene.tip("ana", "bo", amount=1).number


def test_while_everyone_is_frozen_nobody_tips(scene):
    scene.grant("ana", bonus=10)
    scene.done(FreezeAll(by=person(OWNER), reason=WHY))
    refused(scene.tip("ana", "bo"), Code.FROZEN, rule="everyone")
    scene.done(FreezeAll(by=person(OWNER), frozen=False, reason=WHY))
    assert scene.tip("ana", "bo").number


def test_a_blocked_member_cannot_tip_whoever_blocked_them_but_the_other_way_round(scene):
    scene.grant("ana", bonus=10)
    scene.grant("bo", bonus=10)
    scene.done(Block(by=person("bo"), other=person("ana")))
    refused(scene.tip("ana", "bo"), Code.BLOCKED, member_id=scene.id("bo"))
    assert scene.tip("bo", "ana").number


def test_who_is_in_debt_cannot_tip(scene):
    """Fault 91."""
    scene.model.member(person("ana")).wallet.update({"coin": -5, "bonus": 100})
    order = Tip(by=person("ana"), receivers=Receivers((person("bo"),)), amount=AmountWord.exact(1))
    answer = scene.model.submit(order, "test:debt", frozenset(), scene.now)
    refused(answer, Code.IN_DEBT, owed=5)


def test_with_tipping_off_nobody_tips(scene):
    scene.turn(Feature.TIPPING, on=False)
    refused(scene.tip("ana", "bo"), Code.FEATURE_OFF, feature="tipping")


@pytest.mark.parametrize(("note", "rule"), [("see https://x.example", "links"), ("hey @everyone", "mentions")])
def test_notes_pass_the_communitys_rules(scene, note, rule):
    scene.grant("ana", bonus=10)
    refused(scene.tip("ana", "bo", note=note), Code.TEXT_NOT_ALLOWED, rule=rule)


# --- asking first -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("amount", "asks"), [(999, False), (1_000, True), (1_001, True)])
def test_a_large_tip_asks_first(scene, amount, asks):
    scene.grant("ana", bonus=5_000)
    answer = scene.tip("ana", "bo", amount=amount)
    assert (answer.number is None) is asks
    if asks:
        assert asked(answer) == ("large",)


def test_the_limit_from_which_it_asks_is_a_setting_and_counts_the_total(scene):
    scene.grant("ana", bonus=100)
    scene.set("confirm_from", 20)
    assert scene.tip("ana", "bo", amount=19).number
    asked(scene.tip("ana", "bo", "cy", amount=10))


def test_what_would_be_refused_is_refused_before_it_asks(scene):
    refused(scene.tip("ana", "bo", amount=1_000), Code.INSUFFICIENT_FUNDS)
    scene.grant("ana", coin=2_000)
    refused(scene.tip("ana", "ana", amount=1_000), Code.SELF_TRANSFER)
    scene.grant("bo", bonus=COINS_MAX)
    refused(scene.tip("ana", "bo", amount=1_000), Code.LIMIT_EXCEEDED)


def test_a_confirm_pressed_five_times_pays_once(scene):
    """Fault 25."""
    scene.grant("ana", bonus=5_000)
    question = scene.tip("ana", "bo", amount=1_000)
    answers = [scene.press("ana", question) for _ in range(5)]
    assert len({answer.number for answer in answers}) == 1
    assert [answer.repeated for answer in answers] == [False, True, True, True, True]
    assert scene.has("bo") == (0, 1_000, 0)


def test_a_confirmed_all_is_what_was_shown_whatever_came_in_since(scene):
    scene.grant("ana", bonus=100)
    question = scene.tip("ana", "bo", amount="all")
    scene.grant("ana", bonus=50)
    scene.press("ana", question)
    assert scene.has("bo") == (0, 100, 0)


def test_a_confirm_is_refused_where_the_coins_are_gone(scene):
    scene.grant("ana", bonus=100)
    question = scene.tip("ana", "bo", amount="all")
    scene.tip("ana", "cy", amount=1)
    refused(scene.press("ana", question), Code.INSUFFICIENT_FUNDS, needed=100, available=99)


def test_more_bought_coins_than_agreed_are_asked_for_again(scene):
    scene.grant("ana", bonus=50, coin=50)
    question = scene.tip("ana", "bo", amount=60)
    scene.tip("ana", "cy", amount=20)
    again = scene.press("ana", question)
    assert asked(again) == ("bought",)
    scene.press("ana", again)
    assert scene.has("ana") == (20, 0, 0)


def test_fewer_bought_coins_than_agreed_need_no_second_question(scene):
    scene.grant("ana", bonus=50, coin=50)
    question = scene.tip("ana", "bo", amount=60)
    scene.grant("ana", bonus=5)
    scene.press("ana", question)
    assert scene.has("ana") == (45, 0, 0)


# --- to a role --------------------------------------------------------------------------------------------------


def tip_role(scene: Scene, sender: str, amount: int, *, split: bool = False):
    receivers = Receivers(role=Role.MODERATOR)
    return scene.submit(Tip(by=person(sender), receivers=receivers, amount=AmountWord.exact(amount), split=split))


def test_only_treasurers_and_owners_tip_a_role(scene):
    scene.grant("ana", bonus=100)
    scene.appoint("bo", Role.MODERATOR)
    refused(tip_role(scene, "ana", 10), Code.NOT_ALLOWED, rule="tip_roles", roles="owner,treasurer")
    scene.stands("ana", Role.TREASURER)
    assert asked(tip_role(scene, "ana", 10)) == ("role",)


def test_of_a_role_those_who_cannot_receive_are_skipped_and_listed(scene):
    scene.grant("ana", bonus=100)
    scene.stands("ana", Role.TREASURER)
    for name in ("ana", "bo", "cy"):
        scene.appoint(name, Role.MODERATOR)
    scene.done(Freeze(by=person(OWNER), member=person("cy"), reason=WHY))
    question = tip_role(scene, "ana", 30, split=True)
    about = question.outcome.about
    assert [(part.to, part.amount) for part in about.tips] == [(scene.id("bo"), 30)]
    assert about.skipped == (scene.id("cy"),)
    answer = scene.press("ana", question)
    assert scene.moved(answer) == [("ana", "bo", "bonus", 30)]
    assert receipt_of(answer).role is Role.MODERATOR


def test_a_confirmed_role_tip_skips_who_cannot_receive_any_more_and_adds_nobody(scene):
    scene.grant("ana", bonus=100)
    scene.stands("ana", Role.TREASURER)
    for name in ("bo", "cy"):
        scene.appoint(name, Role.MODERATOR)
    question = tip_role(scene, "ana", 30)
    scene.done(Leave(by=person("cy")))
    scene.joins("di")
    scene.appoint("di", Role.MODERATOR)
    answer = scene.press("ana", question)
    assert scene.moved(answer) == [("ana", "bo", "bonus", 30)]
    assert receipt_of(answer).skipped == (scene.id("cy"),)


def test_a_treasurer_demoted_before_the_press_is_refused(scene):
    """Fault 104."""
    scene.grant("ana", bonus=100)
    scene.stands("ana", Role.TREASURER)
    scene.appoint("bo", Role.MODERATOR)
    question = tip_role(scene, "ana", 30)
    scene.stands("ana")
    refused(scene.press("ana", question), Code.NOT_ALLOWED, rule="tip_roles")


def test_a_role_that_nobody_else_holds_cannot_be_tipped(scene):
    scene.grant("ana", bonus=100)
    scene.stands("ana", Role.TREASURER)
    scene.appoint("ana", Role.MODERATOR)
    refused(tip_role(scene, "ana", 30), Code.UNKNOWN_MEMBER, rule="nobody_in_role", role="moderator")


# --- whoever lacks coins ----------------------------------------------------------------------------------------


def test_whoever_lacks_coins_is_offered_the_daily_claim(scene):
    answer = scene.tip("ana", "bo", amount=20)
    refused(answer, Code.INSUFFICIENT_FUNDS, needed=20, available=0)
    assert [offer.label for offer in answer.offered] == ["daily"]
    assert scene.press("ana", answer).number
    assert scene.has("ana") == (0, 50, 0)
    assert scene.tip("ana", "bo", amount=60).offered == ()
