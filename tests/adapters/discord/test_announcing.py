"""What Discord is told unasked: announcements, what staff does, and words to an owner."""

from __future__ import annotations

import msgspec
import pytest
from aiohttp import web

from adapters.contract import Delivery, Line, Name, Plain, Reply, Visibility
from adapters.discord.door import Door
from adapters.discord.hearing import place_of
from adapters.discord.settings import DiscordSettings
from bot.relay import Relay
from economy.service import Identity
from tests.adapters.discord.opening import opened_door
from tests.adapters.discord.people import Person
from tests.adapters.discord.state import SEND_MESSAGES, VIEW_CHANNEL

REPLY = Reply(command=None, outcome="notice", visibility=Visibility.PUBLIC, nodes=(Line((Plain("a *yacht*"),)),))


@pytest.fixture
def relay(town) -> Relay:
    return Relay(town.florin.outbox, town.florin.economy.reads, {"discord": town.door}, town.clock)


async def told(town, channel, nonce: str = "n"):
    return await town.door.tell(place_of(town.guild.id), str(channel.id), REPLY, nonce=nonce)


async def test_a_large_gift_is_announced_in_the_channel_that_the_owner_chose(town, relay) -> None:
    ana, bo, gifts = town.person("ana"), town.person("bo"), town.guild.channel("gifts")
    seen = await ana.use("channels announcements", channel=gifts)
    assert seen.text == "From now on in #gifts: announcements."
    await ana.use("settings", name="announce_from", value="3")
    await bo.use("gift", gift="rose", to=town.user("cy"), count=5)
    while await relay.drain():
        pass
    (message,) = gifts.messages.values()
    assert message["content"] == "bo sent cy 5 roses (5)."
    assert message["pinged"] == []


async def test_what_staff_does_is_mirrored(town, relay) -> None:
    staff = town.guild.channel("staff")
    await town.person("ana").use("channels log", channel=staff)
    while await relay.drain():
        pass
    staff.messages.clear()
    await town.person("mo").use("coins add", who=town.user("cy"), amount=5, reason="won *the* quiz")
    await relay.drain()
    (message,) = staff.messages.values()
    assert message["content"].endswith('mo: coins: add 5 (free) → cy "won \\*the\\* quiz"')


async def test_the_same_nonce_is_seen_once(town) -> None:
    """Fault 78: a send whose answer was lost is sent again, and seen once."""
    channel = town.guild.channel("gifts")
    town.peer.fail("POST", "/messages$", None, after=True)
    first = await told(town, channel)
    again = await told(town, channel)
    assert (first.delivery, again.delivery) == (Delivery.LATER, Delivery.TOLD)
    assert len(channel.messages) == 1


@pytest.mark.parametrize(("people", "pinged"), [(100, 100), (101, 0)])
async def test_so_many_are_named_and_more_than_discord_pings_are_pinged_not_at_all(town, people, pinged) -> None:
    who = [Identity("discord", str(town.peer.user(f"fan {number}").id)) for number in range(people)]
    names = tuple(Name(f"fan {number}; ", each) for number, each in enumerate(who))
    news = msgspec.structs.replace(REPLY, nodes=(Line(names),), pings=tuple(who))
    gifts = town.guild.channel("gifts")
    found = await town.door.tell(place_of(town.guild.id), str(gifts.id), news, nonce="n")
    assert found.delivery is Delivery.TOLD
    (message,) = gifts.messages.values()
    assert len(message["pinged"]) == pinged
    if not pinged:
        assert message["content"].endswith("fan 99; fan 100; ")


async def test_before_the_door_is_open_and_after_it_is_closed_it_is_told_later(enter, peer) -> None:
    """Fault 77: as while the bot logs in, with news in the store."""
    async with enter() as town:
        gifts = town.guild.channel("gifts")
        chosen = DiscordSettings(token=peer.token, api_url=peer.url, gateway_url=peer.gateway_url)
        early = Door(chosen, town.florin.conversation)
        news = (place_of(town.guild.id), str(gifts.id), REPLY)
        assert (await early.tell(*news, nonce="n")).delivery is Delivery.LATER
        await early.warn(place_of(town.guild.id), REPLY)
        await town.door.close()
        assert (await told(town, gifts)).delivery is Delivery.LATER
        await town.door.warn(place_of(town.guild.id), REPLY)
        assert not gifts.messages
        async with opened_door(peer, town.florin.conversation) as door:
            assert (await door.tell(*news, nonce="n")).delivery is Delivery.TOLD


