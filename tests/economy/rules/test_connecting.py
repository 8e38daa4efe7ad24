"""Two identities become one person by a code that both confirm, and part again."""

from __future__ import annotations

import pytest

from economy.books import Books, Question
from economy.ledger import Connected, Disconnected
from economy.links import (
    CODE_FOR,
    CODE_LETTERS,
    COMMUNITIES_MAX,
    IDENTITIES_MAX,
    JoinCode,
    Linking,
    plain_code,
    shown_code,
)
from economy.refusals import Code, Refusal, Value
from economy.rules.connecting import CodeGiven, Confirm, Connect, ConnectionAsked, Disconnect, EnterCode, Leaving
from economy.rules.earning import ClaimDaily
from economy.rules.presence import Hide
from economy.rules.safety import Block, Freeze, FreezeAll, Scope
from economy.service import Answer
from economy.totals import ADJUSTED, DIAMONDS, EARNED, REACTED
from economy.values import COINS_MAX, Asset, Reason, Role, receipt_id
from tests.economy.model import receipt_of
from tests.economy.scene import OWNER, Scene, person, refused

WHY = Reason("a reason")


@pytest.fixture
def scene() -> Scene:
    return Scene("ana", "bo", "cy")


def code_of(scene: Scene, name: str) -> str:
    answer = scene.submit(Connect(by=person(name)))
    assert isinstance(answer.outcome, Question)
    assert isinstance(answer.outcome.about, CodeGiven)
    return answer.outcome.about.code


def enter(scene: Scene, name: str, code: str) -> Answer:
    return scene.submit(EnterCode(by=person(name), code=code))


def connect(scene: Scene, name: str, other: str) -> Answer:
    """All of it; the last answer."""
    scene.press(other, enter(scene, other, code_of(scene, name)))
    return scene.press(name, scene.submit(Connect(by=person(name))))


def disconnect(scene: Scene, name: str, who: Leaving = Leaving.THIS) -> Answer:
    return scene.press(name, scene.submit(Disconnect(by=person(name), who=who)))


def flags(scene: Scene, name: str) -> dict[str, Value]:
    return scene.model.member(person(name)).flags


# --- consent ----------------------------------------------------------------------------------------------------------


def test_nothing_is_joined_before_both_have_pressed(scene):
    scene.grant("ana", bonus=10)
    code = code_of(scene, "ana")
    entered = enter(scene, "bo", code)
    still = scene.submit(Connect(by=person("ana"))).outcome
    assert isinstance(still, Question)
    assert isinstance(still.about, CodeGiven), "entering agrees to nothing"
    scene.press("bo", entered)
    question = scene.submit(Connect(by=person("ana")))
    assert scene.id("ana") != scene.id("bo")
    assert isinstance(scene.press("ana", question).outcome, Connected)
    assert scene.id("ana") == scene.id("bo")


def test_each_is_told_what_of_theirs_the_other_could_spend_and_who_that_is(scene):
    """And nobody is told what the other has."""
    scene.grant("ana", coin=5, bonus=10)
    scene.grant("bo", bonus=70, diamond=3)
    code = code_of(scene, "ana")
    entered = enter(scene, "bo", code)
    assert isinstance(entered.outcome, Question)
    about = entered.outcome.about
    assert isinstance(about, ConnectionAsked)
    assert (about.other, about.coin, about.bonus, about.diamond) == ("ana", 0, 70, 3)
    scene.press("bo", entered)
    seen = scene.submit(Connect(by=person("ana"))).outcome
    assert isinstance(seen, Question)
    about = seen.about
    assert isinstance(about, ConnectionAsked)
    assert (about.other, about.coin, about.bonus, about.diamond) == ("bo", 5, 10, 0)


def test_a_code_that_somebody_agreed_to_is_nobody_elses(scene):
    code = code_of(scene, "ana")
    scene.press("bo", enter(scene, "bo", code))
    refused(enter(scene, "cy", code), Code.EXPIRED, rule="code")


