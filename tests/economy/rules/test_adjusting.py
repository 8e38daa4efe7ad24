"""Corrections by staff: who may, how much, and that nothing is half-done."""

from __future__ import annotations

import msgspec
import pytest

from economy.refusals import Code
from economy.rules.adjusting import ROWS_MAX, UNCAPPED, Action, Adjust, Target
from economy.rules.presence import Leave
from economy.rules.safety import FreezeAll
from economy.values import COINS_MAX, Asset, Coins, Reason, Role
from tests.economy.model import receipt_of
from tests.economy.scene import HELD, MINT, OPERATOR, OWNER, SALES, Scene, asked, person, refused

ADD, REMOVE, SET = Action.ADD, Action.REMOVE, Action.SET


@pytest.fixture
def scene() -> Scene:
    scene = Scene("ana", "bo", "cy", "mo")
    scene.stands("mo", Role.MODERATOR)
    return scene


@pytest.mark.parametrize(
    ("action", "amount", "moved", "after"),
    [
        (ADD, 5, [(MINT, "bo", "bonus", 5)], 15),
        (REMOVE, 4, [("bo", MINT, "bonus", 4)], 6),
        (REMOVE, 10, [("bo", MINT, "bonus", 10)], 0),
        (SET, 25, [(MINT, "bo", "bonus", 15)], 25),
        (SET, 3, [("bo", MINT, "bonus", 7)], 3),
        (SET, 0, [("bo", MINT, "bonus", 10)], 0),
        (SET, 10, [], 10),
    ],
)
def test_free_coins_are_added_removed_and_set(scene, action, amount, moved, after):
    scene.grant("bo", bonus=10)
    answer = scene.adjust("mo", action, ("bo", amount))
    assert scene.moved(answer) == moved
    row = receipt_of(answer).rows[0]
    assert (row.member, row.amount, row.balance, row.moved) == (scene.id("bo"), amount, after, after - 10)
    assert scene.model.entries[answer.number].reason == "a reason"


def test_the_operator_adjusts_bought_coins_and_earnings(scene):
    assert scene.moved(scene.adjust(OPERATOR, ADD, ("bo", 5), asset=Asset.COIN)) == [(SALES, "bo", "coin", 5)]
    assert scene.moved(scene.adjust(OPERATOR, ADD, ("bo", 5), asset=Asset.DIAMOND)) == [
        (SALES, HELD, "coin", 5),
        (MINT, "bo", "diamond", 5),
    ]
    assert scene.moved(scene.adjust(OPERATOR, REMOVE, ("bo", 2), asset=Asset.DIAMOND)) == [
        ("bo", MINT, "diamond", 2),
        (HELD, SALES, "coin", 2),
    ]


@pytest.mark.parametrize(
    ("role", "free", "bought"),
    [
        (Role.OPERATOR, True, True),
        (Role.OWNER, True, False),
        (Role.TREASURER, True, False),
        (Role.MODERATOR, True, False),
        (Role.AUDITOR, False, False),
        (Role.CREATOR, False, False),
    ],
)
def test_who_may_adjust_what(scene, role, free, bought):
    """Fault 108: an owner is no operator."""
    scene.stands("ana", role)
    for asset, allowed in ((Asset.BONUS, free), (Asset.COIN, bought), (Asset.DIAMOND, bought)):
        answer = scene.adjust("ana", ADD, ("bo", 1), asset=asset)
        if allowed:
            assert answer.number
        else:
            rule = "adjust_free" if asset is Asset.BONUS else "adjust_bought"
            refused(answer, Code.NOT_ALLOWED, rule=rule)


def test_a_demoted_moderator_is_refused_at_once(scene):
    """Fault 104."""
    assert scene.adjust("mo", ADD, ("bo", 1)).number
    scene.stands("mo")
    refused(scene.adjust("mo", ADD, ("bo", 1)), Code.NOT_ALLOWED)


