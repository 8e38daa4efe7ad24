"""The buttons under what everyone sees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.contract import BUTTON_DATA_BYTES_MAX, Pressed, Visibility
from bot.social import AGAIN, MINE, THANKS
from tests.bot.talk import LOBBY, Talk, people_of_the_lobby, person, talking, text_of


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    await people_of_the_lobby(tmp_path)
    async with talking(tmp_path, run="second") as found:
        yield found


async def pressed(talk: Talk, name: str, data: str, *, private: bool = False):
    press = Pressed(act=talk.act(), person=person(name), place=LOBBY, data=data, private=private)
    return await talk.florin.conversation.press(press)


async def test_a_tip_and_a_gift_have_their_buttons_and_private_answers_have_none(talk):
    tip = await talk.say("bo", "/tip @cy 5")
    assert [button.label for button in tip.buttons] == ["Thank", "My coins", "Undo"]
    gift = await talk.say("bo", "/gift rose x3 @cy")
    assert [button.label for button in gift.buttons] == ["Thank", "My coins", "Send again", "Undo"]
    assert all(len(button.data.encode()) <= BUTTON_DATA_BYTES_MAX for button in (*tip.buttons, *gift.buttons))
    assert (await talk.say("mo", "/coins add @bo 5 quiz")).buttons == ()
    assert (await talk.say("bo", "/undo")).buttons == ()


async def test_thanks_are_the_receivers_and_for_everyone(talk):
    tip = await talk.say("bo", "/tip @cy @mo 5")
    for name in ("cy", "mo"):
        thanks = await talk.press(name, tip, "Thank")
        assert text_of(thanks) == f"{name} says thanks ♥"
        assert (thanks.outcome, thanks.visibility) == ("thanks", Visibility.PUBLIC)
    for name in ("bo", "ana", "stranger"):
        no = await talk.press(name, tip, "Thank")
        assert (no.code, no.visibility) == ("not_allowed", Visibility.PRIVATE)


async def test_nobody_gives_thanks_for_what_was_taken_back(talk):
    tip = await talk.say("bo", "/tip @cy 5")
    await talk.press("bo", tip, "Undo")
    assert (await talk.press("cy", tip, "Thank")).code == "expired"


async def test_each_press_of_send_again_is_a_gift_and_the_same_press_is_one(talk):
    """Fault 25: what names the act is the press."""
    gift = await talk.say("bo", "/gift rose x3 @cy")
    button = next(button for button in gift.buttons if button.label == "Send again")
    press = Pressed(act=talk.act(), person=person("bo"), place=LOBBY, data=button.data)
    first = await talk.florin.conversation.press(press)
    again = await talk.florin.conversation.press(press)
    assert first.receipt == again.receipt != gift.receipt
    assert again.repeated
    other = await talk.press("bo", gift, "Send again")
    assert other.receipt != first.receipt
    assert (await talk.say("bo", "/balance")).fields["bonus"] == 91
    assert (await talk.press("cy", gift, "Send again")).code == "not_allowed"


async def test_my_coins_are_for_whoever_presses_with_their_rank(talk):
    tip = await talk.say("bo", "/tip @cy 5")
    assert text_of(await talk.press("cy", tip, "My coins")).splitlines()[0] == "You have 5 coins."
    own = await talk.press("bo", tip, "My coins")
    assert own.visibility is Visibility.PRIVATE
    assert text_of(own).splitlines()[-1] == "You are number 1 of this week's tippers."
    await talk.say("ana", "/features boards off")
    assert "number" not in text_of(await talk.press("bo", tip, "My coins"))


@pytest.mark.parametrize(
    "data", [THANKS, f"{THANKS}x", f"{THANKS}999A", AGAIN, f"{AGAIN}1", f"{AGAIN}:", f"{AGAIN}x:tip", "m:"]
)
async def test_what_is_malformed_or_from_elsewhere_does_nothing(talk, data):
    """Fault 18"""
    no = await pressed(talk, "bo", data)
    assert no.code in ("expired", "not_allowed")
    assert (await talk.say("bo", "/balance")).fields["bonus"] == 100


async def test_a_stranger_sees_no_coins(talk):
    assert (await pressed(talk, "stranger", MINE)).fields["bonus"] == 0