def test_whoever_asks_for_a_new_code_ends_the_old_one(scene):
    code = code_of(scene, "ana")
    scene.press("bo", enter(scene, "bo", code))
    assert scene.submit(Connect(by=person("ana"), new=True)).outcome.about.code != code
    refused(enter(scene, "bo", code), Code.EXPIRED, rule="code")


def test_a_confirmation_holds_no_longer_than_the_code(scene):
    code = code_of(scene, "ana")
    scene.later(minutes=8)
    scene.press("bo", enter(scene, "bo", code))
    question = scene.submit(Connect(by=person("ana")))
    scene.later(minutes=2)
    refused(scene.press("ana", question), Code.EXPIRED, rule="late")
    assert scene.id("ana") != scene.id("bo")


def test_ones_own_code_and_that_of_ones_own_person_join_nothing(scene):
    refused(enter(scene, "ana", code_of(scene, "ana")), Code.INVALID_ARGUMENT, rule="own_code")
    connect(scene, "ana", "bo")
    refused(enter(scene, "bo", code_of(scene, "ana")), Code.INVALID_ARGUMENT, rule="connected")


def test_after_five_wrong_codes_the_right_one_is_wrong_too(scene):
    code = code_of(scene, "ana")
    for _ in range(5):
        refused(enter(scene, "cy", "AAAA-AAAA"), Code.EXPIRED, rule="code")
    refused(enter(scene, "cy", code), Code.LIMIT_EXCEEDED, rule="codes", limit=5)
    assert enter(scene, "bo", code).offered


def test_bots_are_joined_to_nobody(scene):
    scene.joins("robo", is_bot=True)
    refused(scene.submit(Connect(by=person("robo"))), Code.NOT_ALLOWED, rule="bots")
    refused(enter(scene, "robo", code_of(scene, "ana")), Code.NOT_ALLOWED, rule="bots")


@pytest.mark.parametrize("typed", ["7q4k-m2xd", " 7Q4K M2XD ", "7Q4KM2XD", "7Q4K-M2XD"])
def test_a_code_may_be_typed_in_any_way(typed):
    assert plain_code(typed) == "7Q4KM2XD"
    assert shown_code("7Q4KM2XD") == "7Q4K-M2XD"
    assert not set("01IO") & set(CODE_LETTERS)


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("frozen", ["ana", "bo"])
def test_while_either_is_frozen_they_stay_two(scene, frozen, scope):
    scene.stands("mo", Role.MODERATOR)
    scene.joins("mo", Role.MODERATOR)
    code = code_of(scene, "ana")
    scene.press("bo", enter(scene, "bo", code))
    question = scene.submit(Connect(by=person("ana")))
    scene.done(Freeze(by=person("mo"), member=person(frozen), scope=scope, reason=WHY))
    refused(scene.press("ana", question), Code.FROZEN, rule="connect")
    refused(enter(scene, "bo", code), Code.FROZEN, rule="connect")
    scene.done(Freeze(by=person("mo"), member=person(frozen), scope=None, reason=WHY))
    question = scene.submit(Connect(by=person("ana")))
    assert isinstance(scene.press("ana", question).outcome, Connected)


def test_while_either_owes_or_everyone_is_frozen_they_stay_two(scene):
    scene.press("bo", enter(scene, "bo", code_of(scene, "ana")))
    scene.model.member(person("bo")).wallet[Asset.BONUS] = -5
    refused(scene.submit(Connect(by=person("ana"))), Code.IN_DEBT, rule="connect", owed=5)
    scene.model.member(person("bo")).wallet[Asset.BONUS] = 0
    scene.done(FreezeAll(by=person(OWNER), frozen=True, reason=WHY))
    refused(scene.submit(Connect(by=person("ana"))), Code.FROZEN, rule="everyone")


