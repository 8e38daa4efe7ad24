"""One process with both doors open on one store: a Discord and a Telegram on loopback, and one community on both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.contract import Adapter
from adapters.discord.door import Door
from bot.relay import Relay
from economy.values import Identity, Place
from tests.adapters.discord.opening import opened_door
from tests.adapters.discord.peer import Peer
from tests.adapters.discord.people import Person
from tests.adapters.discord.rest import listening
from tests.adapters.discord.state import Guild
from tests.bot.talk import StandingClock
from tests.support.telegram import Group, Shown, Telegram, telegram
from tests.support.telegram_town import Opened, serving


@dataclass
class Both:
    """A server on Discord, owned by ana, where bo is; a group on Telegram, owned by eve, where dee is."""

    peer: Peer
    guild: Guild
    there: Telegram
    group: Group
    telegram: Opened
    discord: Door
    clock: StandingClock
    ana: Person
    bo: Person
    relay: Relay

    async def says(self, name: str, text: str) -> str:
        """What somebody says in the group is answered with."""
        before = {shown.id: shown.edits for shown in self.there.shown}
        await self.there.settled(self.there.say(name, text, self.group))
        told = [shown for shown in self.there.shown if before.get(shown.id) != shown.edits and not shown.removed]
        return "\n".join(shown.text for shown in told)

    async def presses(self, name: str, label: str) -> None:
        found: Shown = next(
            shown
            for shown in reversed(self.there.seen_by(name))
            if any(button["text"] == label for button in shown.buttons)
        )
        await self.there.settled(self.there.press(name, found, label))

    async def joins(self) -> None:
        """eve's group joins ana's server."""
        given = await self.ana.use("community join")
        assert given.is_private
        code = given.text.partition("The code is ")[2].partition(". ")[0]
        told = await self.says("eve", f"/community join {code}")
        assert "would share the community of Florin's friends" in told
        await self.presses("eve", "Confirm")

    async def tells(self) -> None:
        while await self.relay.drain():
            pass


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Both]:
    clock = StandingClock()
    async with AsyncExitStack() as opened:
        peer = await opened.enter_async_context(listening(Peer()))
        there = await opened.enter_async_context(telegram(clock.now))
        users = {name: peer.user(name) for name in ("ana", "bo")}
        guild = peer.guild("Florin's friends", users["ana"])
        for user in users.values():
            guild.join(user)
        group = there.group("The terrace", owner="eve")
        bot = await opened.enter_async_context(serving(there, f"sqlite:///{tmp_path / 'florin.db'}", clock))
        door = await opened.enter_async_context(opened_door(peer, bot.florin.conversation))
        ana, bo = (Person(peer, users[name], guild) for name in ("ana", "bo"))
        doors: dict[str, Adapter] = {"discord": door, "telegram": bot.door}
        relay = Relay(bot.florin.outbox, bot.florin.economy.reads, doors, clock)
        await there.settled(there.say("dee", "hello", group), there.say("eve", "hello", group))
        yield Both(peer, guild, there, group, bot, door, clock, ana, bo, relay)
        assert not peer.problems, peer.problems


async def test_a_gift_on_one_is_announced_on_the_other_and_the_boards_are_one(both: Both) -> None:
    """One community with a Discord place and a Telegram place in the same store."""
    ana, gifts = both.ana, both.guild.channel("gifts")
    await ana.use("settings", name="announce_from", value="3")
    await ana.use("channels announcements", channel=gifts)
    await ana.use("coins add", who=both.bo.user, amount=100, reason="to begin with")
    await both.joins()
    assert "announcements" in await both.says("eve", "/channels announcements #here")
    await both.tells()
    both.there.shown.clear()
    # On Discord, announced on Telegram.
    assert (await both.bo.use("gift", gift="rose", to=ana.user, count=5)).text == "bo sent ana 5 roses (5)."
    await both.tells()
    assert [message["content"] for message in gifts.messages.values()] == ["bo sent ana 5 roses (5)."]
    assert [shown.text for shown in both.there.seen_in(both.group)] == ["bo sent ana 5 roses (5)."]
    # On Telegram, announced on Discord.
    await both.says("dee", "/daily")
    assert "dee sent eve 7 roses (7)." in await both.says("dee", "/gift rose x7 @eve")
    await both.tells()
    assert [message["content"] for message in gifts.messages.values()][1:] == ["dee sent eve 7 roses (7)."]
    # And both are on one board, whoever asks.
    on_telegram = await both.says("eve", "/top supporters week")
    on_discord = await both.bo.use("top", board="supporters", period="week")
    for told in (on_telegram, on_discord.text):
        assert told.index("dee") < told.index("bo")


async def test_whoever_owns_the_group_that_joined_makes_no_coins_and_takes_it_out_again(both: Both) -> None:
    """Faults 105 and 108"""
    await both.says("eve", "/coins add @dee 30 before")
    await both.joins()
    assert "Only operators, owners" in await both.says("eve", "/coins add @dee 30 after")
    assert "Only owners may do this" in await both.says("eve", "/settings joined_staff treasurer")
    assert "Only owners may do this" in await both.says("eve", "/roles give @eve owner")
    assert "Only owners may do this" in await both.says("dee", "/community leave")
    seen = await both.ana.use("community")
    assert "The terrace" in seen.text
    assert "Telegram" in seen.text
    # What the community's owner says of them holds at once.
    await both.ana.use("settings", name="joined_staff", value="treasurer")
    assert "dee got 30 coins" in await both.says("eve", "/coins add @dee 30 after")
    await both.says("eve", "/community leave")
    await both.presses("eve", "Confirm")
    assert "You have 30 coins." in await both.says("dee", "/balance")
    assert (await both.ana.use("community")).text.startswith("This community meets in one place")
    assert "dee got 1 coin " in await both.says("eve", "/coins add @dee 1 mine again")


async def test_processes_with_one_door_each_tell_it_on_both(both: Both) -> None:
    ana, gifts = both.ana, both.guild.channel("gifts")
    await ana.use("settings", name="announce_from", value="3")
    await ana.use("channels announcements", channel=gifts)
    await ana.use("coins add", who=both.bo.user, amount=100, reason="to begin with")
    await both.joins()
    await both.says("eve", "/channels announcements #here")
    await both.tells()
    both.there.shown.clear()
    florin = both.telegram.florin
    doors: tuple[dict[str, Adapter], ...] = ({"discord": both.discord}, {"telegram": both.telegram.door})
    relays = [Relay(florin.outbox, florin.economy.reads, door, both.clock) for door in doors]
    for first, last in (relays, relays[::-1]):
        await both.bo.use("gift", gift="rose", to=ana.user, count=5)
        for relay in (first, last, first):
            while await relay.drain():
                pass
        both.clock.forward(minutes=5)
    told = ["bo sent ana 5 roses (5)."] * 2
    assert [message["content"] for message in gifts.messages.values()] == told
    assert [shown.text for shown in both.there.seen_in(both.group)] == told


async def test_what_joins_and_leaves_is_audited_and_mirrored(both: Both) -> None:
    staff = both.guild.channel("staff")
    await both.ana.use("channels log", channel=staff)
    await both.joins()
    await both.tells()
    assert any("community: + The terrace (telegram)" in message["content"] for message in staff.messages.values())
    assert "The terrace (telegram)" in (await both.ana.use("audit", kind="community")).text
    await both.says("eve", "/community leave")
    await both.presses("eve", "Confirm")
    await both.tells()
    assert any("community: - The terrace (telegram)" in message["content"] for message in staff.messages.values())


async def test_a_group_that_became_a_supergroup_is_still_with_the_others(both: Both) -> None:
    """Fault 74: under its new id it is the place that joined, and its owner no more than before."""
    await both.joins()
    new = both.there.group(both.group.title)
    new.members = dict(both.group.members)
    both.group.moved_to = new.id
    service = both.there.message("eve", None, new, migrate_from_chat_id=both.group.id)
    await both.there.settled(both.there.push({"message": service}))
    both.group = new
    assert "Only operators, owners" in await both.says("eve", "/coins add @dee 30 quiz")
    reader = await both.telegram.florin.economy.reads.reader(Place("telegram", str(new.id)), Identity("telegram", "0"))
    assert reader.home is not None
    await both.says("eve", "/community leave")
    await both.presses("eve", "Confirm")
    assert "dee got 30 coins" in await both.says("eve", "/coins add @dee 30 quiz")


async def test_a_code_in_an_open_group_is_that_groups_alone(both: Both) -> None:
    """Whoever reads it there and owns another group has nothing of it."""
    given = await both.ana.use("community join")
    code = given.text.partition("The code is ")[2].partition(". ")[0]
    await both.says("eve", f"/community join {code}")
    other = both.there.group("Mallory's", owner="dee")
    await both.there.settled(both.there.say("dee", f"/community join {code}", other))
    assert "This code does not work" in both.there.seen_by("dee")[-1].text
    await both.presses("eve", "Confirm")
    assert "The terrace" in (await both.ana.use("community")).text


async def test_what_was_shown_before_the_group_joined_does_nothing_after_it(both: Both) -> None:
    """Fault 18: numbers of receipts, thanks and what goes with them are another community's by then."""
    await both.says("eve", "/coins add @dee 50 before")
    await both.says("dee", "/tip @eve 5")
    tipped = next(shown for shown in both.there.seen_in(both.group) if "dee tipped eve 5 coins." in shown.text)
    await both.joins()
    await both.ana.use("coins add", who=both.bo.user, amount=100, reason="so that receipts have the same numbers")
    for _ in range(8):
        await both.says("dee", "/daily")
        await both.says("dee", "/tip @eve 1")
    edits = tipped.edits
    for name, label in (("eve", "Thank"), ("dee", "Undo")):
        both.there.alerts.clear()
        await both.there.settled(both.there.press(name, tipped, label))
        said = [text for _, text, _ in both.there.alerts] + [shown.text for shown in both.there.seen_by(name)[-1:]]
        assert any("This button no longer works" in text for text in said), said
    assert (tipped.edits, tipped.removed) == (edits, False)
    assert "You have 8 coins" in await both.says("eve", "/balance")


async def test_a_bot_that_was_removed_and_comes_back_finds_the_group_where_it_was(both: Both) -> None:
    """Fault 107: its owner has to prove nothing anew, and gains nothing by it."""
    await both.joins()
    await both.there.settled(both.there.bot_changes(both.group, "left", by="eve"))
    await both.there.settled(both.there.bot_changes(both.group, "administrator", by="eve", was="left"))
    assert "Only operators, owners" in await both.says("eve", "/coins add @dee 30 quiz")
    assert "The terrace" in (await both.ana.use("community")).text