@pytest.mark.parametrize("status", [500, 503])
async def test_when_discord_is_down_it_is_told_later(town, status: int) -> None:
    """Fault 77"""
    town.peer.fail("POST", "/messages$", lambda: web.Response(status=status), times=1)
    found = await told(town, town.guild.channel("gifts"))
    assert found.delivery in (Delivery.LATER, Delivery.TOLD)
    assert (await told(town, town.guild.channel("gifts"))).delivery is Delivery.TOLD
    assert len(town.guild.channel("gifts").messages) == 1


@pytest.mark.parametrize(
    ("refused", "needed"), [(VIEW_CHANNEL, "View Channel, Send Messages"), (SEND_MESSAGES, "Send Messages")]
)
async def test_a_channel_that_cannot_be_written_in_says_what_is_missing(enter, peer, refused, needed) -> None:
    """Fault 76"""
    async with enter() as town:
        closed = town.guild.channel("closed")
        closed.refused = refused
        data = closed.payload()
        await peer.gateway.tell("CHANNEL_CREATE", data, town.guild.id)
        await town.person("bo").use("balance")
        found = await told(town, closed)
        assert (found.delivery, found.needed) == (Delivery.REFUSED, needed)
        del town.guild.channels[closed.id]
        gone = await told(town, closed)
        assert (gone.delivery, gone.needed) == (Delivery.REFUSED, "the channel itself: it is gone")


async def test_a_channel_of_another_server_is_no_channel_here(enter, peer) -> None:
    """Fault 105: its number can be written by anyone, and Discord would let the bot write there."""
    other = peer.guild("other", peer.user("dan"))
    async with enter() as town:
        ana, theirs, ours = town.person("ana"), other.channel("general"), town.guild.channel("general")
        private = town.peer.private_channel(ana.user)

        async def name(channel) -> str:
            asked = await ana.say(f"<@{peer.bot.id}> channels announcements <#{channel.id}>")

            def answers() -> list[dict]:
                everything = [*ana.channel.messages.values(), *private.messages.values()]
                mine = [each for each in everything if each["author"]["id"] == str(peer.bot.id)]
                return [each for each in mine if int(each["id"]) > int(asked["id"])]

            await peer.until(lambda: bool(answers()))
            return str(answers()[0]["content"])

        assert (await name(theirs)).startswith("Name a channel")
        assert (await name(ours)).startswith("From now on in #general: announcements.")
        found = await told(town, theirs)
        assert (found.delivery, found.needed) == (Delivery.REFUSED, "a channel of this server")
        assert not theirs.messages


async def test_the_owner_is_told_directly_and_once(town, relay) -> None:
    """Fault 76, fault 85: and an owner who takes no messages breaks nothing."""
    ana, gifts = town.person("ana"), town.guild.channel("gifts")
    await ana.use("channels announcements", channel=gifts)
    await ana.use("settings", name="announce_from", value="1")
    gifts.refused = SEND_MESSAGES
    for _ in range(2):
        await town.person("bo").use("gift", gift="rose", to=town.user("cy"))
        while await relay.drain():
            pass
    private = town.peer.private_channel(ana.user)
    (message,) = private.messages.values()
    assert message["content"].startswith("I cannot write to #gifts.")
    ana.user.takes_messages = False
    await town.door.warn(place_of(town.guild.id), REPLY)
    assert len(private.messages) == 1


async def test_a_quiet_channel_hears_of_commands_in_private_or_not_at_all(town) -> None:
    chat = town.guild.channel("chat")
    ana, bo = town.person("ana"), Person(town.peer, town.user("bo"), town.guild, chat)
    await ana.use("channels set", channel=chat, use="private")
    assert (await bo.use("tip", to=town.user("cy"), amount="1")).is_private
    assert not (await town.person("bo").use("tip", to=town.user("cy"), amount="1")).is_private
    await ana.use("channels set", channel=chat, use="none")
    no = await bo.use("tip", to=town.user("cy"), amount="1")
    assert no.text == "No commands are answered in this channel. Use another one."
    assert no.is_private
    shown = await Person(town.peer, ana.user, town.guild, chat).use("channels show")
    assert shown.text == "#chat: no commands"