def test_a_wallet_that_would_hold_too_much_is_not_joined(scene):
    """Fault 7"""
    scene.grant("ana", bonus=COINS_MAX)
    scene.grant("bo", bonus=1)
    refused(connect(scene, "ana", "bo"), Code.LIMIT_EXCEEDED, rule="balance")
    assert scene.has("bo") == (0, 1, 0)


def test_accounts_and_communities_of_one_person_have_a_limit():
    names = [f"p{number}" for number in range(IDENTITIES_MAX + 1)]
    scene = Scene(*names)
    for name in names[1:-1]:
        connect(scene, names[0], name)
    refused(connect_until_asked(scene, names[0], names[-1]), Code.LIMIT_EXCEEDED, rule="identities")


@pytest.mark.parametrize("more", [0, 1])
def test_who_is_in_more_communities_than_one_transaction_takes_stays_as_they_are(scene, more):
    code = JoinCode(person("ana"), "ana", "7Q4KM2XD", scene.now + CODE_FOR, person("bo"), "bo")
    linking = Linking(
        "",
        own=code,
        entered=code,
        identities=(person("ana"), person("cy")),
        communities=COMMUNITIES_MAX + more,
        moved_communities=COMMUNITIES_MAX + more,
        stays=scene.model.member(person("ana")).id,
        goes=scene.model.member(person("bo")).id,
    )
    books = Books()
    for name in ("ana", "bo"):
        books.add(scene.model.member(person(name)))
    books.linking = linking
    orders = (Connect(by=person("ana")), Confirm(by=person("ana"), other=person("bo"), code=code.code))
    for order in (*orders, Disconnect(by=person("ana"))):
        outcome = order.decide(books, scene.now)
        assert isinstance(outcome, Refusal) == bool(more), order
        assert not isinstance(outcome, Refusal) or outcome.rule == "communities"


def connect_until_asked(scene: Scene, name: str, other: str) -> Answer:
    return enter(scene, other, code_of(scene, name))


# --- what moves -------------------------------------------------------------------------------------------------------


def test_everything_moves_and_nothing_is_left(scene):
    scene.grant("ana", coin=1, bonus=2)
    scene.grant("bo", coin=10, bonus=20, diamond=30)
    answer = connect(scene, "ana", "bo")
    assert scene.moved(answer) == [
        ("bo", "ana", "coin", 10),
        ("bo", "ana", "bonus", 20),
        ("bo", "ana", "diamond", 30),
    ]
    assert scene.has("ana") == (11, 22, 30)
    receipt = answer.outcome
    assert isinstance(receipt, Connected)
    assert (receipt.coin, receipt.bonus, receipt.diamond) == (10, 20, 30)


def test_what_a_day_came_to_is_the_sum(scene):
    scene.set("earn_limit_daily", 60)
    scene.done(ClaimDaily(by=person("bo")))
    scene.grant("cy", coin=100)
    scene.creator("bo")
    scene.gift("cy", "bo", "bouquet")
    today = scene.now.date().toordinal()
    connect(scene, "ana", "bo")
    totals = scene.model.member(person("ana")).totals
    assert (totals[EARNED, today], totals[DIAMONDS, today]) == (50, 50)
    scene.later(days=1)
    scene.done(ClaimDaily(by=person("ana")))
    assert scene.has("ana")[1] == 100


def test_a_moderators_cap_is_for_the_person(scene):
    scene.set("moderator_limit_daily", 100)
    for name in ("ana", "bo"):
        scene.stands(name, Role.MODERATOR)
        assert scene.adjust(name, "add", ("cy", 60)).number
    connect(scene, "ana", "bo")
    assert scene.model.member(person("ana")).total(ADJUSTED, scene.now.date().toordinal()) == 120
    refused(scene.adjust("bo", "add", ("cy", 1)), Code.LIMIT_EXCEEDED, rule="adjusted", left=0)