def test_a_reason_is_mandatory(scene):
    """Fault 106."""
    refused(scene.adjust("mo", ADD, ("bo", 1), reason=" \u200b"), Code.REASON_REQUIRED)


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.TREASURER])
def test_staff_do_not_adjust_themselves(scene, role):
    """Fault 106."""
    scene.stands("mo", role)
    for action in Action:
        refused(scene.adjust("mo", action, ("mo", 1)), Code.NOT_ALLOWED, rule="adjust_self")
    refused(scene.adjust("mo", ADD, ("bo", 1), ("mo", 1)), Code.NOT_ALLOWED, rule="adjust_self")


@pytest.mark.parametrize("role", UNCAPPED)
def test_owners_and_operators_may_adjust_themselves_and_without_limit(scene, role):
    scene.stands("ana", role)
    assert scene.adjust("ana", ADD, ("ana", 1_000_000)).number


def test_amounts_of_nothing_are_refused_except_to_set(scene):
    """Fault 1."""
    for action in (ADD, REMOVE):
        refused(scene.adjust("mo", action, ("bo", 0)), Code.INVALID_AMOUNT, limit=COINS_MAX)
    assert scene.adjust("mo", SET, ("bo", 0)).number


def test_no_more_is_removed_than_is_there(scene):
    """Fault 29: the floor is respected, whatever came first."""
    scene.grant("bo", bonus=10, coin=100)
    refused(
        scene.adjust("mo", REMOVE, ("bo", 11)),
        Code.INSUFFICIENT_FUNDS,
        rule="remove",
        needed=11,
        available=10,
        member_id=scene.id("bo"),
    )


def test_a_full_wallet_takes_no_more(scene):
    """Fault 7."""
    scene.grant("bo", bonus=COINS_MAX)
    refused(scene.adjust("mo", ADD, ("bo", 1)), Code.LIMIT_EXCEEDED, rule="balance", limit=COINS_MAX)


def test_a_moderator_moves_ten_thousand_a_day_both_ways_together(scene):
    """Fault 106."""
    assert scene.adjust("mo", ADD, ("bo", 6_000)).number
    assert scene.adjust("mo", REMOVE, ("bo", 3_000)).number
    refused(scene.adjust("mo", ADD, ("cy", 1_001)), Code.LIMIT_EXCEEDED, rule="adjusted", limit=10_000, left=1_000)
    assert scene.adjust("mo", SET, ("bo", 4_000)).number
    refused(scene.adjust("mo", ADD, ("cy", 1)), Code.LIMIT_EXCEEDED, rule="adjusted", left=0)
    scene.later(days=1)
    assert scene.adjust("mo", ADD, ("cy", 10_000)).number


def test_the_days_limit_is_one_for_all_rows_and_each_moderators_own(scene):
    scene.stands("ana", Role.MODERATOR)
    rows = (("bo", 5_000), ("cy", 5_001))
    refused(scene.adjust("mo", ADD, *rows), Code.LIMIT_EXCEEDED, rule="adjusted", left=10_000)
    assert scene.adjust("mo", ADD, ("bo", 10_000)).number
    assert scene.adjust("ana", ADD, ("bo", 10_000)).number


def test_the_days_limit_is_a_setting_and_counts_the_communitys_day(scene):
    scene.set("moderator_limit_daily", 10)
    scene.set("time_zone", "Asia/Tokyo")
    assert scene.adjust("mo", ADD, ("bo", 10)).number
    scene.later(hours=2)
    refused(scene.adjust("mo", ADD, ("bo", 1)), Code.LIMIT_EXCEEDED)
    scene.later(hours=1)  # 15:00 in UTC is midnight in Tokyo
    assert scene.adjust("mo", ADD, ("bo", 10)).number


def test_a_batch_beyond_all_coins_is_refused(scene):
    """Fault 6."""
    refused(scene.adjust(OWNER, ADD, ("bo", COINS_MAX), ("cy", 1)), Code.INVALID_AMOUNT, limit=COINS_MAX)
    asked(scene.adjust(OWNER, ADD, ("bo", COINS_MAX - 1), ("cy", 1)))


