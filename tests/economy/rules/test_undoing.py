"""Undo: by whom, until when, and exactly what comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from economy.ledger import Taken, Undone
from economy.refusals import Code
from economy.rules.adjusting import Action
from economy.rules.earning import ClaimDaily
from economy.rules.safety import Freeze, FreezeAll, Scope
from economy.rules.tipping import Receivers, Tip
from economy.rules.undoing import UNDO_SINCE_MAX, UndoSince
from economy.totals import DIAMONDS
from economy.values import COINS_MAX, AmountWord, Asset, Coins, EntryNumber, Own, Reason, Role
from tests.economy.model import receipt_of
from tests.economy.scene import HELD, HOUSE, MINT, OPERATOR, OWNER, SALES, Scene, asked, person, refused

WHY = Reason("a reason")
START = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def scene() -> Scene:
    """`mo` is a moderator; `ana` has free and bought coins; `cy` is a creator."""
    scene = Scene("ana", "bo", "cy", "mo")
    scene.stands("mo", Role.MODERATOR)
    scene.grant("ana", coin=100, bonus=20)
    scene.creator("cy")
    return scene


def paid_tip(scene: Scene, amount: int):
    """A tip from ana to bo of 20 free coins and the rest bought."""
    return scene.press("ana", scene.tip("ana", "bo", amount=amount))


def taken(answer) -> list[tuple[str, int]]:
    """What each leg took back, as the asset it was given as."""
    return [(str(each.given_as), int(each.amount)) for part in receipt_of(answer).parts for each in part.taken]


# --- by the sender ----------------------------------------------------------------------------------------------


def test_a_sender_takes_back_the_latest_tip_in_full(scene):
    tip = paid_tip(scene, 50)
    undo = scene.undo("ana")
    assert scene.moved(undo) == [
        ("bo", MINT, "bonus", 30),
        (SALES, "ana", "coin", 30),
        ("bo", "ana", "bonus", 20),
    ]
    assert scene.has("ana") == (100, 20, 0)
    assert scene.model.entries[tip.number].undone_by == undo.number


def test_an_undo_tells_what_it_took_from_whom_and_as_what(scene):
    paid_tip(scene, 50)
    receipt = receipt_of(scene.undo("ana"))
    ana, bo = scene.id("ana"), scene.id("bo")
    assert isinstance(receipt, Undone)
    assert receipt.parts[0].taken == (
        Taken(bo, Asset.BONUS, ana, Asset.COIN, Coins(30)),
        Taken(bo, Asset.BONUS, ana, Asset.BONUS, Coins(20)),
    )
    assert (receipt.parts[0].missing, receipt.parts[0].receiver) == (0, 0)


def test_an_owner_is_a_sender_too_and_moderates_by_giving_a_reason(scene):
    scene.stands("ana", Role.OWNER)
    assert scene.undo("ana", scene.tip("ana", "bo", amount=10)).number
    tip = scene.tip("ana", "bo", amount=10)
    scene.tip("bo", "cy", amount=4)
    refused(scene.undo("ana", tip), Code.INSUFFICIENT_FUNDS, rule="undo_spent", missing=4)
    assert taken(scene.undo("ana", tip, "a mistake")) == [("bonus", 6)]


@pytest.mark.parametrize("role", [Role.OWNER, Role.MODERATOR])
def test_staff_who_name_no_receipt_and_no_reason_ask_as_senders(scene, role):
    scene.stands("ana", role)
    tip = scene.tip("ana", "bo", amount=10)
    scene.later(minutes=2)
    refused(scene.undo("ana"), Code.UNDO_WINDOW_OVER, seconds=60)
    if role is Role.OWNER:
        refused(scene.undo("ana", tip), Code.REASON_REQUIRED)
        assert scene.undo("ana", reason="a mistake").number
    else:
        refused(scene.undo("ana", reason="a mistake"), Code.NOT_ALLOWED, rule="undo_self")


def test_the_latest_gift_is_taken_back_from_the_house_too(scene):
    scene.gift("ana", "cy", "rose", 110)
    assert receipt_of(scene.undo("ana")).parts[0].missing == 0
    assert scene.house() == (0, 0)


def test_a_gift_to_a_creator_is_taken_back_from_creator_held_and_house(scene):
    gift = scene.gift("ana", "cy", "rose", 110)
    assert scene.has("cy") == (0, 5, 50)
    day = scene.now.date().toordinal()
    assert scene.model.member(person("cy")).total(DIAMONDS, day) == 50
    undo = scene.undo("ana", gift)
    assert scene.moved(undo) == [
        (HOUSE, "ana", "bonus", 5),
        ("cy", "ana", "bonus", 5),
        (HOUSE, "ana", "coin", 50),
        ("cy", MINT, "diamond", 50),
        (HELD, "ana", "coin", 50),
    ]
    assert scene.has("ana") == (100, 20, 0)
    assert scene.model.member(person("cy")).total(DIAMONDS, day) == 0
    assert receipt_of(undo).parts[0].receiver == scene.id("cy")


@pytest.mark.parametrize(("seconds", "over"), [(0, False), (60, False), (60.001, True), (3_600, True)])
def test_the_window_of_a_sender_is_a_minute(scene, seconds, over):
    tip = scene.tip("ana", "bo", amount=5)
    scene.later(seconds=seconds)
    answer = scene.undo("ana", tip)
    if over:
        refused(answer, Code.UNDO_WINDOW_OVER, seconds=60)
    else:
        assert answer.number


def test_the_window_is_a_setting_and_zero_is_none(scene):
    scene.set("undo_window", 300)
    tip = scene.tip("ana", "bo", amount=5)
    scene.later(seconds=299)
    assert scene.undo("ana", tip).number
    scene.set("undo_window", 0)
    refused(scene.undo("ana", scene.tip("ana", "bo", amount=5)), Code.UNDO_WINDOW_OVER, seconds=0)


def test_a_clock_that_went_back_leaves_the_window_open(scene):
    """Fault 145."""
    tip = scene.tip("ana", "bo", amount=5)
    scene.later(hours=-1)
    assert scene.undo("ana", tip).number


def test_a_sender_takes_back_all_or_nothing(scene):
    """A receiver who spent part keeps the rest from the sender; a moderator may still take it."""
    tip = scene.tip("ana", "bo", amount=10)
    scene.tip("bo", "cy", amount=1)
    refused(scene.undo("ana", tip), Code.INSUFFICIENT_FUNDS, rule="undo_spent", missing=1)
    assert scene.undo("mo", tip, "spam").number
    assert scene.has("ana") == (100, 19, 0)


def test_what_was_wholly_spent_cannot_be_taken_back_by_anyone(scene):
    tip = scene.tip("ana", "bo", amount=10)
    scene.press("bo", scene.tip("bo", "cy", amount="all"))
    refused(scene.undo("ana", tip), Code.INSUFFICIENT_FUNDS, rule="undo_spent", missing=10)
    refused(scene.undo("mo", tip, "spam"), Code.NOTHING_TO_UNDO, rule="spent", missing=10)
    assert scene.model.entries[tip.number].undone_by is None


def test_nothing_is_undone_twice(scene):
    """Fault 92."""
    tip = scene.tip("ana", "bo", amount=10)
    scene.undo("ana", tip)
    refused(scene.undo("ana", tip), Code.ALREADY_UNDONE)
    refused(scene.undo("mo", tip, "spam"), Code.ALREADY_UNDONE)
    refused(scene.undo("ana"), Code.ALREADY_UNDONE)
    assert scene.has("ana") == (100, 20, 0)


def test_an_undo_cannot_be_undone(scene):
    scene.tip("ana", "bo", amount=10)
    undo = scene.undo("ana")
    refused(scene.undo("mo", undo, "oops"), Code.NOTHING_TO_UNDO, rule="kind", kind="undo")
    refused(scene.undo("ana", undo), Code.NOT_ALLOWED, rule="undo_any")


def test_a_sender_undoes_only_what_they_sent(scene):
    tip = scene.tip("ana", "bo", amount=10)
    refused(scene.undo("bo", tip), Code.NOT_ALLOWED, rule="undo_any", roles="operator,owner,moderator")
    grant = scene.adjust(OWNER, Action.ADD, ("bo", 5))
    refused(scene.undo("bo", grant), Code.NOT_ALLOWED)
    refused(scene.undo("bo", scene.done(ClaimDaily(by=person("bo")))), Code.NOT_ALLOWED)


def test_unknown_receipts_and_nothing_sent_are_told_apart(scene):
    refused(scene.undo("ana", 999), Code.UNKNOWN_RECEIPT)
    refused(scene.undo("ana"), Code.NOTHING_TO_UNDO)


def test_the_latest_is_the_last_tip_or_gift_sent_whatever_came_after(scene):
    scene.tip("ana", "bo", amount=1)
    scene.tip("ana", "bo", amount=2)
    scene.done(ClaimDaily(by=person("ana")))
    scene.tip("bo", "ana", amount=1)
    assert taken(scene.undo("ana")) == [("bonus", 2)]


@pytest.mark.parametrize(("scope", "free"), [(Scope.SEND, True), (Scope.RECEIVE, False), (Scope.BOTH, False)])
def test_what_comes_back_to_the_frozen_is_received(scene, scope, free):
    """Fault 31."""
    tip = scene.tip("ana", "bo", amount=10)
    scene.done(Freeze(by=person(OWNER), member=person("ana"), scope=scope, reason=WHY))
    answer = scene.undo("ana", tip)
    if free:
        assert answer.number
    else:
        refused(answer, Code.FROZEN, rule="receive", own=True)
        assert scene.undo("mo", tip, "spam").number


def test_while_everyone_is_frozen_nothing_is_undone(scene):
    tip = scene.tip("ana", "bo", amount=10)
    scene.done(FreezeAll(by=person(OWNER), reason=WHY))
    refused(scene.undo("ana", tip), Code.FROZEN, rule="everyone")
    refused(scene.undo("mo", tip, "spam"), Code.FROZEN, rule="everyone")


def test_a_sender_too_rich_to_take_it_back_is_refused(scene):
    """Fault 7."""
    tip = scene.tip("ana", "bo", amount=10)
    scene.grant("ana", bonus=COINS_MAX - 15)
    refused(scene.undo("ana", tip), Code.LIMIT_EXCEEDED, rule="balance")


# --- by moderators ----------------------------------------------------------------------------------------------


def test_a_moderator_undoes_at_any_time_and_says_why(scene):
    tip = paid_tip(scene, 50)
    scene.later(days=30)
    refused(scene.undo("mo", tip), Code.REASON_REQUIRED)
    undo = scene.undo("mo", tip, "spam")
    assert scene.model.entries[undo.number].reason == "spam"
    assert scene.has("ana") == (100, 20, 0)


@pytest.mark.parametrize(
    ("kept", "back"),
    [
        (50, [("coin", 30), ("bonus", 20)]),
        (49, [("coin", 30), ("bonus", 19)]),
        (30, [("coin", 30)]),
        (10, [("coin", 10)]),
        (1, [("coin", 1)]),
    ],
)
def test_where_part_is_spent_what_was_spent_last_comes_back_first(scene, kept, back):
    """The bought coins of a tip were spent last: each comes back as what it was."""
    tip = paid_tip(scene, 50)
    scene.later(hours=1)
    if kept < 50:
        scene.tip("bo", "cy", amount=50 - kept)
    undo = scene.undo("mo", tip, "spam")
    assert taken(undo) == back
    assert receipt_of(undo).parts[0].missing == 50 - kept
    given = dict(back)
    assert scene.has("ana") == (70 + given["coin"], given.get("bonus", 0), 0)
    refused(scene.undo("mo", tip, "the rest"), Code.ALREADY_UNDONE)


def test_of_a_partly_spent_gift_the_free_part_comes_back_first(scene):
    gift = scene.gift("ana", "bo", "rose", 110)
    assert scene.has("bo") == (0, 55, 0)
    scene.tip("bo", "cy", amount=51)
    undo = scene.undo("mo", gift, "spam")
    assert [(source, to, asset, amount) for source, to, asset, amount in scene.moved(undo)] == [
        (HOUSE, "ana", "bonus", 5),
        ("bo", "ana", "bonus", 4),
        (HOUSE, "ana", "coin", 50),
    ]
    assert receipt_of(undo).parts[0].missing == 51


def test_what_the_chest_has_spent_is_missing(scene):
    scene.grant("bo", bonus=100)
    gift = scene.gift("bo", "ana", "bouquet")
    scene.stands("mo", Role.TREASURER, Role.MODERATOR)
    scene.chest("mo", "cy", amount=30)
    refused(scene.undo("bo", gift), Code.INSUFFICIENT_FUNDS, rule="undo_spent", missing=30)
    undo = scene.undo("mo", gift, "spam")
    assert scene.moved(undo) == [(HOUSE, "bo", "bonus", 20), ("ana", "bo", "bonus", 50)]
    assert receipt_of(undo).parts[0].missing == 30


def test_a_tip_to_several_is_taken_back_from_each_who_still_holds_it(scene):
    tip = scene.tip("ana", "bo", "cy", amount=10)
    scene.tip("bo", "mo", amount=4)
    undo = scene.undo("mo", tip, "spam")
    assert scene.moved(undo) == [("cy", "ana", "bonus", 10), ("bo", "ana", "bonus", 6)]


@pytest.mark.parametrize(
    ("asset", "issued", "burned"),
    [
        (Asset.BONUS, [(MINT, "bo", "bonus", 9)], [("bo", MINT, "bonus", 9)]),
        (Asset.COIN, [(SALES, "bo", "coin", 9)], [("bo", SALES, "coin", 9)]),
        (
            Asset.DIAMOND,
            [(SALES, HELD, "coin", 9), (MINT, "bo", "diamond", 9)],
            [("bo", MINT, "diamond", 9), (HELD, SALES, "coin", 9)],
        ),
    ],
)
def test_grants_and_removals_are_undone_as_what_they_were(scene, asset, issued, burned):
    grant = scene.adjust(OPERATOR, Action.ADD, ("bo", 9), asset=asset)
    assert scene.moved(grant) == issued
    assert scene.moved(scene.undo(OPERATOR, grant, "mistake")) == [
        (to, source, of, amount) for source, to, of, amount in reversed(issued)
    ]
    scene.grant("bo", **{str(asset): 9})
    removal = scene.adjust(OPERATOR, Action.REMOVE, ("bo", 9), asset=asset)
    assert scene.moved(removal) == burned
    undo = scene.undo(OPERATOR, removal, "mistake")
    assert sorted(scene.moved(undo)) == sorted((to, source, of, amount) for source, to, of, amount in burned)
    assert sum(scene.has("bo")) == 9


def test_a_grant_that_was_partly_spent_is_burned_in_part(scene):
    grant = scene.adjust(OWNER, Action.ADD, ("bo", 10))
    scene.tip("bo", "cy", amount=4)
    undo = scene.undo("mo", grant, "mistake")
    assert scene.moved(undo) == [("bo", MINT, "bonus", 6)]
    assert receipt_of(undo).parts[0].missing == 4


def test_daily_claims_and_chest_tips_can_be_undone(scene):
    claim = scene.done(ClaimDaily(by=person("bo")))
    assert scene.moved(scene.undo("mo", claim, "bot farm")) == [("bo", MINT, "bonus", 50)]
    refused(scene.submit(ClaimDaily(by=person("bo"))), Code.ALREADY_CLAIMED)
    scene.gift("ana", "bo", "rose", 120)
    scene.stands("ana", Role.TREASURER)
    tip = scene.chest("ana", "cy", amount=5)
    assert scene.moved(scene.undo("mo", tip, "oops")) == [("cy", HOUSE, "bonus", 5)]


def test_a_batch_is_undone_as_one(scene):
    rows = (("bo", 5), ("cy", 6))
    batch = scene.press(OWNER, scene.adjust(OWNER, Action.ADD, *rows))
    undo = scene.undo("mo", batch, "wrong file")
    assert scene.moved(undo) == [("cy", MINT, "bonus", 6), ("bo", MINT, "bonus", 5)]


def test_a_moderator_gives_themself_nothing_by_an_undo(scene):
    """Fault 106: beyond what every sender may, one's own case is another's to judge."""
    scene.grant("mo", bonus=100)
    removal = scene.adjust(OWNER, Action.REMOVE, ("mo", 50))
    refused(scene.undo("mo", removal, "mine"), Code.NOT_ALLOWED, rule="undo_self", roles="operator,owner")
    tip = scene.tip("mo", "bo", amount=10)
    scene.tip("bo", "cy", amount=1)
    refused(scene.undo("mo", tip, "mine"), Code.INSUFFICIENT_FUNDS, rule="undo_spent")
    scene.later(minutes=2)
    refused(scene.undo("mo", tip, "mine"), Code.NOT_ALLOWED, rule="undo_self")
    assert scene.undo(OWNER, tip, "theirs").number
    assert taken(scene.undo("mo", scene.tip("mo", "bo", amount=10))) == [("bonus", 10)]


def test_bought_coins_and_earnings_that_the_operator_corrected_are_the_operators(scene):
    """Fault 108: neither a moderator's nor an owner's undo grants what only the operator may."""
    scene.grant("bo", coin=50)
    removal = scene.adjust(OPERATOR, Action.REMOVE, ("bo", 50), asset=Asset.COIN)
    for name in ("mo", OWNER):
        refused(scene.undo(name, removal, "give it back"), Code.NOT_ALLOWED, rule="adjust_bought", roles="operator")
    assert scene.undo(OPERATOR, removal, "give it back").number


def test_a_treasurer_undoes_nothing_but_their_own(scene):
    tip = scene.tip("ana", "bo", amount=10)
    scene.stands("bo", Role.TREASURER)
    refused(scene.undo("bo", tip, "mine"), Code.NOT_ALLOWED, rule="undo_any")


@settings(derandomize=True, database=None, deadline=None, max_examples=60)
@given(
    coin=st.integers(0, 40),
    bonus=st.integers(0, 40),
    amount=st.integers(1, 80),
    spent=st.integers(0, 80),
    creator=st.booleans(),
    gift=st.booleans(),
)
def test_an_undo_never_gives_back_more_than_it_took(coin, bonus, amount, spent, creator, gift):
    scene = Scene("ana", "bo", "cy")
    scene.grant("ana", coin=coin, bonus=bonus)
    if creator:
        scene.creator("bo")
    sent = scene.gift("ana", "bo", "rose", amount) if gift else scene.tip("ana", "bo", amount=amount)
    if sent.offered and sent.offered[0].label == "confirm":
        sent = scene.press("ana", sent)
    if sent.number is None:
        return
    if 0 < spent <= sum(scene.has("bo")[:2]):
        scene.tip("bo", "cy", amount=spent)
    before = {name: scene.has(name) for name in ("ana", "bo", "cy")}
    undo = scene.undo(OWNER, sent, "spam")
    if undo.number is None:
        refused(undo, Code.NOTHING_TO_UNDO, rule="spent")
        return
    part = receipt_of(undo).parts[0]
    back = sum(each.amount for each in part.taken)
    assert back + part.missing == amount
    assert sum(scene.has("ana")) == sum(before["ana"]) + back
    assert all(now <= first for now, first in zip(scene.has("ana"), (coin, bonus, 0), strict=True))
    if not part.missing:
        assert scene.has("ana") == (coin, bonus, 0)


# --- since a time -----------------------------------------------------------------------------------------------


def since(scene: Scene, actor: str, member: str, reason: str = "spam", minutes: float = 60):
    begin = scene.now - timedelta(minutes=minutes)
    return scene.submit(UndoSince(by=person(actor), member=person(member), since=begin, reason=Reason(reason)))


def test_all_that_a_member_did_since_a_time_is_one_entry_after_a_dry_run(scene):
    scene.tip("ana", "bo", amount=10)
    scene.later(hours=2)
    first = scene.tip("ana", "bo", amount=5)
    second = scene.tip("bo", "cy", amount=15)
    grant = scene.adjust(OWNER, Action.ADD, ("bo", 7))
    question = since(scene, "mo", "bo")
    assert asked(question) == ("bulk",)
    assert [part.number for part in question.outcome.about.parts] == [grant.number, second.number, first.number]
    assert scene.has("cy") == (0, 15, 0)
    undo = scene.press("mo", question)
    assert scene.moved(undo) == [
        ("bo", MINT, "bonus", 7),
        ("cy", "bo", "bonus", 15),
        ("bo", "ana", "bonus", 5),
    ]
    assert scene.has("bo") == (0, 10, 0)
    assert {scene.model.entries[each.number].undone_by for each in (first, second, grant)} == {undo.number}


def test_what_was_undone_since_it_was_shown_is_left_out_and_what_is_new_as_well(scene):
    scene.later(hours=2)
    first = scene.tip("ana", "bo", amount=5)
    scene.tip("ana", "bo", amount=6)
    question = since(scene, "mo", "ana")
    scene.undo("ana", first)
    scene.tip("ana", "bo", amount=7)
    assert taken(scene.press("mo", question)) == [("bonus", 6)]


@pytest.mark.parametrize(
    ("actor", "member", "reason", "code"),
    [
        ("ana", "bo", "spam", Code.NOT_ALLOWED),
        ("mo", "bo", "", Code.REASON_REQUIRED),
        ("mo", "nobody", "spam", Code.UNKNOWN_MEMBER),
        ("mo", "bo", "spam", Code.NOTHING_TO_UNDO),
    ],
)
def test_who_may_not_says_no_why_or_finds_nothing_is_refused(scene, actor, member, reason, code):
    refused(since(scene, actor, member, reason), code)


def test_undoing_since_a_time_leaves_out_what_the_actor_may_not_judge(scene):
    """Fault 106. Fault 108."""
    scene.grant("mo", bonus=10)
    scene.tip("mo", "bo", amount=10)
    scene.adjust(OPERATOR, Action.ADD, ("bo", 3), asset=Asset.COIN)
    theirs = scene.tip("ana", "bo", amount=5)
    question = since(scene, "mo", "bo")
    assert [part.number for part in question.outcome.about.parts] == [theirs.number]
    refused(since(scene, "mo", "mo"), Code.NOTHING_TO_UNDO)


def test_undoing_a_chain_newest_first_brings_all_back_to_where_it_came_from(scene):
    scene.tip("ana", "bo", amount=20)
    scene.gift("bo", "cy", "rose", 20)
    scene.tip("cy", "mo", amount=10)
    for name in ("cy", "bo"):
        question = since(scene, OWNER, name)
        assert not any(part.missing for part in question.outcome.about.parts), "what is shown is what will be"
        scene.press(OWNER, question)
    assert scene.has("ana") == (100, 20, 0)
    assert [scene.has(name) for name in ("bo", "cy", "mo")] == [(0, 0, 0)] * 3
    assert scene.model.balance(Own.HOUSE, Asset.BONUS) == 0


def test_once_shown_an_undo_since_a_time_looks_up_what_was_shown_alone():
    shown = UndoSince(by=person("mo"), member=person("bo"), since=START, reason=WHY)
    agreed = UndoSince(by=person("mo"), member=person("bo"), since=START, reason=WHY, numbers=(EntryNumber(3),))
    assert (shown.needs().since, shown.needs().receipts) == ((person("bo"), START), ())
    assert (agreed.needs().since, agreed.needs().receipts) == (None, (3,))
    assert shown.needs().chest
    assert agreed.needs().chest


def test_one_order_takes_back_at_most_five_hundred_entries(scene):
    scene.grant("mo", bonus=600)
    scene.later(hours=2)
    for number in range(UNDO_SINCE_MAX):
        tip = Tip(by=person("mo"), receivers=Receivers((person("bo"),)), amount=AmountWord.exact(1))
        scene.model.submit(tip, f"many:{number}", frozenset(), scene.now)
    assert asked(since(scene, OWNER, "bo"))
    scene.undo("mo")
    assert asked(since(scene, OWNER, "bo")), "what was undone does not count"
    scene.tip("mo", "bo", amount=1)
    scene.tip("mo", "bo", amount=1)
    refused(since(scene, OWNER, "bo"), Code.LIMIT_EXCEEDED, rule="undo_since", limit=UNDO_SINCE_MAX)


def test_a_sender_too_rich_to_take_it_all_back_is_refused(scene):
    """Fault 7."""
    scene.later(hours=2)
    scene.tip("ana", "bo", amount=10)
    scene.later(hours=2)
    scene.grant("ana", bonus=COINS_MAX - 15)
    refused(since(scene, OWNER, "bo", minutes=180), Code.LIMIT_EXCEEDED, rule="balance")
