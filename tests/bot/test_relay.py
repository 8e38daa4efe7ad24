"""The relay: what is told where, what is told together, and what becomes of what cannot be told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapters.contract import Delivery, Reply, Told
from bot.relay import CLOSED_S, LEASE_S, LINES_MAX, RETRY_S, Relay
from economy.service import TELLING_ATTEMPTS_MAX
from economy.values import Place
from tests.bot.talk import LOBBY, StandingClock, Talk, people_of_the_lobby, talking, text_of

BROKEN = "the door breaks"


@dataclass
class Door:
    """Writes down what it is to tell; answers `answers` one after the other, then that it was told."""

    platform: str = "test"
    answers: list[Told] = field(default_factory=list)
    told: list[tuple[Place, str, str, str]] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None: ...

    async def close(self) -> None: ...

    async def tell(self, place: Place, channel: str, reply: Reply, *, nonce: str) -> Told:
        self.told.append((place, channel, text_of(reply), nonce))
        self.news.set()
        answer = self.answers.pop(0) if self.answers else Told(Delivery.TOLD)
        if answer.needed == BROKEN:
            raise RuntimeError(BROKEN)
        return answer

    async def warn(self, place: Place, reply: Reply) -> None:
        self.warned.append(text_of(reply))


@dataclass
class Scene:
    talk: Talk
    door: Door
    relay: Relay
    clock: StandingClock


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Everything of the set-up has been relayed, to nobody."""
    await people_of_the_lobby(tmp_path)
    clock = StandingClock()
    async with talking(tmp_path, clock, run="second") as talk:
        door = Door()
        relay = Relay(talk.florin.outbox, talk.florin.economy.reads, {"test": door}, clock)
        while await relay.drain():
            pass
        assert door.told == []
        await talk.say("ana", "/coins add @bo 50,000 for gifts")
        await talk.say("ana", "/channels announcements #gifts")
        await relay.drain()
        yield Scene(talk, door, relay, clock)


async def gift(scene: Scene, name: str, count: int = 1) -> str:
    reply = await scene.talk.say("bo", f"/gift {name} x{count} @cy")
    if reply.outcome == "confirm":
        reply = await scene.talk.press("bo", reply, "Confirm")
    assert reply.outcome == "gift"
    assert reply.receipt is not None
    return reply.receipt


async def test_large_gifts_are_announced_and_small_ones_are_not(scene):
    await gift(scene, "rose")
    await gift(scene, "yacht")
    await scene.talk.say("bo", "/tip @cy 50")
    await scene.relay.drain()
    assert [(place, channel, text) for place, channel, text, _ in scene.door.told] == [
        (LOBBY, "gifts", "bo sent cy a yacht (10,000).")
    ]
    assert await scene.relay.drain() == 0


async def test_a_large_gift_of_who_stays_unnamed_is_announced_without_their_name(scene):
    """Fault 109: the public sees a moderator, and the audit, which moderators read, has the name."""
    await scene.talk.say("ana", "/settings announce_from 1")
    told = await scene.talk.say("bo", "/gift rose @cy", veiled=True)
    await scene.relay.drain()
    assert scene.door.told[-1][2] == "a moderator sent cy a rose (1)."
    assert text_of(told) == scene.door.told[-1][2]
    assert "bo" in text_of(await scene.talk.say("ana", "/audit kind:gift"))


async def test_the_owner_says_from_how_much_on(scene):
    await scene.talk.say("ana", "/settings announce_from 1")
    await gift(scene, "rose")
    await scene.relay.drain()
    assert scene.door.told[-1][2] == "bo sent cy a rose (1)."


async def test_a_gift_that_was_taken_back_is_not_announced(scene):
    await gift(scene, "yacht")
    await scene.talk.say("bo", "/undo")
    await scene.relay.drain()
    assert scene.door.told == []


async def test_what_staff_does_is_told_in_the_log_channel(scene):
    await scene.talk.say("ana", "/channels log #staff")
    receipt = (await scene.talk.say("mo", "/coins add @cy 5 won the quiz")).receipt
    await scene.talk.say("ana", "/settings undo_window 30")
    tip = (await scene.talk.say("bo", "/tip @cy 5")).receipt
    await scene.talk.say("bo", "/undo")
    other = (await scene.talk.say("bo", "/tip @cy 6")).receipt
    await scene.talk.say("mo", f"/undo {other} a mistake")
    await scene.relay.drain()
    (place, channel, text, _) = scene.door.told[-1]
    assert (place, channel) == (LOBBY, "staff")
    lines = text.splitlines()
    assert f'{receipt} mo: coins: add 5 (free) → cy "won the quiz"' in lines
    assert any(line.endswith("setting.undo_window – → 30") for line in lines)
    assert any(line.endswith(f'mo: undo: {other} "a mistake"') for line in lines)
    assert not any(tip in line for line in lines)


