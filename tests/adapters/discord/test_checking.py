"""What `florin doctor` finds out about the bot on Discord."""

from __future__ import annotations

import pytest
from aiohttp import web

from adapters.discord.checking import look
from adapters.discord.found import PERMISSIONS, PERMISSIONS_NEEDED, DiscordState, GuildState, invite_link, lacking
from adapters.discord.settings import DiscordSettings
from bot.commands.registry import specs
from bot.doctor_discord import examined_on_discord
from bot.findings import State
from tests.adapters.discord.peer import Peer
from tests.adapters.discord.state import ADMINISTRATOR, SEND_MESSAGES, VIEW_CHANNEL


def settings(peer: Peer, **rest) -> DiscordSettings:
    return DiscordSettings(**{"token": peer.token, "api_url": peer.url, "gateway_url": peer.gateway_url, **rest})


def states(found: DiscordState) -> dict[str, State]:
    return {finding.about: finding.state for finding in examined_on_discord(found)}


async def test_all_is_well(town) -> None:
    found = await look(settings(town.peer), specs())
    assert (found.name, found.application_id) == ("florin", town.peer.application_id)
    assert found.commands_in_sync
    assert found.guilds == (GuildState("lobby", ()),)
    assert set(states(found).values()) == {State.OK}


async def test_a_wrong_token_is_told_and_not_repeated(peer: Peer) -> None:
    """Fault 129"""
    found = await look(settings(peer, token="test-canary"), specs())
    (finding,) = examined_on_discord(found)
    assert finding.state is State.WRONG
    assert "does not take the token" in finding.words
    assert "canary" not in finding.words


async def test_discord_that_is_down_is_told(peer: Peer) -> None:
    peer.fail("GET", "/users/@me$", lambda: web.Response(status=403, text="no"))
    found = await look(settings(peer), specs())
    assert found.problem == "Discord could not be asked (Forbidden)"


async def test_commands_of_another_release_are_noted(town) -> None:
    town.peer.commands.pop()
    found = await look(settings(town.peer), specs())
    assert states(found)["discord commands"] is State.WARNING
    assert town.peer.command_uploads == 1


@pytest.mark.parametrize(("flags", "state"), [(0, State.WRONG), (1 << 14, State.OK), (1 << 15, State.OK)])
async def test_a_members_intent_that_discord_does_not_give_is_wrong(town, flags: int, state: State) -> None:
    town.peer.flags = flags
    found = await look(settings(town.peer, members_intent=True), specs())
    assert states(found)["discord intents"] is state


async def test_every_server_is_looked_at_page_by_page(town) -> None:
    owner = town.user("ana")
    for number in range(250):
        town.peer.guild(f"server {number}", owner)
    late = town.peer.guild("the last\x1b one", owner)
    late.bot_permissions = VIEW_CHANNEL
    found = await look(settings(town.peer), specs())
    assert len(found.guilds) == 252
    told = [finding.words for finding in examined_on_discord(found) if finding.about == "discord servers"]
    assert told[0] == (
        "the last\\x1b one lacks Send Messages, Send Messages in Threads, Embed Links, Attach Files, Read Message"
        " History"
    )
    assert invite_link(found.application_id) in told[1]


async def test_a_bot_in_no_server_gets_its_link(peer: Peer) -> None:
    found = await look(settings(peer), specs())
    (finding,) = [finding for finding in examined_on_discord(found) if finding.about == "discord servers"]
    assert str(PERMISSIONS_NEEDED) in finding.words


def test_whoever_may_do_everything_lacks_nothing() -> None:
    assert lacking(ADMINISTRATOR) == ()
    assert lacking(PERMISSIONS_NEEDED & ~SEND_MESSAGES) == ("Send Messages",)
    assert len(lacking(0)) == len(PERMISSIONS)


def test_an_interactions_endpoint_is_wrong() -> None:
    assert states(DiscordState(interactions_go_elsewhere=True))["discord interactions"] is State.WRONG


def test_the_permissions_are_those_that_the_library_knows_by_these_names() -> None:
    import discord  # noqa: PLC0415

    held = {name for name, value in discord.Permissions(PERMISSIONS_NEEDED) if value}
    assert held == {
        "read_messages",  # how the library calls View Channels
        "send_messages",
        "send_messages_in_threads",
        "embed_links",
        "attach_files",
        "read_message_history",
    }
