"""A second language comes through everywhere, once there is a catalogue of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.contract import Hint, Invocation, Pressed, Reply, Visibility
from bot import wording
from bot.extraction import texts
from bot.relay import Relay
from tests.bot.talk import LOBBY, Talk, _word, people_of_the_lobby, person, talking, text_of
from tests.bot.test_combos import rose
from tests.bot.test_relay import Door
from tests.support.languages import TAG, marked, write_language


@pytest.fixture
async def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Talk]:
    """The lobby, and one language more."""
    await people_of_the_lobby(tmp_path)
    write_language(tmp_path)
    monkeypatch.setattr(wording, "LOCALES", tmp_path)
    async with talking(tmp_path, run="second") as found:
        yield found


async def say(talk: Talk, name: str, text: str, locale: str) -> Reply:
    command, *words = text.removeprefix("/").split()
    said = Invocation(
        act=talk.act(),
        person=person(name),
        place=LOBBY,
        command=command,
        words=tuple(map(_word, words)),
        locale=locale,
        channel="7",
    )
    return await talk.florin.conversation.say(said)


def is_translated(reply: Reply) -> bool:
    """Whether all that is told and all its buttons are in the language of the tests."""
    lines = [line for line in text_of(reply).splitlines() if line and not line.startswith('"')]
    return all("«" in line for line in lines) and all(button.label.startswith("«") for button in reply.buttons)


@pytest.mark.parametrize(
    "text",
    [
        "/help",
        "/help tip",
        "/balance",
        "/history",
        "/settings",
        "/settings language",
        "/tip @cy 5000",
        "/nothing",
        "/tip",
        "/undo",
    ],
)
async def test_what_is_ones_own_is_in_the_readers_language(talk, text):
    reply = await say(talk, "bo", text, "de-DE")
    assert reply.visibility is Visibility.PRIVATE
    assert text_of(reply).count("«") > 0
    english = text_of(await say(talk, "bo", text, "fr"))
    assert "«" not in english, "who speaks a language that there is none of reads the source's"


async def test_what_everyone_sees_is_in_the_communitys_language_whoever_says_it(talk):
    tip = await say(talk, "bo", "/tip @cy 5", TAG)
    assert text_of(tip) == "bo tipped cy 5 coins."
    await talk.say("ana", "/settings language de")
    for text in ("/tip @cy 5", "/gift rose @cy", "/gift rose @cy", "/undo", "/top", "/gifts"):
        told = await say(talk, "bo", text, "en")
        assert told.visibility is Visibility.PUBLIC
        assert "«" in text_of(told).splitlines()[0], text
        if told.receipt is not None:
            assert is_translated(told), text
    assert text_of(await say(talk, "bo", "/balance", "en")).startswith("You have ")


async def test_thanks_announcements_and_the_end_of_a_combo_are_in_it_too(talk):
    await talk.say("ana", "/settings language de")
    await talk.say("ana", "/settings announce_from 2")
    await talk.say("ana", "/channels announcements #gifts")
    await talk.say("ana", "/channels log #staff")
    gift = await rose(talk)
    button = next(button for button in gift.buttons if button.data.startswith("t:"))
    pressed = Pressed(act=talk.act(), person=person("cy"), place=LOBBY, data=button.data)
    assert is_translated(await talk.florin.conversation.press(pressed))
    await talk.say("bo", "/gift rose x2 @cy", channel="7")
    door = Door()
    relay = Relay(talk.florin.outbox, talk.florin.economy.reads, {"test": door}, talk.clock)
    for _ in range(2):
        while await relay.drain():
            pass
        talk.clock.forward(seconds=40)
    told = {channel: text for _, channel, text, _ in door.told}
    assert set(told) == {"gifts", "staff", "7"}
    assert all("«" in line for text in told.values() for line in text.splitlines())


@pytest.mark.parametrize("hint", Hint)
async def test_what_doors_tell_is_in_the_language_they_ask_for(talk, hint):
    values = dict.fromkeys(("name", "place", "bot", "channel", "needed"), "x")
    assert is_translated(talk.florin.conversation.hint(hint, TAG, **values))


async def test_texts_of_commands_are_given_to_translators_and_come_back(talk):
    conversation = talk.florin.conversation
    assert conversation.languages() == (TAG,)
    for text in texts():
        assert conversation.translated(text) == {TAG: marked(text)}
    for spec in conversation.specs():
        assert conversation.help_of(spec, "de-AT") == marked(spec.help)
        assert conversation.help_of(spec, "fr") == spec.help


@pytest.mark.parametrize(("typed", "kept"), [("de", "de"), ("PT-br", "pt_BR"), ("pt_BR", "pt_BR"), ("fil", "fil")])
async def test_a_language_is_set_as_people_write_it(talk, typed, kept):
    await talk.say("ana", f"/settings language {typed}")
    assert (await talk.say("ana", "/settings language")).fields["value"] == kept


@pytest.mark.parametrize(("typed", "spoken"), [("de", True), ("de_AT", True), ("en_GB", True), ("fr", False)])
async def test_whoever_sets_a_language_without_texts_is_told(talk, typed, spoken):
    told = text_of(await talk.say("ana", f"/settings language {typed}"))
    assert ("no texts in it so far" not in told) is spoken


@pytest.mark.parametrize("typed", ["german", "d", "de_DEU", "d1"])
async def test_what_is_no_tag_is_refused(talk, typed):
    reply = await talk.say("ana", f"/settings language {typed}")
    assert reply.code == "invalid_argument"
    assert text_of(reply) == "language takes a language by its tag, such as en or pt_BR."
