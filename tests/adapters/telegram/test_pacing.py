"""Telegram's limits: kept, in order of urgency; what does not fit is put together rather than dropped."""

import asyncio

import pytest
from telegram import Update

from adapters.telegram.intake import Taking
from adapters.telegram.pacing import WAITING_MAX, Bucket, Limits, Pacer, Urgency
from tests.support.telegram import Group, Telegram
from tests.support.telegram_town import serving


def test_a_bucket_gives_so_many_at_once_and_then_one_by_one():
    bucket = Bucket(3, 1.0)
    waits = []
    for _ in range(5):
        waits.append(bucket.wait_s(100.0))
        bucket.take(100.0 + waits[-1])
    assert waits == [0.0, 0.0, 0.0, 1.0, 2.0]


def test_twenty_a_minute_are_twenty_in_any_minute_after_the_first():
    bucket = Bucket(20, 3.0)
    now, sent = 0.0, []
    for _ in range(60):
        now += bucket.wait_s(now)
        bucket.take(now)
        sent.append(now)
    assert sum(1 for at in sent if at < 60) <= 40
    for start in (60.0, 90.0, 100.0):
        assert sum(1 for at in sent if start <= at < start + 60) <= 20


def test_whoever_is_told_to_wait_gives_nothing_before():
    bucket = Bucket(3, 1.0)
    bucket.hold(10.0)
    assert bucket.wait_s(4.0) == 6.0
    assert bucket.wait_s(10.0) == 0.0


async def sent_by(pacer: Pacer, order: list[str], name: str, chat: int, urgency: Urgency) -> None:
    async def send() -> bool:
        order.append(name)
        return True

    await pacer.process_request(send, (), {}, "sendMessage", {"chat_id": chat}, urgency)


async def test_answers_go_before_announcements():
    pacer = Pacer(Limits(overall_per_s=50, chat_per_s=50, chat_at_once=1, group_per_minute=6000))
    order: list[str] = []
    announced = [sent_by(pacer, order, f"news {n}", -1, Urgency.ANNOUNCEMENT) for n in range(4)]
    answered = [sent_by(pacer, order, f"answer {n}", -1, Urgency.ANSWER) for n in range(3)]
    await asyncio.gather(*announced, *answered)
    # The first had its turn at once; of those that waited, answers went first.
    assert order == ["news 0", "answer 0", "answer 1", "answer 2", "news 1", "news 2", "news 3"]
    await pacer.shutdown()


async def test_a_chat_that_waits_holds_up_no_other():
    pacer = Pacer(Limits(overall_per_s=1000, chat_per_s=1, chat_at_once=1, group_per_minute=6000))
    order: list[str] = []
    await sent_by(pacer, order, "first", -1, Urgency.ANSWER)
    waiting = asyncio.create_task(sent_by(pacer, order, "second", -1, Urgency.ANSWER))
    await sent_by(pacer, order, "elsewhere", -2, Urgency.ANSWER)
    assert order == ["first", "elsewhere"]
    await waiting
    assert order == ["first", "elsewhere", "second"]
    await pacer.shutdown()


async def test_what_is_no_message_waits_for_no_turn():
    pacer = Pacer(Limits(overall_per_s=1, chat_per_s=1, chat_at_once=1, group_per_minute=1))
    order: list[str] = []

    async def ask() -> bool:
        order.append("asked")
        return True

    for _ in range(20):
        await pacer.process_request(ask, (), {}, "getChatAdministrators", {"chat_id": -1}, None)
    assert len(order) == 20
    await pacer.shutdown()


async def test_a_chat_is_crowded_once_two_hundred_wait():
    pacer = Pacer(Limits(overall_per_s=1000, chat_per_s=1, chat_at_once=1, group_per_minute=6000))
    order: list[str] = []
    waiting = [asyncio.create_task(sent_by(pacer, order, "x", -1, Urgency.ANSWER)) for _ in range(WAITING_MAX)]
    await asyncio.sleep(0)
    # The first had its turn at once.
    assert not pacer.is_crowded(-1)
    waiting.append(asyncio.create_task(sent_by(pacer, order, "x", -1, Urgency.ANSWER)))
    await asyncio.sleep(0)
    assert pacer.is_crowded(-1)
    assert not pacer.is_crowded(-2)
    await pacer.shutdown()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_shutdown_waits_only_so_long_for_what_is_under_way():
    ended: list[str] = []

    async def take(update: Update) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(str(update.update_id))

    taking = Taking(take, within_s=0.01, finish_within_s=0.01)
    await taking.together([Update(1)])
    assert ended == []
    await taking.finish()
    assert ended == ["1"]


@pytest.fixture
async def hurried(there: Telegram, address, clock):
    """The bot, where a chat's budget is three messages at once, and one in a third of a second."""
    limits = Limits(overall_per_s=1000, chat_per_s=3, chat_at_once=3, group_per_minute=6000)
    async with serving(there, address, clock, limits=limits) as opened:
        yield opened


@pytest.fixture
async def group(there: Telegram, hurried) -> Group:
    group: Group = there.group("lobby", owner="ana")
    await there.settled(there.say("bo", "hello", group))
    await there.settled(there.say("ana", "/daily", group))
    there.shown.clear()
    return group


async def test_public_answers_that_wait_are_put_together(there, group):
    """Fault 77: nothing is dropped, and nothing said twice."""
    await there.settled(*(there.say("ana", f"/tip @bo {number}", group) for number in range(1, 10)))
    public = [shown.text for shown in there.seen_in(group)]
    said = [line for text in public for line in text.split("\n")]
    assert sorted(said) == sorted(
        f"ana tipped bo {number} {'coin' if number == 1 else 'coins'}." for number in range(1, 10)
    )
    assert len(public) < 9


async def test_what_was_put_together_can_be_taken_back_by_itself(there, group):
    await there.settled(*(there.say("ana", f"/tip @bo {number}", group) for number in range(1, 10)))
    await there.settled(there.say("ana", "/undo", group))
    said = [line for shown in there.seen_in(group) for line in shown.text.split("\n")]
    assert len(said) == 9
    assert sum("took back" in line for line in said) == 1


async def test_a_memory_that_is_away_makes_no_group_mute(there, hurried, group):
    """Fault 77: what is put together is said, though where it stands cannot be noted."""
    hurried.memory.away = {"post", "receipt"}
    for _ in range(2):
        before = len(there.seen_in(group))
        await there.settled(*(there.say("ana", "/tip @bo 2", group) for _ in range(6)))
        shown = there.seen_in(group)[before:]
        assert [line for each in shown for line in each.text.split("\n")] == ["ana tipped bo 2 coins."] * 6
        assert len(shown) < 6
