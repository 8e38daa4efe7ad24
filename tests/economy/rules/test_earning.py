"""What members earn: the daily claim, once a local day, and the welcome grant, once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from economy.refusals import Code
from economy.rules.earning import ClaimDaily, DailyClaimed, Welcome
from economy.rules.presence import Hide, Join, Leave
from economy.rules.safety import Freeze, FreezeAll, Scope
from economy.settings import Feature
from economy.totals import EARNED
from economy.values import COINS_MAX, Coins, Reason
from tests.economy.model import receipt_of
from tests.economy.scene import MINT, OWNER, Scene, person, refused

WHY = Reason("a reason")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def claim(scene: Scene, name: str = "ana"):
    return scene.submit(ClaimDaily(by=person(name)))


# --- daily ------------------------------------------------------------------------------------------------------


def test_the_daily_claim_gives_fifty_free_coins(scene):
    answer = claim(scene)
    assert scene.moved(answer) == [(MINT, "ana", "bonus", 50)]
    assert receipt_of(answer) == DailyClaimed(
        member=scene.id("ana"),
        amount=Coins(50),
        bonus=Coins(0),
        streak=1,
        next_at=datetime(2026, 1, 6, tzinfo=UTC),
    )


def test_it_is_claimed_once_a_day_until_midnight(scene):
    claim(scene)
    scene.later(hours=11, minutes=59)
    refused(claim(scene), Code.ALREADY_CLAIMED, next_at="2026-01-06T00:00:00+00:00")
    scene.later(minutes=1)
    assert claim(scene).number


def test_the_day_is_the_communitys(scene):
    scene.set("time_zone", "Asia/Tokyo")
    claim(scene)
    scene.later(hours=2, minutes=59)
    refused(claim(scene), Code.ALREADY_CLAIMED)
    scene.later(minutes=1)
    assert claim(scene).number


def test_a_clock_that_goes_back_gives_no_second_claim(scene):
    """Fault 145."""
    claim(scene)
    scene.later(days=-1)
    refused(claim(scene), Code.ALREADY_CLAIMED, next_at="2026-01-06T00:00:00+00:00")
    scene.later(days=1, hours=1)
    refused(claim(scene), Code.ALREADY_CLAIMED)
    scene.later(hours=11)
    assert receipt_of(claim(scene)).streak == 2


def test_a_streak_counts_days_in_a_row_and_adds_its_bonus(scene):
    scene.set("daily_streak_bonus", 10)
    amounts = []
    for _ in range(3):
        receipt = receipt_of(claim(scene))
        amounts.append((int(receipt.amount), int(receipt.bonus), receipt.streak))
        scene.later(days=1)
    assert amounts == [(50, 0, 1), (60, 10, 2), (70, 20, 3)]
    scene.later(days=1)
    assert receipt_of(claim(scene)).streak == 1


def test_what_can_be_earned_in_a_day_is_capped(scene):
    scene.set("earn_limit_daily", 55)
    scene.set("daily_streak_bonus", 10)
    claim(scene)
    scene.later(days=1)
    receipt = receipt_of(claim(scene))
    assert (receipt.amount, receipt.bonus) == (55, 5)
    scene.set("earn_limit_daily", 0)
    scene.later(days=1)
    refused(claim(scene), Code.LIMIT_EXCEEDED, rule="earned", limit=0)
    assert scene.tip("ana", "bo", amount=1_000).offered == (), "what would be refused is not offered"


@pytest.mark.parametrize(("earned", "left"), [(450, 50), (480, 20), (499, 1), (500, 0)])
def test_what_was_earned_otherwise_that_day_counts_as_well(scene, earned, left):
    scene.model.member(person("ana")).totals[EARNED, scene.now.date().toordinal()] = earned
    if left:
        assert receipt_of(claim(scene)).amount == left
    else:
        refused(claim(scene), Code.LIMIT_EXCEEDED, rule="earned", limit=500)


def test_a_huge_streak_bonus_stays_within_the_days_limit(scene):
    """Fault 6."""
    scene.set("daily_streak_bonus", 1_000_000)
    scene.set("earn_limit_daily", COINS_MAX)
    scene.model.member(person("ana")).flags.update({"daily.day": "2026-01-04", "daily.streak": 10**12})
    assert receipt_of(claim(scene)).amount == COINS_MAX


@pytest.mark.parametrize(("scope", "free"), [(Scope.SEND, True), (Scope.RECEIVE, False), (Scope.BOTH, False)])
def test_who_may_not_receive_may_not_claim(scene, scope, free):
    """Fault 31."""
    scene.done(Freeze(by=person(OWNER), member=person("ana"), scope=scope, reason=WHY))
    if free:
        assert claim(scene).number
    else:
        refused(claim(scene), Code.FROZEN, rule="receive", own=True)
        assert scene.tip("ana", "bo").offered == ()


def test_nothing_is_claimed_while_everyone_is_frozen_or_the_feature_is_off(scene):
    scene.done(FreezeAll(by=person(OWNER), reason=WHY))
    refused(claim(scene), Code.FROZEN, rule="everyone")
    scene.done(FreezeAll(by=person(OWNER), frozen=False, reason=WHY))
    scene.turn(Feature.DAILY, on=False)
    refused(claim(scene), Code.FEATURE_OFF, feature="daily")
    assert scene.tip("ana", "bo").offered == ()


def test_bots_claim_nothing(scene):
    scene.joins("robot", is_bot=True)
    refused(claim(scene, "robot"), Code.NOT_ALLOWED, rule="bots")


def test_a_full_wallet_claims_nothing(scene):
    """Fault 7."""
    scene.grant("ana", bonus=COINS_MAX)
    refused(claim(scene), Code.LIMIT_EXCEEDED, rule="balance")


def test_five_presses_of_the_offered_claim_give_it_once(scene):
    """Fault 25."""
    hint = scene.tip("ana", "bo", amount=20)
    assert len({scene.press("ana", hint).number for _ in range(5)}) == 1
    assert scene.has("ana") == (0, 50, 0)


def test_the_offered_claim_and_the_command_are_one_claim(scene):
    hint = scene.tip("ana", "bo", amount=20)
    claim(scene)
    refused(scene.press("ana", hint), Code.ALREADY_CLAIMED)


# --- welcome ----------------------------------------------------------------------------------------------------


def test_the_welcome_grant_comes_with_a_members_own_first_order(scene):
    scene.set("welcome_grant", 100)
    scene.joins("di")
    assert scene.has("di") == (0, 0, 0)
    scene.grant("ana", bonus=10)
    scene.tip("ana", "di", amount=5)
    assert scene.has("di") == (0, 5, 0), "being named is no order of one's own"
    assert scene.tip("di", "bo", amount=105).number, "the grant is there for that very order"
    welcome = scene.model.entries[max(scene.model.entries) - 1]
    assert (welcome.kind, welcome.key) == ("welcome", f"welcome:{scene.id('di')}")


def test_it_comes_once_whatever_one_does(scene):
    scene.set("welcome_grant", 100)
    scene.joins("di")
    for _ in range(3):
        scene.done(Hide(by=person("di")))
        scene.done(Leave(by=person("di")))
        scene.done(Join(by=person("di")))
    assert scene.has("di") == (0, 100, 0)
    refused(scene.submit(Welcome(by=person("di"))), Code.ALREADY_CLAIMED)


def test_it_comes_once_even_if_the_first_order_is_refused(scene):
    scene.set("welcome_grant", 100)
    for _ in range(2):
        refused(scene.tip("ana", "bo", amount=500), Code.INSUFFICIENT_FUNDS, available=100)
    assert scene.has("ana") == (0, 100, 0)


def test_who_acted_before_there_was_one_gets_none(scene):
    scene.done(Hide(by=person("ana")))
    scene.set("welcome_grant", 100)
    scene.done(Hide(by=person("ana"), hidden=False))
    assert scene.has("ana") == (0, 0, 0)


def test_bots_and_full_wallets_get_no_welcome(scene):
    scene.set("welcome_grant", 100)
    scene.joins("robot", is_bot=True)
    scene.done(Hide(by=person("robot")))
    assert scene.has("robot") == (0, 0, 0)
    scene.grant("ana", bonus=COINS_MAX)
    scene.done(Hide(by=person("ana")))
    assert scene.has("ana") == (0, COINS_MAX, 0)


def test_without_a_grant_there_is_no_welcome(scene):
    refused(scene.submit(Welcome(by=person("ana"))), Code.ALREADY_CLAIMED)
