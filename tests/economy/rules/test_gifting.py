"""Gifts: who pays with what, who gets which part, and when the price is asked about again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from economy.catalogue import DEFAULT_GIFTS, catalogue, find_gift
from economy.refusals import Code
from economy.rules.creating import TurnGifts
from economy.rules.gifting import ChangeGift, Gifted
from economy.rules.presence import Leave
from economy.rules.safety import Block, Freeze, FreezeAll, Scope
from economy.settings import Feature
from economy.values import COINS_MAX, SHARE_MAX_BP, Coins, Reason
from tests.economy.model import receipt_of
from tests.economy.scene import HELD, HOUSE, MINT, OWNER, SALES, Scene, asked, person, refused

WHY = Reason("a reason")


@pytest.fixture
def scene() -> Scene:
    return Scene()


# --- what moves -------------------------------------------------------------------------------------------------


def test_bought_coins_pay_a_creator_in_diamonds_and_wait_in_held(scene):
    scene.grant("ana", coin=100)
    scene.creator("bo")
    answer = scene.gift("ana", "bo", "bouquet")
    assert scene.moved(answer) == [
        ("ana", HELD, "coin", 50),
        (MINT, "bo", "diamond", 50),
        ("ana", HOUSE, "coin", 50),
    ]
    assert scene.has("bo") == (0, 0, 50)
    assert scene.house() == (50, 0)


def test_free_coins_reach_a_creator_as_free_coins(scene):
    """Fault 102."""
    scene.grant("ana", bonus=100)
    scene.creator("bo")
    answer = scene.gift("ana", "bo", "bouquet")
    assert scene.moved(answer) == [("ana", "bo", "bonus", 50), ("ana", HOUSE, "bonus", 50)]


def test_bought_coins_are_spent_before_free_ones(scene):
    scene.grant("ana", coin=30, bonus=100)
    scene.creator("bo")
    answer = scene.gift("ana", "bo", "bouquet")
    assert scene.moved(answer) == [
        ("ana", HELD, "coin", 15),
        (MINT, "bo", "diamond", 15),
        ("ana", HOUSE, "coin", 15),
        ("ana", "bo", "bonus", 35),
        ("ana", HOUSE, "bonus", 35),
    ]
    assert receipt_of(answer) == Gifted(
        sender=scene.id("ana"),
        creator=scene.id("bo"),
        gift="bouquet",
        emoji="💐",
        count=1,
        price=Coins(100),
        cost=Coins(100),
        bought=Coins(30),
        diamond=Coins(15),
        bonus=Coins(35),
        house=Coins(50),
    )


def test_who_is_no_creator_gets_the_share_of_bought_coins_as_free_ones(scene):
    scene.grant("ana", coin=30, bonus=100)
    answer = scene.gift("ana", "bo", "bouquet")
    assert scene.moved(answer) == [
        ("ana", SALES, "coin", 15),
        (MINT, "bo", "bonus", 15),
        ("ana", HOUSE, "coin", 15),
        ("ana", "bo", "bonus", 35),
        ("ana", HOUSE, "bonus", 35),
    ]
    receipt = receipt_of(answer)
    assert (receipt.diamond, receipt.bonus, receipt.house) == (0, 50, 50)


@pytest.mark.parametrize(
    ("coin", "count", "diamond", "bonus", "house"),
    [
        (1, 1, 1, 0, 0),  # the only coin is rounded up to the creator
        (0, 1, 0, 1, 0),
        (1, 2, 1, 1, 0),  # rounded up in each asset by itself
        (2, 3, 1, 1, 1),
        (5, 5, 3, 0, 2),
    ],
)
def test_the_share_is_rounded_up_per_asset_and_the_house_gets_the_rest(scene, coin, count, diamond, bonus, house):
    """Fault 22."""
    scene.grant("ana", coin=coin, bonus=10)
    scene.creator("bo")
    receipt = receipt_of(scene.gift("ana", "bo", "rose", count))
    assert (receipt.diamond, receipt.bonus, receipt.house) == (diamond, bonus, house)


@settings(derandomize=True, database=None, deadline=None, max_examples=80)
@given(
    coin=st.integers(0, 60),
    bonus=st.integers(0, 60),
    count=st.integers(1, 60),
    share=st.integers(0, SHARE_MAX_BP),
    creator=st.booleans(),
)
def test_parts_of_a_gift_come_to_its_cost(coin, bonus, count, share, creator):
    """Fault 22."""
    scene = Scene("ana", "bo")
    scene.grant("ana", coin=coin, bonus=bonus)
    scene.set("creator_share", share)
    if creator:
        scene.creator("bo")
    answer = scene.gift("ana", "bo", "rose", count)
    if count > coin + bonus:
        refused(answer, Code.INSUFFICIENT_FUNDS, needed=count, available=coin + bonus)
        return
    receipt = receipt_of(answer)
    assert receipt.cost == count == receipt.diamond + receipt.bonus + receipt.house
    assert sum(scene.has("bo")) + sum(scene.house()) == count
    assert sum(scene.has("ana")) == coin + bonus - count
    assert receipt.bought == min(coin, count)
    assert scene.has("bo")[2] == receipt.diamond <= receipt.bought


def test_nine_tenths_is_the_largest_share(scene):
    scene.grant("ana", bonus=100)
    scene.set("creator_share", 9_000)
    receipt = receipt_of(scene.gift("ana", "bo", "bouquet"))
    assert (receipt.bonus, receipt.house) == (90, 10)


def test_the_message_is_kept_beside_the_entry(scene):
    scene.grant("ana", bonus=2)
    assert scene.text(scene.gift("ana", "bo", message="for you")) == ("message", "for you")


# --- refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, -1, -(2**63), COINS_MAX + 1, 2**63])
def test_a_count_that_makes_no_amount_is_refused(scene, count):
    """Fault 6."""
    scene.grant("ana", bonus=100)
    refused(scene.gift("ana", "bo", "rose", count), Code.INVALID_AMOUNT, limit=COINS_MAX)


def test_price_times_count_is_checked_before_it_is_spent(scene):
    """Fault 6."""
    scene.grant("ana", bonus=COINS_MAX)
    refused(scene.gift("ana", "bo", "galaxy", COINS_MAX // 44_999 + 1), Code.INVALID_AMOUNT)
    asked(scene.gift("ana", "bo", "galaxy", COINS_MAX // 44_999))
    asked(scene.gift("ana", "bo", "rose", COINS_MAX))


def test_unknown_and_retired_gifts_are_refused(scene):
    """Fault 17."""
    scene.grant("ana", bonus=100)
    refused(scene.gift("ana", "bo", "unicorn"), Code.UNKNOWN_GIFT, gift="unicorn", retired=False)
    scene.done(ChangeGift(by=person(OWNER), gift="rose", retired=True))
    refused(scene.gift("ana", "bo", "rose"), Code.UNKNOWN_GIFT, gift="rose", retired=True)
    scene.done(ChangeGift(by=person(OWNER), gift="rose"))
    assert scene.gift("ana", "bo", "rose").number


def test_gifts_to_oneself_bots_strangers_and_leavers_are_refused(scene):
    """Fault 9. Fault 10."""
    scene.grant("ana", bonus=100)
    scene.joins("robot", is_bot=True)
    refused(scene.gift("ana", "ana"), Code.SELF_TRANSFER)
    refused(scene.gift("ana", "robot"), Code.RECIPIENT_IS_BOT)
    refused(scene.gift("ana", "nobody"), Code.UNKNOWN_MEMBER)
    scene.done(Leave(by=person("bo")))
    refused(scene.gift("ana", "bo"), Code.UNKNOWN_MEMBER)


def test_whoever_turned_gifts_off_gets_none(scene):
    scene.grant("ana", bonus=100)
    scene.done(TurnGifts(by=person("bo"), on=False))
    refused(scene.gift("ana", "bo"), Code.GIFTS_OFF, rule="receiver", member_id=scene.id("bo"))
    assert scene.tip("ana", "bo").number
    scene.done(TurnGifts(by=person("bo"), on=True))
    assert scene.gift("ana", "bo").number


def test_a_community_may_let_only_creators_receive(scene):
    scene.grant("ana", bonus=100)
    scene.set("creators_only", True)
    refused(scene.gift("ana", "bo"), Code.GIFTS_OFF, rule="creators_only")
    scene.creator("bo")
    assert scene.gift("ana", "bo").number


@pytest.mark.parametrize(("who", "scope"), [("ana", Scope.SEND), ("bo", Scope.RECEIVE)])
def test_the_frozen_neither_give_nor_get(scene, who, scope):
    """Fault 31."""
    scene.grant("ana", bonus=100)
    scene.done(Freeze(by=person(OWNER), member=person(who), scope=scope, reason=WHY))
    refused(scene.gift("ana", "bo"), Code.FROZEN, rule=scope.value)


def test_while_everyone_is_frozen_nobody_gives(scene):
    scene.grant("ana", bonus=100)
    scene.done(FreezeAll(by=person(OWNER), reason=WHY))
    refused(scene.gift("ana", "bo"), Code.FROZEN, rule="everyone")


def test_a_blocked_members_gifts_are_refused(scene):
    scene.grant("ana", bonus=100)
    scene.done(Block(by=person("bo"), other=person("ana")))
    refused(scene.gift("ana", "bo"), Code.BLOCKED)


def test_with_gifts_off_nobody_gives(scene):
    scene.turn(Feature.GIFTS, on=False)
    refused(scene.gift("ana", "bo"), Code.FEATURE_OFF, feature="gifts")


def test_messages_pass_the_communitys_rules(scene):
    scene.grant("ana", bonus=100)
    refused(scene.gift("ana", "bo", message="www.x.example"), Code.TEXT_NOT_ALLOWED, rule="links")


def test_whoever_lacks_coins_for_a_gift_is_offered_the_daily_claim(scene):
    answer = scene.gift("ana", "bo", "bouquet")
    refused(answer, Code.INSUFFICIENT_FUNDS, needed=100, available=0)
    assert [offer.label for offer in answer.offered] == ["daily"]


@pytest.mark.parametrize("creator", [True, False])
def test_a_full_wallet_refuses_the_gift_and_the_sender_keeps_the_coins(scene, creator):
    """Fault 7."""
    scene.grant("ana", coin=100)
    if creator:
        scene.creator("bo")
        scene.grant("bo", diamond=COINS_MAX - 49)
    else:
        scene.grant("bo", bonus=COINS_MAX - 49)
    refused(scene.gift("ana", "bo", "bouquet"), Code.LIMIT_EXCEEDED, rule="balance", member_id=scene.id("bo"))
    assert scene.has("ana") == (100, 0, 0)
    assert scene.gift("ana", "bo", "rose", 98).number


# --- asking -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "asks"), [(999, False), (1_000, True)])
def test_a_large_gift_asks_first(scene, count, asks):
    scene.grant("ana", bonus=5_000)
    answer = scene.gift("ana", "bo", "rose", count)
    assert (answer.number is None) is asks
    if asks:
        assert asked(answer) == ("large",)
        assert scene.press("ana", answer).number


def test_what_would_be_refused_is_refused_before_it_asks(scene):
    refused(scene.gift("ana", "bo", "yacht"), Code.INSUFFICIENT_FUNDS)
    scene.grant("ana", bonus=10_000)
    refused(scene.gift("ana", "ana", "yacht"), Code.SELF_TRANSFER)


@pytest.mark.parametrize("price", [9_999, 10_001])
def test_a_price_that_changed_since_it_was_shown_is_asked_about_again(scene, price):
    """Fault 17. Fault 30."""
    scene.grant("ana", bonus=20_000)
    question = scene.gift("ana", "bo", "yacht")
    scene.done(ChangeGift(by=person(OWNER), gift="yacht", price=Coins(price)))
    again = scene.press("ana", question)
    assert asked(again) == ("price_changed",)
    assert again.outcome.about.cost == price
    assert scene.has("ana") == (0, 20_000, 0)
    assert receipt_of(scene.press("ana", again)).cost == price
    assert scene.has("ana") == (0, 20_000 - price, 0)


def test_a_price_change_never_touches_what_was_given(scene):
    """Fault 30."""
    scene.grant("ana", bonus=100)
    answer = scene.gift("ana", "bo", "bouquet")
    scene.done(ChangeGift(by=person(OWNER), gift="bouquet", price=Coins(1)))
    assert scene.model.entries[answer.number].receipt.cost == 100
    scene.undo("ana", answer)
    assert scene.has("ana") == (0, 100, 0)


def test_a_gift_retired_before_the_press_is_refused(scene):
    """Fault 17."""
    scene.grant("ana", bonus=10_000)
    question = scene.gift("ana", "bo", "yacht")
    scene.done(ChangeGift(by=person(OWNER), gift="yacht", retired=True))
    refused(scene.press("ana", question), Code.UNKNOWN_GIFT, retired=True)


# --- the catalogue ----------------------------------------------------------------------------------------------


def test_the_default_catalogue_has_24_gifts_from_1_to_44999():
    prices = {gift.slug: gift.price for gift in DEFAULT_GIFTS}
    assert len(prices) == 24
    assert (min(prices.values()), max(prices.values())) == (1, 44_999)
    assert {"rose": 1, "bouquet": 100, "cake": 400, "yacht": 10_000, "lion": 29_999}.items() <= prices.items()
    assert len({gift.emoji for gift in DEFAULT_GIFTS}) == 24


def test_the_catalogue_is_listed_by_price_as_it_is_now():
    flags = {"gift.yacht.price": 2, "gift.rose.retired": True, "gift.unicorn.price": 5}
    listed = catalogue(flags)
    assert [gift.price for gift in listed] == sorted(gift.price for gift in listed)
    assert listed[0].slug == "yacht"
    assert find_gift("rose", flags) is None
    assert find_gift("unicorn", flags) is None


def test_only_owners_change_the_catalogue(scene):
    order = ChangeGift(by=person("ana"), gift="rose", price=Coins(2))
    refused(scene.submit(order), Code.NOT_ALLOWED, rule="catalogue", roles="owner")


@pytest.mark.parametrize(
    ("gift", "price", "code"), [("unicorn", 5, Code.UNKNOWN_GIFT), ("rose", 0, Code.INVALID_AMOUNT)]
)
def test_a_change_of_the_catalogue_that_cannot_be_is_refused(scene, gift, price, code):
    refusal = refused(scene.submit(ChangeGift(by=person(OWNER), gift=gift, price=Coins(price))), code)
    assert refusal.fields.get("retired", False) is False


def test_a_change_of_the_catalogue_answers_the_price_in_force(scene):
    changed = receipt_of(scene.submit(ChangeGift(by=person(OWNER), gift="rose", price=Coins(7))))
    assert (changed.gift, changed.price) == ("rose", 7)
    assert receipt_of(scene.submit(ChangeGift(by=person(OWNER), gift="rose", retired=True))).price is None
    assert receipt_of(scene.submit(ChangeGift(by=person(OWNER), gift="rose"))).price == 7