def test_whatever_was_said_of_either_holds_for_both(scene):
    scene.appoint("bo", Role.TREASURER)
    scene.done(Hide(by=person("bo")))
    scene.creator("bo")
    scene.done(Block(by=person("bo"), other=person("cy")))
    scene.done(Block(by=person("cy"), other=person("bo")))
    scene.grant("cy", bonus=10)
    scene.grant("ana", bonus=10)
    connect(scene, "ana", "bo")
    member = scene.model.member(person("ana"))
    assert member.roles >= {Role.TREASURER, Role.CREATOR}
    assert flags(scene, "ana")["hidden"] is True
    refused(scene.tip("cy", "ana"), Code.BLOCKED)
    refused(scene.tip("ana", "cy"), Code.BLOCKED)
    scene.done(Block(by=person("cy"), other=person("ana"), blocked=False))
    assert scene.tip("ana", "cy").number, "accepted again is accepted as both"


def test_a_block_between_the_two_is_none_any_more(scene):
    scene.done(Block(by=person("bo"), other=person("ana")))
    scene.done(Block(by=person("ana"), other=person("bo")))
    connect(scene, "ana", "bo")
    assert not [name for name, value in flags(scene, "ana").items() if name.startswith("block.") and value]


@pytest.mark.parametrize(
    ("ana", "bo", "together"),
    [
        (("2026-01-04", 3), ("2026-01-05", 1), ("2026-01-05", 4)),
        (("2026-01-05", 2), ("2026-01-04", 7), ("2026-01-05", 8)),
        (("2026-01-05", 2), ("2026-01-05", 7), ("2026-01-05", 7)),
        (("2026-01-01", 9), ("2026-01-05", 2), ("2026-01-05", 2)),
        (("2026-01-03", 9), ("2026-01-05", 2), ("2026-01-05", 11)),
        ((None, None), ("2026-01-05", 2), ("2026-01-05", 2)),
    ],
)
def test_days_in_a_row_are_counted_over_both(scene, ana, bo, together):
    for name, (day, streak) in (("ana", ana), ("bo", bo)):
        flags(scene, name).update({"daily.day": day, "daily.streak": streak})
    connect(scene, "ana", "bo")
    assert (flags(scene, "ana")["daily.day"], flags(scene, "ana")["daily.streak"]) == together


def test_a_chain_of_joins_leads_straight_to_the_last(scene):
    """Who went on before follows: nobody has to go from one to the next."""
    ids = {name: scene.id(name) for name in ("ana", "bo", "cy")}
    connect(scene, "bo", "cy")
    connect(scene, "cy", "ana")
    assert {scene.id(name) for name in ids} == {ids["ana"]}
    assert [scene.model.members[ids[name]].flags["successor"] for name in ("bo", "cy")] == [ids["ana"]] * 2
    assert set(scene.model.member(person("ana")).ids) == set(ids.values())


# --- undo -------------------------------------------------------------------------------------------------------------


def test_of_a_tip_to_several_what_went_to_oneself_stays(scene):
    scene.grant("ana", bonus=100)
    tip = scene.tip("ana", "bo", "cy", amount=10)
    connect(scene, "ana", "bo")
    undone = scene.undo("ana", tip).outcome
    assert (undone.parts[0].own, undone.parts[0].missing) == (10, 0)
    assert scene.has("ana") == (0, 100, 0)
    assert scene.has("cy") == (0, 0, 0)


def test_bought_coins_tipped_between_the_two_can_be_bought_coins_again(scene):
    scene.grant("ana", coin=100)
    tip = scene.press("ana", scene.tip("ana", "bo", amount=40))
    connect(scene, "ana", "bo")
    assert scene.has("ana") == (60, 40, 0)
    scene.stands("mo", Role.OPERATOR)
    scene.joins("mo", Role.OPERATOR)
    assert scene.undo("mo", tip, "a mistake").number
    assert scene.has("ana") == (100, 0, 0)


def test_a_sender_takes_back_what_they_sent_by_either(scene):
    scene.grant("bo", bonus=100)
    scene.tip("bo", "cy", amount=30)
    connect(scene, "ana", "bo")
    assert scene.undo("ana").number
    assert scene.has("ana") == (0, 100, 0)