def test_leavers_are_reached_and_bots_and_strangers_are_not(scene):
    """Fault 10."""
    scene.done(Leave(by=person("bo")))
    assert scene.adjust("mo", ADD, ("bo", 1)).number
    scene.joins("robot", is_bot=True)
    assert "row" not in refused(scene.adjust("mo", ADD, ("robot", 1)), Code.RECIPIENT_IS_BOT).fields
    refused(scene.adjust("mo", ADD, ("cy", 1), ("nobody", 1)), Code.UNKNOWN_MEMBER, name="nobody", row=2)


def test_while_everyone_is_frozen_nothing_is_adjusted(scene):
    scene.done(FreezeAll(by=person(OWNER), reason=Reason("a reason")))
    refused(scene.adjust(OWNER, ADD, ("bo", 1)), Code.FROZEN, rule="everyone")


def test_several_rows_are_shown_before_they_are_carried_out_as_one(scene):
    question = scene.adjust("mo", ADD, ("bo", 5), ("cy", 7))
    assert asked(question) == ("bulk",)
    assert [(row.member, row.balance) for row in question.outcome.about.rows] == [
        (scene.id("bo"), 5),
        (scene.id("cy"), 7),
    ]
    assert scene.moved(scene.press("mo", question)) == [(MINT, "bo", "bonus", 5), (MINT, "cy", "bonus", 7)]


def test_one_bad_row_refuses_them_all(scene):
    """Fault 21."""
    scene.grant("bo", bonus=10)
    refused(scene.adjust("mo", REMOVE, ("bo", 5), ("cy", 1)), Code.INSUFFICIENT_FUNDS, member_id=scene.id("cy"))
    refused(scene.adjust("mo", ADD, ("bo", 5), ("bo", 5)), Code.AMBIGUOUS, rule="twice", row=2)
    assert scene.has("bo") == (0, 10, 0)


def test_everyone_who_holds_a_role_is_adjusted_as_shown(scene):
    for name in ("bo", "cy"):
        scene.appoint(name, Role.CREATOR)
    question = scene.adjust("mo", ADD, role=Role.CREATOR, role_amount=5)
    scene.appoint("ana", Role.CREATOR)
    assert scene.moved(scene.press("mo", question)) == [(MINT, "bo", "bonus", 5), (MINT, "cy", "bonus", 5)]
    refused(scene.adjust("mo", ADD, role=Role.AUDITOR, role_amount=5), Code.UNKNOWN_MEMBER, rule="nobody_in_role")


def test_a_role_is_shown_first_even_if_one_alone_holds_it(scene):
    scene.appoint("bo", Role.CREATOR)
    assert asked(scene.adjust("mo", ADD, role=Role.CREATOR, role_amount=5)) == ("bulk",)


def test_a_demoted_moderator_cannot_press_what_was_shown_to_them(scene):
    """Fault 104."""
    question = scene.adjust("mo", ADD, ("bo", 5), ("cy", 7))
    scene.stands("mo")
    refused(scene.press("mo", question), Code.NOT_ALLOWED)


def test_no_rows_and_too_many_are_refused(scene):
    refused(scene.adjust("mo", ADD), Code.INVALID_ARGUMENT, rule="rows")
    names = [f"p{number}" for number in range(ROWS_MAX + 1)]
    for name in names:
        scene.model.meet(person(name))
    rows = tuple(Target(person(name), Coins(1)) for name in names)
    order = Adjust(by=person("mo"), action=ADD, asset=Asset.BONUS, rows=rows, reason=Reason("import"))
    refused(scene.submit(order), Code.LIMIT_EXCEEDED, rule="rows", limit=ROWS_MAX)
    asked(scene.submit(msgspec.structs.replace(order, rows=rows[1:])))
