"""Answers that are late, lost, refused or asked for twice: the money is moved once, and whoever asked is told."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web

from adapters.contract import Invocation, Reply
from adapters.discord.hearing import place_of
from bot.app import open_florin
from economy.service import Identity, Sighting
from tests.adapters.discord.opening import opened_door
from tests.adapters.discord.overheard import Overheard
from tests.adapters.discord.people import Seen
from tests.adapters.discord.state import EPHEMERAL

SOON_S = 0.01
CALLBACK = "/callback$"


class Slow(Overheard):
    """Answers when it is let, and carries out before it does."""

    def __init__(self, conversation) -> None:
        super().__init__(conversation)
        self.may_answer = asyncio.Event()

    async def say(self, invocation: Invocation) -> Reply:
        reply = await super().say(invocation)
        await self.may_answer.wait()
        return reply


@pytest.fixture
def slowly(enter):
    """The town with a conversation that is slow once the town stands."""

    @asynccontextmanager
    async def open_slowly():
        async with enter() as town:
            await town.door.close()
            slow = Slow(town.florin.conversation)
            async with opened_door(town.peer, slow, defer_after_s=SOON_S):
                yield town, slow

    return open_slowly


async def first_answer(town, interaction):
    await town.peer.until(lambda: interaction.acknowledged is not None)
    return interaction.attempts[0]


async def wallet(town, name: str) -> int:
    seen = await town.person(name).use("balance")
    return int(seen.lines[0].removeprefix("You have ").partition(" ")[0].replace(",", ""))


def told_in_channel(town, text: str) -> list[dict]:
    messages = town.person("bo").channel.messages.values()
    return [each for each in messages if text in each["content"] and not each["flags"] & EPHEMERAL]


# --- three seconds ----------------------------------------------------------------------------------------------


async def test_what_takes_long_is_acknowledged_first_for_everyone_to_see(slowly) -> None:
    """Fault 79"""
    async with slowly() as (town, slow):
        bo = town.person("bo")
        interaction = await bo.send("tip", to=town.user("cy"), amount="50")
        placeholder = await first_answer(town, interaction)
        assert (placeholder["type"], placeholder.get("data")) == (5, None)
        slow.may_answer.set()
        seen = await bo.sees(interaction)
        assert seen.text == "bo tipped cy 50 coins."
        assert int(seen.message["id"]) == interaction.original


async def test_the_placeholder_of_what_is_private_is_private(slowly) -> None:
    """Fault 79"""
    async with slowly() as (town, slow):
        bo = town.person("bo")
        interaction = await bo.send("balance")
        assert (await first_answer(town, interaction))["data"]["flags"] == EPHEMERAL
        slow.may_answer.set()
        seen = await bo.sees(interaction)
        assert seen.lines[0] == "You have 100 coins."
        assert seen.is_private


async def test_a_refusal_after_a_public_placeholder_is_private_all_the_same(slowly) -> None:
    """Fault 79: the placeholder goes."""
    async with slowly() as (town, slow):
        bo = town.person("bo")
        interaction = await bo.send("tip", to=town.user("cy"), amount="5,000")
        await first_answer(town, interaction)
        placeholder = interaction.original
        slow.may_answer.set()
        seen = await bo.sees(interaction)
        assert seen.text == "This takes 5,000 coins, and you have 100 coins."
        assert seen.is_private
        assert placeholder not in bo.channel.messages


async def test_when_even_the_acknowledgement_came_late_the_channel_is_told(enter) -> None:
    """Fault 79"""
    async with enter() as town:
        await town.door.close()
        slow = Slow(town.florin.conversation)
        async with opened_door(town.peer, slow, defer_after_s=60):
            bo = town.person("bo")
            await bo.send("tip", to=town.user("cy"), amount="50")
            await slow.until(lambda: bool(slow.said))
            town.peer.forward(4)
            slow.may_answer.set()
            await town.peer.until(lambda: bool(told_in_channel(town, "50 coins")))
            assert await wallet(town, "bo") == 50


# --- fifteen minutes --------------------------------------------------------------------------------------------


async def test_when_the_token_died_everyone_is_told_in_the_channel(slowly) -> None:
    """Fault 79"""
    async with slowly() as (town, slow):
        interaction = await town.person("bo").send("tip", to=town.user("cy"), amount="50")
        await first_answer(town, interaction)
        town.peer.forward(16 * 60)
        slow.may_answer.set()
        await town.peer.until(lambda: bool(told_in_channel(town, "50 coins")))
        assert await wallet(town, "bo") == 50


async def test_when_the_token_died_what_is_private_is_told_directly(slowly) -> None:
    """Fault 79, fault 85: and who takes no messages finds it in /history."""
    async with slowly() as (town, slow):
        bo, cy = town.person("bo"), town.person("cy")
        cy.user.takes_messages = False
        sent = [
            await bo.send("tip", to=cy.user, amount="50", private=True),
            await cy.send("daily"),
        ]
        for interaction in sent:
            await first_answer(town, interaction)
        town.peer.forward(16 * 60)
        slow.may_answer.set()
        private = town.peer.private_channel(bo.user)
        await town.peer.until(lambda: bool(private.messages))
        await town.peer.until(
            lambda: any(request.status == 403 for request in town.peer.requests if request.method == "POST")
        )
        assert not told_in_channel(town, "50 coins")
        history = (await cy.use("history")).text
        assert "daily coins" in history
        assert "tip" in history


# --- requests that fail -----------------------------------------------------------------------------------------


def too_many(retry_after: float = 0.01) -> web.Response:
    body = b'{"message": "You are being rate limited.", "retry_after": %.3f, "global": false}' % retry_after
    return web.Response(status=429, body=body, headers={"Content-Type": "application/json", "Via": "1.1 google"})


def broken() -> web.Response:
    return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")


def torn() -> web.Response:
    return web.Response(status=200, body=b'{"interaction": {"id', headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(
    ("answer", "after"),
    [(too_many, False), (broken, False), (broken, True), (None, False), (None, True), (torn, True)],
    ids=["429", "502 before", "502 after", "line broken before", "line broken after", "answer torn off"],
)
async def test_a_first_answer_that_fails_is_given_again_and_seen_once(town, answer, after) -> None:
    """Fault 77, fault 78: no money effect is repeated, and no message."""
    bo = town.person("bo")
    town.peer.fail("POST", CALLBACK, answer, after=after)
    interaction = await bo.send("tip", to=town.user("cy"), amount="50")
    seen = await bo.sees(interaction)
    assert seen.text == "bo tipped cy 50 coins."
    assert await wallet(town, "bo") == 50
    assert len(told_in_channel(town, "50 coins")) == 1


async def test_when_discord_answers_nothing_the_money_stands(town) -> None:
    """Fault 78: `/history` has it."""
    bo = town.person("bo")
    town.peer.fail("POST", CALLBACK, None, times=3)
    await bo.send("tip", to=town.user("cy"), amount="50")
    await town.peer.until(lambda: bool(told_in_channel(town, "50 coins")))
    assert "tip" in (await bo.use("history")).text
    assert await wallet(town, "bo") == 50


async def test_a_channel_that_cannot_be_written_in_loses_no_money(slowly) -> None:
    """Fault 76"""
    async with slowly() as (town, slow):
        bo = town.person("bo")
        interaction = await bo.send("tip", to=town.user("cy"), amount="50")
        await first_answer(town, interaction)
        town.peer.forward(16 * 60)
        bo.channel.refused = 1 << 11
        slow.may_answer.set()
        await town.peer.until(lambda: any(request.status == 403 for request in town.peer.requests))
        assert await wallet(town, "bo") == 50


# --- the line ---------------------------------------------------------------------------------------------------


async def test_what_happened_while_the_line_was_cut_is_done_after_it_resumes(town) -> None:
    """Fault 81"""
    bo = town.person("bo")
    await town.peer.gateway.drop()
    await town.peer.until(lambda: not town.peer.gateway.connected())
    interaction = await bo.send("tip", to=town.user("cy"), amount="50")
    assert (await bo.sees(interaction)).text == "bo tipped cy 50 coins."
    assert town.peer.gateway.resumes == 1


async def test_an_interaction_that_is_told_twice_is_one(town) -> None:
    """Fault 81: a resumed session tells again what was not acknowledged."""
    bo = town.person("bo")
    interaction = await bo.send("tip", to=town.user("cy"), amount="50")
    assert (await bo.sees(interaction)).text == "bo tipped cy 50 coins."
    for count in (2, 3):
        await town.peer.deliver(interaction)
        await town.peer.until(lambda count=count: len(interaction.attempts) == count)
    assert await wallet(town, "bo") == 50
    assert len(told_in_channel(town, "50 coins")) == 1


async def test_a_session_that_cannot_be_resumed_is_begun_anew(town) -> None:
    """Fault 81"""
    bo = town.person("bo")
    town.peer.gateway.refuse_resume = True
    await town.peer.gateway.drop()
    await town.peer.until(lambda: len(town.peer.gateway.identifies) == 2)
    assert (await bo.use("tip", to=town.user("cy"), amount="50")).text == "bo tipped cy 50 coins."


async def test_two_processes_on_one_token_do_it_once(enter) -> None:
    """Fault 35: as while a new release takes over."""
    async with enter() as town, AsyncExitStack() as stack:
        other = await stack.enter_async_context(open_florin(town.address, town.clock))
        overheard = Overheard(other.conversation)
        await stack.enter_async_context(opened_door(town.peer, overheard))
        assert len(town.peer.gateway.connected()) == 2
        bo = town.person("bo")
        interaction = await bo.send("tip", to=town.user("cy"), amount="50")
        await town.peer.until(lambda: len(interaction.attempts) == 2)
        assert Seen(town.peer, interaction.seen[0], town.guild).text == "bo tipped cy 50 coins."
        assert len(interaction.seen) == 1
        assert len(told_in_channel(town, "50 coins")) == 1
        assert (await overheard._conversation.say(_balance(town))).fields["bonus"] == 50


def _balance(town) -> Invocation:
    bo = town.user("bo")
    person = Sighting(Identity("discord", str(bo.id)), "bo", present=True)
    return Invocation(act="discord:test:balance", person=person, place=place_of(town.guild.id), command="balance")


class Translated(Overheard):
    """Has everything in German, too."""

    def translated(self, text: str) -> dict[str, str]:
        return {"de": f"[de] {text}"}


async def test_commands_are_told_once_and_again_only_when_they_changed(enter) -> None:
    async with enter() as town:
        assert town.peer.command_uploads == 1
        await town.door.close()
        async with opened_door(town.peer, town.florin.conversation):
            assert town.peer.command_uploads == 1
        translated = Translated(town.florin.conversation)
        for _ in range(2):
            async with opened_door(town.peer, translated):
                assert town.peer.command_uploads == 2
        tip = next(command for command in town.peer.commands if command["name"] == "tip")
        assert tip["description_localizations"]["de"].startswith("[de] ")
        town.peer.commands.pop()
        async with opened_door(town.peer, town.florin.conversation):
            assert town.peer.command_uploads == 3


@pytest.mark.parametrize(
    "answer",
    [
        lambda: web.Response(status=503),
        lambda: web.Response(status=400, body=b'{"code": 50035, "message": "Invalid Form Body"}'),
        lambda: web.Response(status=429, text="banned for an hour"),
        None,
    ],
    ids=["503", "400", "429", "line broken"],
)
@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_commands_that_cannot_be_told_keep_nobody_from_being_served(enter, method: str, answer) -> None:
    """Fault 77: they are told at the next start."""
    async with enter() as town:
        await town.door.close()
        last = town.peer.commands.pop()
        town.peer.fail(method, "/commands$", answer, times=9)
        async with opened_door(town.peer, town.florin.conversation):
            assert (await town.person("bo").use("balance")).lines[0] == "You have 100 coins."
            assert town.peer.command_uploads == 1
        town.peer.failures.clear()
        async with opened_door(town.peer, town.florin.conversation):
            assert town.peer.command_uploads == 2
            assert town.peer.commands[-1]["name"] == last["name"]