def test_joining_is_taken_back_by_nobody(scene):
    joined = connect(scene, "ana", "bo")
    assert joined.number is not None
    refused(scene.undo(OWNER, joined, "no"), Code.NOTHING_TO_UNDO, rule="kind", kind="connect")
    assert receipt_id(joined.number)


# --- parting ----------------------------------------------------------------------------------------------------------


def test_whoever_leaves_has_nothing_and_what_they_did_is_done(scene):
    scene.set("welcome_grant", 30)
    scene.grant("ana", bonus=100)
    scene.done(ClaimDaily(by=person("bo")))
    connect(scene, "ana", "bo")
    had = scene.has("ana")
    answer = disconnect(scene, "bo")
    assert isinstance(answer.outcome, Disconnected)
    assert scene.moved(answer) == []
    assert scene.has("ana") == had
    refused(scene.submit(ClaimDaily(by=person("bo"))), Code.ALREADY_CLAIMED)
    assert scene.has("bo") == (0, 0, 0), "no second welcome"
    assert scene.model.member(person("bo")).total(EARNED, scene.now.date().toordinal()) == 50


def test_days_in_a_row_stay_with_the_person_alone(scene):
    """Fault 28: else whoever connects an account for a moment has them twice."""
    scene.set("daily_streak_bonus", 10)
    for _ in range(3):
        scene.done(ClaimDaily(by=person("ana")))
        scene.later(days=1)
    scene.later(days=-1)
    connect(scene, "ana", "bo")
    disconnect(scene, "bo")
    refused(scene.submit(ClaimDaily(by=person("bo"))), Code.ALREADY_CLAIMED)
    scene.later(days=1)
    for name, amount, streak in (("ana", 80, 4), ("bo", 50, 1)):
        claimed = receipt_of(scene.submit(ClaimDaily(by=person(name))))
        assert (claimed.amount, claimed.streak) == (amount, streak)


def test_leaving_is_no_way_round_what_a_day_allows(scene):
    today = scene.now.date().toordinal()
    connect(scene, "ana", "bo")
    capped = {ADJUSTED: 70, EARNED: 50, REACTED: 100}
    scene.model.member(person("ana")).totals.update({(name, today): amount for name, amount in capped.items()})
    disconnect(scene, "bo")
    for name in ("ana", "bo"):
        assert {total: scene.model.member(person(name)).total(total, today) for total in capped} == capped


def test_others_can_be_sent_away_and_the_coins_stay(scene):
    scene.grant("ana", bonus=100)
    connect(scene, "ana", "bo")
    connect(scene, "ana", "cy")
    disconnect(scene, "cy", Leaving.OTHERS)
    assert len({scene.id(name) for name in ("ana", "bo", "cy")}) == 3
    assert scene.has("cy") == (0, 100, 0)
    assert scene.has("ana") == scene.has("bo") == (0, 0, 0)


def test_who_is_frozen_is_frozen_as_somebody_new_too(scene):
    scene.joins("mo", Role.MODERATOR)
    connect(scene, "ana", "bo")
    scene.done(Freeze(by=person("mo"), member=person("ana"), scope=Scope.BOTH, reason=WHY))
    disconnect(scene, "bo")
    scene.grant("cy", bonus=5)
    refused(scene.tip("cy", "bo", amount=1), Code.FROZEN, rule="receive")


def test_who_is_connected_to_nobody_leaves_nobody(scene):
    for who in Leaving:
        refused(scene.submit(Disconnect(by=person("ana"), who=who)), Code.INVALID_ARGUMENT, rule="not_connected")


def test_joined_again_it_is_as_it_was(scene):
    scene.grant("ana", bonus=100)
    connect(scene, "ana", "bo")
    disconnect(scene, "bo")
    connect(scene, "bo", "ana")
    assert scene.has("bo") == (0, 100, 0)
    assert flags(scene, "ana").get("apart") is None
