"""What goes together as a combo, and how it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Delivery, Told
from bot.combos import LATEST, OVER_AFTER, PAUSE, SENDS_MAX, STALE_AFTER, combo_of, ended, running
from bot.relay import RETRY_S, Relay
from bot.wording import Words
from economy.rules.gifting import Gifted
from economy.service import Notice, Outbox, Sent
from economy.settings import Settings
from economy.values import Coins, EntryNumber, Identity, MemberId, Place, Spot, receipt_id
from economy.views import Shown
from tests.bot.talk import LOBBY, StandingClock, Talk, people_of_the_lobby, talking, text_of
from tests.bot.test_relay import Door

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HERE = Spot("test", "lobby", "7")
ANA, BO, CY = MemberId(1), MemberId(2), MemberId(3)
NAMES = Words(
    "en", Settings(), {each: Shown(each, name, Identity("test", name)) for each, name in ((ANA, "ana"), (BO, "bo"))}
)


def sent(
    number: int,
    after_s: float = 0,
    *,
    gift: str = "rose",
    to: int = BO,
    count: int = 1,
    undone_by: int | None = None,
    told_in: Spot | None = HERE,
) -> Sent:
    """A gift from ana, so long after the start."""
    receipt = Gifted(
        sender=ANA,
        creator=MemberId(to),
        gift=gift,
        emoji="",
        count=count,
        price=Coins(2),
        cost=Coins(2 * count),
        bought=Coins(0),
        diamond=Coins(0),
        bonus=Coins(count),
        house=Coins(count),
        told_in=told_in,
    )
    undone = None if undone_by is None else EntryNumber(undone_by)
    return Sent(EntryNumber(number), START + timedelta(seconds=after_s), receipt, undone)


def numbers(around: list[Sent], of: int, as_of: int = LATEST) -> list[int] | None:
    combo = combo_of(around, EntryNumber(of), EntryNumber(as_of))
    return None if combo is None else [each.number for each in combo.sends]


# --- what goes together -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "goes"),
    [
        (sent(2, 30), True),
        (sent(2, 30.1), False),
        (sent(2, count=5), True),
        (sent(2, undone_by=3), True),
        (sent(2, gift="cake"), False),
        (sent(2, to=CY), False),
        (sent(2, told_in=Spot("test", "lobby", "8")), False),
        (sent(2, told_in=Spot("test", "garden", "7")), False),
        (sent(2, told_in=None), False),
    ],
)
def test_the_same_gift_to_the_same_member_in_the_same_spot_within_the_pause(other, goes):
    first = sent(1)
    assert numbers([first, other], 1) == ([1, 2] if goes else [1])
    assert (numbers([first, other], 2) or [0])[0] == (1 if goes else (2 if other.gift.told_in else 0))


def test_what_lies_between_ends_nothing():
    around = [sent(1), sent(2, 10, gift="cake"), sent(3, 29), sent(4, 40, to=CY), sent(5, 58), sent(6, 89)]
    assert [numbers(around, of) for of in (1, 3, 5)] == [[1, 3, 5]] * 3
    assert numbers(around, 6) == [6]


def test_a_clock_that_goes_back_a_little_ends_nothing():
    assert numbers([sent(1, 5), sent(2, 3), sent(3, 31)], 1) == [1, 2, 3]


def test_what_was_told_to_nobody_is_no_combo():
    """Its sender is not to be named, or nobody else saw it."""
    around = [sent(1, told_in=None), sent(2, told_in=None)]
    assert numbers(around, 2) is None
    assert numbers([sent(1)], 5) is None


def test_a_combo_is_as_it_was_after_an_entry():
    around = [sent(1), sent(2, undone_by=4), sent(3), sent(5)]
    for as_of, count in ((1, 1), (2, 2), (3, 3), (4, 2), (5, 3)):
        combo = combo_of(around, EntryNumber(1), EntryNumber(as_of))
        assert combo is not None
        assert (combo.key, combo.count, combo.cost) == (receipt_id(EntryNumber(1)), count, 2 * count)


def test_one_that_is_longer_than_can_be_read_is_none():
    around = [sent(number) for number in range(1, SENDS_MAX + 2)]
    assert numbers(around[:-1], SENDS_MAX) is not None
    assert numbers(around, SENDS_MAX + 1) is None
    assert numbers([*around[:-1], sent(SENDS_MAX + 1, gift="cake"), sent(SENDS_MAX + 2)], SENDS_MAX + 2) is None


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from(["rose", "cake"]), st.integers(1, 9), st.booleans()),
        min_size=1,
        max_size=30,
    )
)
def test_the_count_is_that_of_the_sends_that_stand(steps):
    """Every send is in one combo, and what its combo counts are the sends of it that stand."""
    around: list[Sent] = []
    at = 0
    for number, (pause, gift, count, undone) in enumerate(steps, start=1):
        at += pause
        around.append(sent(number, at, gift=gift, count=count, undone_by=number + 100 if undone else None))
    for each in around:
        combo = combo_of(around, each.number)
        assert combo is not None
        assert each in combo.sends
        assert all(combo_of(around, other.number) == combo for other in combo.sends)
        assert combo.count == sum(other.gift.count for other in combo.sends if other.undone_by is None)
        gaps = [after.at - before.at for before, after in zip(combo.sends, combo.sends[1:], strict=False)]
        assert all(gap <= PAUSE for gap in gaps)
        others = [other for other in around if other.gift.gift == each.gift.gift and other not in combo.sends]
        assert all(abs(other.at - mine.at) > PAUSE for other in others for mine in combo.sends)


@pytest.mark.parametrize(
    ("sends", "line", "end"),
    [
        ([sent(1)], "ana sent bo a rose (2).", None),
        ([sent(1), sent(2)], "ana sent bo rose x2 (4).", "ana's combo: 2 roses for bo."),
        ([sent(1, count=10), sent(2, count=2)], "ana sent bo rose x12 (24).", "ana's combo: 12 roses for bo."),
        ([sent(1), sent(2, undone_by=3)], "ana sent bo a rose (2).", None),
        ([sent(1, count=3), sent(2, undone_by=3)], "ana sent bo 3 roses (6).", None),
        ([sent(1, undone_by=4), sent(2, undone_by=3)], None, None),
        (
            [sent(1, gift="later", count=600), sent(2, gift="later", count=600)],
            "ana sent bo later x1,200 (2,400).",
            "ana's combo: 1,200 × later for bo.",
        ),
    ],
)
def test_how_a_combo_and_its_end_read(sends, line, end):
    combo = combo_of(sends, EntryNumber(1))
    assert combo is not None
    for told, wanted in ((running(combo, NAMES), line), (ended(combo, NAMES), end)):
        assert (None if told is None else "".join(span.text for span in told.spans)) == wanted


# --- in talk ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    await people_of_the_lobby(tmp_path)
    async with talking(tmp_path, run="second") as found:
        yield found


async def rose(talk: Talk, **more):
    return await talk.say("bo", "/gift rose @cy", channel="7", **more)


async def test_a_reply_says_which_strand_it_is_of_and_the_later_one_is_known(talk):
    first, second = await rose(talk), await rose(talk)
    third = await talk.press("bo", second, "Send again", channel="7")
    assert first.strand.begins
    assert not second.strand.begins
    assert first.strand.key == second.strand.key == first.mark
    assert first.strand.step < second.strand.step
    assert second.fields["combo"] == {"sends": 2, "count": 2, "cost": 2}
    assert "combo" not in first.fields
    assert third.strand.key == first.mark
    assert text_of(third) == "bo sent cy rose x3 (3)."


async def test_an_undo_is_of_the_strand_and_its_buttons_are_about_what_is_left(talk):
    first, second = await rose(talk), await rose(talk)
    undone = await talk.press("bo", second, "Undo")
    assert (undone.strand.key, undone.replaces) == (first.mark, second.receipt)
    assert undone.strand.step > second.strand.step
    assert undone.fields["combo"] == {"sends": 1, "count": 1, "cost": 1}
    again = await talk.press("bo", undone, "Undo")
    assert text_of(again) == "bo took back a gift to cy (1)."
    assert (again.strand.key, again.buttons) == (first.mark, ())


async def test_moderators_lower_the_count_too(talk):
    _, second = await rose(talk), await rose(talk)
    undone = await talk.say("mo", f"/undo {second.receipt} not nice", channel="7")
    assert text_of(undone).splitlines()[-1] == "bo sent cy a rose (1)."


async def test_the_undo_of_a_gift_that_stood_alone_is_of_no_strand(talk):
    first = await rose(talk)
    assert (await talk.press("bo", first, "Undo")).strand is None


async def test_the_same_message_again_gets_the_same_answer(talk):
    """Fault 25"""
    await rose(talk)
    act = talk.act()
    second = await rose(talk, act=act)
    await rose(talk)
    again = await rose(talk, act=act)
    assert (again.repeated, text_of(again), again.strand) == (True, text_of(second), second.strand)


async def test_what_nobody_else_sees_is_no_combo(talk):
    for _ in range(2):
        assert (await rose(talk, private=True)).strand is None
    await talk.say("ana", "/channels set #7 private")
    for _ in range(2):
        reply = await rose(talk)
        assert reply.strand is None


async def test_presses_at_once_settle_once_each_and_the_highest_step_says_all(talk):
    """Fault 35"""
    first = await rose(talk)
    replies = await asyncio.gather(*(talk.press("bo", first, "Send again", channel="7") for _ in range(20)))
    assert len({reply.receipt for reply in replies}) == 20
    latest = max(replies, key=lambda reply: reply.strand.step)
    assert text_of(latest) == "bo sent cy rose x21 (21)."
    assert {reply.strand.key for reply in replies} == {first.mark}
    assert (await talk.say("bo", "/balance")).fields["bonus"] == 100 - 21


# --- the end ----------------------------------------------------------------------------------------------------------


class Ends:
    """Several processes that relay for one store."""

    def __init__(self, talk: Talk, processes: int = 1) -> None:
        self.talk = talk
        self.doors = [Door() for _ in range(processes)]
        florin = talk.florin
        self._relays = [Relay(florin.outbox, florin.economy.reads, {"test": door}, talk.clock) for door in self.doors]

    @property
    def told(self) -> list[tuple[Place, str, str]]:
        return [(place, channel, text) for door in self.doors for place, channel, text, _ in door.told]

    async def relay(self) -> None:
        for _ in range(4):
            await asyncio.gather(*(relay.drain() for relay in self._relays))

    async def over(self) -> None:
        await self.relay()
        self.talk.clock.forward(seconds=OVER_AFTER.seconds)
        await self.relay()


async def test_the_end_is_told_once_where_the_combo_was(talk):
    """Fault 44: by one of two processes."""
    ends = Ends(talk, processes=2)
    for _ in range(3):
        await rose(talk)
    await ends.over()
    assert ends.told == [(LOBBY, "7", "bo's combo: 3 roses for cy.")]
    await ends.over()
    assert len(ends.told) == 1


async def test_a_combo_that_goes_on_does_not_end_yet(talk):
    ends = Ends(talk)
    for _ in range(3):
        await rose(talk)
        await ends.relay()
        talk.clock.forward(seconds=PAUSE.seconds)
        await ends.relay()
    assert ends.told == []
    await ends.over()
    assert [text for *_, text in ends.told] == ["bo's combo: 3 roses for cy."]


async def test_one_send_is_no_combo_and_neither_is_what_is_left_of_two(talk):
    ends = Ends(talk)
    await talk.say("bo", "/gift rose x12 @cy", channel="7")
    await ends.over()
    for _ in range(2):
        last = await rose(talk)
    await talk.press("bo", last, "Undo")
    await ends.over()
    assert ends.told == []


async def test_the_end_counts_what_stands(talk):
    ends = Ends(talk)
    replies = [await rose(talk) for _ in range(4)]
    await talk.press("bo", replies[-1], "Undo")
    await ends.over()
    assert [text for *_, text in ends.told] == ["bo's combo: 3 roses for cy."]


async def test_after_a_restart_another_tells_the_end(tmp_path):
    """Fault 45"""
    await people_of_the_lobby(tmp_path)
    clock = StandingClock()
    async with talking(tmp_path, clock, run="second") as talk:
        for _ in range(2):
            await rose(talk)
        await Ends(talk).relay()
    clock.forward(seconds=OVER_AFTER.seconds)
    async with talking(tmp_path, clock, run="third") as talk:
        ends = Ends(talk, processes=2)
        await ends.relay()
        assert [text for *_, text in ends.told] == ["bo's combo: 2 roses for cy."]


async def test_nobody_hears_of_an_end_that_is_long_past(talk):
    ends = Ends(talk)
    for _ in range(2):
        await rose(talk)
    await ends.relay()
    talk.clock.forward(seconds=STALE_AFTER.seconds + 60)
    await ends.relay()
    assert ends.told == []


class Shared:
    """An outbox whose communities meet everywhere."""

    def __init__(self, outbox: Outbox) -> None:
        self.done, self.later, self.becomes, self.hand_on = outbox.done, outbox.later, outbox.becomes, outbox.hand_on
        self.give_up, self.sweep = outbox.give_up, outbox.sweep
        self._outbox = outbox

    async def lease(
        self, now: datetime, *, limit: int, for_s: float, platforms: Collection[str] | None = None
    ) -> list[Notice]:
        return await self._outbox.lease(now, limit=limit, for_s=for_s)


async def test_a_process_without_the_door_leaves_the_end_to_one_that_has_it(talk):
    """The community meets on another platform as well, whose process is the first to look."""
    ends, florin = Ends(talk), talk.florin
    for _ in range(2):
        await rose(talk)
    await ends.relay()
    talk.clock.forward(seconds=OVER_AFTER.seconds)
    elsewhere = Door("other")
    blind = Relay(Shared(florin.outbox), florin.economy.reads, {"other": elsewhere}, talk.clock)
    assert await blind.drain() > 0
    assert elsewhere.told == []
    talk.clock.forward(seconds=int(RETRY_S))
    await ends.relay()
    assert [text for *_, text in ends.told] == ["bo's combo: 2 roses for cy."]


async def test_a_large_gift_of_a_combo_is_announced_as_ever_and_once(talk):
    await talk.say("ana", "/channels announcements #gifts")
    await talk.say("ana", "/settings announce_from 5")
    ends = Ends(talk)
    for _ in range(2):
        await talk.say("bo", "/gift rose x5 @cy", channel="7")
    await ends.over()
    lines = [(channel, line) for _, channel, text in ends.told for line in text.splitlines()]
    assert lines == [
        ("gifts", "bo sent cy 5 roses (5)."),
        ("gifts", "bo sent cy 5 roses (5)."),
        ("7", "bo's combo: 10 roses for cy."),
    ]


async def test_where_the_end_may_not_be_written_nobody_is_warned(talk):
    """Nobody chose that channel for the bot to write in unasked."""
    ends = Ends(talk)
    ends.doors[0].answers.append(Told(Delivery.REFUSED, "Send Messages"))
    for _ in range(2):
        await rose(talk)
    await ends.over()
    assert ends.doors[0].warned == []
