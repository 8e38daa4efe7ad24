"""Tips by reaction: free coins alone, only of those who want it, and no more than a day's worth."""

from __future__ import annotations

import pytest

from economy.refusals import Code
from economy.rules.configuring import ChangeSetting, TurnFeature
from economy.rules.reacting import ReactionShort, TipByReaction, TurnReactions
from economy.rules.safety import Block, Freeze, Scope
from economy.rules.tipping import Tipped
from economy.settings import Feature
from economy.totals import REACTED
from economy.values import Coins, Reason, Role
from tests.economy.model import receipt_of
from tests.economy.scene import OWNER, Scene, person, refused

WHY = Reason("a reason")


@pytest.fixture
def scene() -> Scene:
    """Where reactions tip 5, and those of `ana`, who has 20 free coins and 100 bought ones, do."""
    scene = Scene("ana", "bo", "cy", "mo")
    scene.stands("mo", Role.MODERATOR)
    scene.turn(Feature.REACTIONS, on=True)
    scene.grant("ana", bonus=20, coin=100)
    scene.done(TurnReactions(by=person("ana"), on=True))
    return scene


def react(scene: Scene, name: str = "ana", author: str = "bo", emoji: str = "🏆", key: str = ""):
    return scene.submit(TipByReaction(by=person(name), author=person(author), emoji=emoji), key)


def test_it_tips_whoever_wrote_the_message(scene):
    assert scene.moved(react(scene)) == [("ana", "bo", "bonus", 5)]
    assert scene.has("bo") == (0, 5, 0)


def test_one_message_one_person_one_emoji_is_one_tip_for_ever(scene):
    """Fault 68: taking it away and putting it back is the same act."""
    first = react(scene, key="telegram:reaction:1:2:3:1f3c6")
    scene.later(days=40)
    again = react(scene, key="telegram:reaction:1:2:3:1f3c6")
    assert (again.number, again.repeated) == (first.number, True)
    assert scene.has("bo") == (0, 5, 0)


@pytest.mark.parametrize("emoji", ["🔥", "", "🏆🏆"])
def test_other_emoji_do_nothing(scene, emoji):
    refused(react(scene, emoji=emoji), Code.NOT_ALLOWED, rule="reactions_off")


def test_how_an_emoji_is_drawn_does_not_matter(scene):
    scene.set("reaction_emoji", "❤️")
    assert isinstance(react(scene, emoji="❤").outcome, Tipped)


def test_reactions_do_nothing_until_owner_and_member_say_so():
    scene = Scene("ana", "bo")
    scene.grant("ana", bonus=20)
    refused(scene.submit(TurnReactions(by=person("ana"), on=True)), Code.FEATURE_OFF, feature="reactions")
    scene.turn(Feature.REACTIONS, on=True)
    refused(react(scene), Code.NOT_ALLOWED, rule="reactions_off")
    scene.done(TurnReactions(by=person("ana"), on=True))
    assert isinstance(react(scene).outcome, Tipped)
    scene.done(TurnReactions(by=person("ana"), on=False))
    refused(react(scene), Code.NOT_ALLOWED, rule="reactions_off")
    scene.done(TurnReactions(by=person("ana"), on=True))
    scene.turn(Feature.REACTIONS, on=False)
    refused(react(scene), Code.FEATURE_OFF)


def test_bought_coins_are_never_spent_and_that_is_told_once_a_day(scene):
    for _ in range(4):
        react(scene)
    short = react(scene)
    assert scene.moved(short) == []
    assert receipt_of(short) == ReactionShort(member=scene.id("ana"), rule="funds", needed=Coins(5), available=Coins(0))
    refused(react(scene), Code.INSUFFICIENT_FUNDS, rule="reaction_funds", needed=5, available=0)
    scene.later(days=1)
    assert isinstance(react(scene).outcome, ReactionShort)
    assert scene.has("ana") == (100, 0, 0)


def test_a_day_has_its_limit_in_the_communitys_own_time(scene):
    scene.set("time_zone", "Asia/Tokyo")  # where it is 21:00
    scene.set("reaction_limit_daily", 12)
    assert [type(react(scene).outcome) for _ in range(3)] == [Tipped, Tipped, ReactionShort]
    assert receipt_of(_short(scene)).rule == "limit"
    scene.later(hours=3)
    assert isinstance(react(scene).outcome, Tipped)
    member = scene.model.member(person("ana"))
    assert sorted(amount for (name, _), amount in member.totals.items() if name == REACTED) == [5, 10]


def _short(scene: Scene):
    """The answer that told of it."""
    return next(answer for _, answer in scene.model.answers.values() if isinstance(answer.outcome, ReactionShort))


def test_what_is_undone_was_still_a_reaction_of_that_day(scene):
    scene.set("reaction_limit_daily", 5)
    react(scene)
    scene.undo("ana")
    assert scene.has("bo") == (0, 0, 0)
    assert isinstance(react(scene).outcome, ReactionShort)


def test_nobody_tips_themselves_a_bot_somebody_gone_or_who_does_not_want_it(scene):
    """Faults 9 and 10."""
    refused(react(scene, author="ana"), Code.SELF_TRANSFER)
    scene.joins("robo", is_bot=True)
    refused(react(scene, author="robo"), Code.RECIPIENT_IS_BOT)
    refused(react(scene, author="nobody"), Code.UNKNOWN_MEMBER)
    scene.done(Block(by=person("bo"), other=person("ana")))
    refused(react(scene), Code.BLOCKED)


def test_who_may_not_send_tips_nobody(scene):
    scene.done(Freeze(by=person("mo"), member=person("ana"), scope=Scope.SEND, reason=WHY))
    refused(react(scene), Code.FROZEN, rule="send")


@pytest.mark.parametrize(("name", "value"), [("reaction_amount", 1_000), ("confirm_from", 5), ("confirm_from", 1)])
def test_a_reaction_never_tips_what_would_have_to_be_asked_about(scene, name, value):
    answer = scene.submit(ChangeSetting(by=person(OWNER), name=name, value=value))
    refused(answer, Code.INVALID_ARGUMENT, rule="reaction_amount")


def test_where_no_reaction_tips_they_can_be_what_they_like_and_then_none_does(scene):
    scene.turn(Feature.REACTIONS, on=False)
    scene.set("confirm_from", 5)
    answer = scene.submit(TurnFeature(by=person(OWNER), feature=Feature.REACTIONS, on=True))
    refused(answer, Code.INVALID_ARGUMENT, rule="reaction_amount", amount=5, limit=5)


def test_up_to_there_both_can_be_set(scene):
    scene.set("confirm_from", 6)
    scene.set("confirm_from", None)
    scene.set("reaction_amount", 999)
