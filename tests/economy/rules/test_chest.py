"""The community chest: free coins of the house, for the community alone."""

from __future__ import annotations

import pytest

from economy.refusals import Code
from economy.rules.chest import TipFromChest
from economy.rules.safety import Freeze, FreezeAll, Scope
from economy.rules.tipping import RECEIVERS_MAX, Receivers
from economy.settings import Feature
from economy.values import COINS_MAX, AmountWord, Note, Reason, Role
from tests.economy.model import receipt_of
from tests.economy.scene import HOUSE, OWNER, Scene, asked, person, refused

WHY = Reason("a reason")


@pytest.fixture
def scene() -> Scene:
    """`tia` is a treasurer; the chest has 50 free coins, and the house 50 bought ones that are the operator's."""
    scene = Scene("ana", "bo", "cy", "tia")
    scene.stands("tia", Role.TREASURER)
    scene.grant("ana", bonus=100)
    scene.gift("ana", "bo", "bouquet")
    scene.grant("ana", coin=100)
    scene.gift("ana", "bo", "bouquet")
    assert scene.house() == (50, 50)
    return scene


@pytest.mark.parametrize(
    ("amount", "split", "each", "left"),
    [(10, False, 10, 30), (25, False, 25, 0), (11, True, 5, 40), ("half", False, 12, 26)],
)
def test_free_coins_of_the_house_go_to_members(scene, amount, split, each, left):
    """Fault 22."""
    before = scene.has("bo")[1]
    answer = scene.chest("tia", "bo", "cy", amount=amount, split=split)
    assert scene.moved(answer) == [(HOUSE, "bo", "bonus", each), (HOUSE, "cy", "bonus", each)]
    assert scene.house() == (50, left)
    assert scene.has("bo")[1] == before + each
    assert receipt_of(answer).total == 2 * each


def test_bought_coins_of_the_house_are_not_the_chests(scene):
    refused(scene.chest("tia", "bo", amount=51), Code.INSUFFICIENT_FUNDS, rule="chest", needed=51, available=50)
    assert scene.chest("tia", "bo", amount=50).number


@pytest.mark.parametrize(
    ("amount", "split", "needed"), [(26, False, 52), (51, True, 51), (1, True, 2), (COINS_MAX, True, COINS_MAX)]
)
def test_more_than_is_there_or_less_than_one_each_is_refused(scene, amount, split, needed):
    answer = scene.chest("tia", "bo", "cy", amount=amount, split=split)
    refused(answer, Code.INSUFFICIENT_FUNDS, rule="chest", needed=needed, available=50)


@pytest.mark.parametrize("amount", [0, COINS_MAX])
def test_what_is_no_amount_is_refused(scene, amount):
    """Fault 1. Fault 6."""
    refused(scene.chest("tia", "bo", "cy", amount=amount), Code.INVALID_AMOUNT, limit=COINS_MAX)


def test_all_asks_first_and_leaves_the_remainder(scene):
    question = scene.chest("tia", "bo", "cy", "ana", amount="all")
    assert asked(question) == ("all",)
    assert receipt_of(scene.press("tia", question)).total == 48
    assert scene.house() == (50, 2)


def test_a_large_total_asks_first(scene):
    scene.set("confirm_from", 20)
    assert scene.chest("tia", "bo", amount=19).number
    question = scene.chest("tia", "bo", "cy", amount=10)
    assert asked(question) == ("large",)
    assert scene.press("tia", question).number


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.OPERATOR, Role.AUDITOR])
def test_only_treasurers_and_owners_spend_it(scene, role):
    scene.stands("ana", role)
    refused(scene.chest("ana", "bo"), Code.NOT_ALLOWED, rule="spend_chest", roles="owner,treasurer")
    assert scene.chest(OWNER, "bo").number


def test_a_treasurer_demoted_before_the_press_is_refused(scene):
    """Fault 104."""
    question = scene.chest("tia", "bo", amount="all")
    scene.stands("tia")
    refused(scene.press("tia", question), Code.NOT_ALLOWED)


def test_a_treasurer_does_not_tip_themself_from_it(scene):
    """Fault 9."""
    refused(scene.chest("tia", "bo", "tia"), Code.SELF_TRANSFER)


def test_bots_and_strangers_get_nothing(scene):
    """Fault 10."""
    scene.joins("robot", is_bot=True)
    refused(scene.chest("tia", "robot"), Code.RECIPIENT_IS_BOT)
    refused(scene.chest("tia", "nobody"), Code.UNKNOWN_MEMBER)


def test_the_frozen_neither_spend_it_nor_receive(scene):
    """Fault 31."""
    scene.done(Freeze(by=person(OWNER), member=person("cy"), scope=Scope.RECEIVE, reason=WHY))
    refused(scene.chest("tia", "cy"), Code.FROZEN, rule="receive")
    scene.done(Freeze(by=person(OWNER), member=person("tia"), scope=Scope.SEND, reason=WHY))
    refused(scene.chest("tia", "bo"), Code.FROZEN, rule="staff")
    scene.done(FreezeAll(by=person(OWNER), reason=WHY))
    refused(scene.chest("tia", "bo"), Code.FROZEN, rule="staff")
    scene.done(Freeze(by=person(OWNER), member=person("tia"), scope=None, reason=WHY))
    refused(scene.chest("tia", "bo"), Code.FROZEN, rule="everyone")


def test_a_full_wallet_refuses_it_all(scene):
    """Fault 7."""
    scene.grant("cy", bonus=COINS_MAX)
    refused(scene.chest("tia", "bo", "cy", amount=1), Code.LIMIT_EXCEEDED, rule="balance")


def test_a_tip_from_it_names_at_least_one_and_at_most_fifty(scene):
    refused(scene.chest("tia", amount=1), Code.INVALID_ARGUMENT, rule="receivers")
    crowd = [f"p{number}" for number in range(RECEIVERS_MAX + 1)]
    for name in crowd:
        scene.joins(name)
    refused(scene.chest("tia", *crowd, amount=1), Code.LIMIT_EXCEEDED, rule="receivers", limit=RECEIVERS_MAX)
    assert scene.chest("tia", *crowd[:-1], amount=1).number


def test_with_the_chest_off_nobody_spends_it(scene):
    scene.turn(Feature.CHEST, on=False)
    refused(scene.chest("tia", "bo"), Code.FEATURE_OFF, feature="chest")


def test_its_notes_pass_the_communitys_rules_and_are_kept(scene):
    def noted(note: str) -> TipFromChest:
        receivers = Receivers((person("bo"),))
        return TipFromChest(by=person("tia"), receivers=receivers, amount=AmountWord.exact(1), note=Note(note))

    refused(scene.submit(noted("www.x.example")), Code.TEXT_NOT_ALLOWED)
    assert scene.text(scene.submit(noted("thanks"))) == ("note", "thanks")