async def test_what_happens_together_is_told_together_within_limits(scene):
    """A flood of gifts is few messages."""
    await scene.talk.say("ana", "/settings announce_from 1")
    for _ in range(LINES_MAX + 3):
        await gift(scene, "rose")
    await scene.relay.drain()
    assert [len(text.splitlines()) for _, _, text, _ in scene.door.told] == [LINES_MAX, 3]


async def test_every_place_with_a_channel_is_told(scene):
    """E7: on every place of the community that has one."""
    scene.door.platform = "test"
    await gift(scene, "yacht")
    await scene.talk.say("ana", "/channels announcements")
    await scene.relay.drain()
    assert scene.door.told == []


async def test_what_cannot_be_told_now_is_told_later_with_the_same_nonce(scene):
    """Fault 77: no money effect, and no second message."""
    scene.door.answers = [Told(Delivery.LATER)]
    await gift(scene, "yacht")
    assert await scene.relay.drain() == 1
    assert await scene.relay.drain() == 0
    scene.clock.forward(seconds=int(RETRY_S))
    assert await scene.relay.drain() == 1
    (first, second) = scene.door.told
    assert first == second


async def test_what_can_never_be_told_is_given_up(scene):
    """Fault 76: and the money stands."""
    scene.door.answers = [Told(Delivery.LATER)] * (TELLING_ATTEMPTS_MAX + 5)
    await gift(scene, "yacht")
    for _ in range(TELLING_ATTEMPTS_MAX + 5):
        await scene.relay.drain()
        scene.clock.forward(hours=1)
    assert len(scene.door.told) == TELLING_ATTEMPTS_MAX


async def test_a_process_that_dies_after_telling_leaves_at_most_one_repeat(scene):
    """Fault 44: recognisable, as it has the same nonce."""
    await gift(scene, "yacht")
    taken = await scene.talk.florin.outbox.lease(scene.clock.now(), limit=10, for_s=LEASE_S)
    assert len(taken) == 1
    assert await scene.relay.drain() == 0
    scene.clock.forward(seconds=int(LEASE_S))
    assert await scene.relay.drain() == 1
    assert len(scene.door.told) == 1


async def test_the_owner_is_told_once_what_is_missing_where(scene):
    """Fault 76"""
    scene.door.answers = [Told(Delivery.REFUSED, "Send Messages")] * 2
    for _ in range(2):
        await gift(scene, "yacht")
        await scene.relay.drain()
        scene.clock.forward(seconds=int(CLOSED_S))
    assert scene.door.warned == ["I cannot write to #gifts. There I need: Send Messages."]
    await gift(scene, "yacht")
    await scene.relay.drain()
    scene.door.answers = [Told(Delivery.REFUSED, "View Channel")]
    await gift(scene, "yacht")
    await scene.relay.drain()
    assert len(scene.door.warned) == 2


async def test_a_channel_that_refused_is_left_alone_for_a_while(scene):
    """Fault 77: who asks for what is refused again and again is banned."""
    scene.door.answers = [Told(Delivery.REFUSED, "Send Messages")]
    for _ in range(5):
        await gift(scene, "rose", 1_000)
        await scene.relay.drain()
    assert len(scene.door.told) == 1
    scene.clock.forward(seconds=int(CLOSED_S))
    await gift(scene, "rose", 1_000)
    await scene.relay.drain()
    assert len(scene.door.told) == 2


async def test_a_commit_wakes_the_relay(scene):
    scene.talk.florin.on_commit(scene.relay.wake)
    running = asyncio.create_task(scene.relay.run())
    await gift(scene, "yacht")
    async with asyncio.timeout(10):
        await scene.door.news.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert scene.door.told[0][2] == "bo sent cy a yacht (10,000)."


async def test_a_message_that_breaks_a_door_is_tried_again_and_holds_up_no_other(scene):
    """Fault 78"""
    await scene.talk.say("ana", "/channels log #staff")
    await scene.relay.drain()
    scene.door.told.clear()
    scene.door.answers = [Told(Delivery.REFUSED, BROKEN)]
    await gift(scene, "yacht")
    await scene.talk.say("ana", "/coins add @bo 5 a prize")
    await scene.relay.drain()
    assert {channel for _, channel, _, _ in scene.door.told} == {"gifts", "staff"}
    scene.door.told.clear()
    scene.clock.forward(seconds=int(RETRY_S))
    await scene.relay.drain()
    assert len(scene.door.told) == 1, "only what failed"
