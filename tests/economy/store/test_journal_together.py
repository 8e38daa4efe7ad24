"""Orders that arrive at the same moment: in one batch, in one process, in two."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial

import pytest
from sqlalchemy import event

from economy.refusals import Code, Refusal
from economy.rules.adjusting import Action
from economy.rules.safety import Freeze, FreezeAll, Scope
from economy.store.journal import StoreJournal
from economy.values import Place, Reason
from tests.economy.store.acting import Acting, adjust, person, refusal_of, tip
from tests.economy.store.audit import bonus, rows
from tests.support.stores import open_store


@pytest.fixture
async def neighbour(address, clock) -> AsyncIterator[Acting]:
    """The same people, speaking through another journal with a store object of its own on the same database."""
    async with await open_store(address) as store, StoreJournal(store, clock) as journal:
        yield Acting(journal, prefix="neighbour")


async def test_of_many_tips_with_funds_for_seven_seven_succeed(acting, store):
    """Fault 23"""
    await acting.grant(ana=75)
    answers = await acting.together(*(tip("ana", "bo") for _ in range(30)))
    assert sum(answer.number is not None for answer in answers) == 7
    assert {refusal_of(answer).code for answer in answers if answer.number is None} == {Code.INSUFFICIENT_FUNDS}
    assert (await bonus(store, "ana"), await bonus(store, "bo")) == (5, 70)


async def test_of_many_tips_through_two_journals_as_many_succeed_as_there_are_funds(acting, neighbour, store):
    """Fault 23"""
    await acting.grant(ana=75)
    answers = await asyncio.gather(
        *(each.submit(tip("ana", "bo")) for _ in range(20) for each in (acting, neighbour)),
    )
    assert sum(answer.number is not None for answer in answers) == 7
    assert (await bonus(store, "ana"), await bonus(store, "bo")) == (5, 70)


async def test_crossing_tips_all_arrive(acting, neighbour, store):
    """Fault 24"""
    await acting.grant(ana=100, bo=100)
    orders = [tip("ana", "bo", amount=3), tip("bo", "ana", amount=2)] * 10
    answers = await asyncio.gather(
        *(each.submit(order) for order in orders for each in (acting, neighbour)),
    )
    assert all(answer.number for answer in answers)
    assert (await bonus(store, "ana"), await bonus(store, "bo")) == (80, 120)


async def test_a_hot_creator_makes_others_wait_their_turn_and_no_longer(acting, store):
    """Fault 34: a queue, not an error; and whoever comes in the midst of a flood is not behind all of it."""
    senders = [f"sender{number}" for number in range(20)]
    await acting.grant(**dict.fromkeys(senders, 1_000), ana=10)
    answered: list[int] = []

    def tell(number: int, _done: asyncio.Task) -> None:
        answered.append(number)

    def flood(first: int, last: int) -> list[asyncio.Task]:
        tips = [asyncio.create_task(acting.submit(tip(senders[n % 20], "star", amount=1))) for n in range(first, last)]
        for number, task in enumerate(tips, start=first):
            task.add_done_callback(partial(tell, number))
        return tips

    before = flood(0, 2_500)
    quiet = asyncio.create_task(acting.submit(tip("ana", "bo")))
    quiet.add_done_callback(partial(tell, -1))
    after = flood(2_500, 5_000)
    answers = await asyncio.gather(*before, quiet, *after)
    assert all(answer.number for answer in answers)
    assert (await bonus(store, "star"), await bonus(store, "bo")) == (5_000, 10)
    assert answered == [*range(2_500), -1, *range(2_500, 5_000)], "in order of arrival"


async def test_a_hot_creator_in_two_journals_is_paid_by_all(acting, neighbour, store):
    """Fault 34: both want the same account at every moment."""
    await acting.grant(ana=1_000, cy=1_000)
    answers = await asyncio.gather(
        *(
            each.submit(tip(by, "star", amount=1))
            for _ in range(300)
            for each, by in ((acting, "ana"), (neighbour, "cy"))
        )
    )
    assert all(answer.number for answer in answers)
    assert await bonus(store, "star") == 600


async def test_one_key_through_two_journals_acts_once(acting, neighbour, store):
    """Faults 25 and 35"""
    await acting.grant(ana=100)
    answers = await asyncio.gather(
        *(each.submit(tip("ana", "bo"), key="act:once") for _ in range(5) for each in (acting, neighbour)),
    )
    assert Counter(answer.repeated for answer in answers) == {False: 1, True: 9}
    assert len({answer.number for answer in answers}) == 1
    assert await bonus(store, "bo") == 10


async def test_two_journals_number_entries_without_gaps(acting, neighbour, store):
    await acting.grant(ana=100)
    await asyncio.gather(*(each.submit(tip("ana", "bo", amount=1)) for _ in range(15) for each in (acting, neighbour)))
    numbers = [number for (number,) in await rows(store, "SELECT number FROM entries ORDER BY number")]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_a_correction_amid_tips_is_one_of_them(acting, store):
    """Fault 29"""
    await acting.grant(ana=100)
    answers = await acting.together(
        *(tip("ana", "bo") for _ in range(4)),
        adjust("ana", 15, Action.SET),
        *(tip("ana", "bo") for _ in range(4)),
    )
    assert [answer.number is not None for answer in answers] == [True] * 6 + [False] * 3
    assert (await bonus(store, "ana"), await bonus(store, "bo")) == (5, 50)


async def test_a_correction_through_another_journal_never_takes_more_than_there_is(acting, neighbour, store):
    """Fault 29"""
    await acting.grant(ana=100)
    tips = [acting.submit(tip("ana", "bo", amount=7)) for _ in range(10)]
    cuts = [neighbour.submit(adjust("ana", 8, Action.REMOVE)) for _ in range(10)]
    answers = await asyncio.gather(*tips, *cuts)
    tipped = sum(answer.number is not None for answer in answers[:10])
    cut = sum(answer.number is not None for answer in answers[10:])
    assert await bonus(store, "ana") == 100 - 7 * tipped - 8 * cut
    assert 0 <= await bonus(store, "ana") < 8


@pytest.mark.parametrize("everyone", [True, False])
async def test_a_freeze_amid_tips_parts_them_into_done_and_refused(acting, store, everyone):
    """Fault 31"""
    await acting.grant(ana=100)
    owner, why = person("owner"), Reason("a raid")
    one = Freeze(by=owner, member=person("ana"), scope=Scope.SEND, reason=why)
    freeze = FreezeAll(by=owner, frozen=True, reason=why) if everyone else one
    answers = await acting.together(tip("ana", "bo"), tip("ana", "bo"), freeze, tip("ana", "bo"))
    assert answers[0].number < answers[1].number < answers[2].number
    assert refusal_of(answers[3]).code is Code.FROZEN
    assert await bonus(store, "bo") == 20


async def test_a_freeze_through_another_journal_leaves_no_tip_behind_it(acting, neighbour, store):
    """Fault 31"""
    await acting.grant(ana=100)
    freeze = FreezeAll(by=person("owner"), frozen=True, reason=Reason("a raid"))
    answers = await asyncio.gather(
        *(acting.submit(tip("ana", "bo", amount=1)) for _ in range(10)),
        neighbour.submit(freeze),
        *(acting.submit(tip("ana", "bo", amount=1)) for _ in range(10)),
    )
    frozen = answers[10].number
    tips = [answer for answer in answers if answer.number != frozen]
    assert all(answer.number is None or answer.number < frozen for answer in tips)
    assert {refusal_of(answer).code for answer in tips if isinstance(answer.outcome, Refusal)} <= {Code.FROZEN}


async def test_communities_share_a_batch_and_nothing_else(acting, journal, store):
    elsewhere = Acting(journal, Place("console", "elsewhere"), prefix="elsewhere")
    await asyncio.gather(acting.grant(ana=100), elsewhere.grant(ana=50))
    await asyncio.gather(acting.submit(tip("ana", "bo")), elsewhere.submit(tip("ana", "bo", amount=20)))
    found = await rows(
        store, "SELECT community_id, balance FROM accounts WHERE owner > 0 ORDER BY community_id, balance"
    )
    assert found == [(1, 10), (1, 90), (2, 20), (2, 30)]


async def test_a_batch_costs_as_many_statements_however_large_it_is(acting, store):
    await acting.grant(ana=1_000)
    await acting.done(tip("ana", "bo", amount=1))
    statements: list[str] = []

    @event.listens_for(store.writer.sync_engine, "before_cursor_execute")
    def count(_connection, _cursor, statement, *_more):
        statements.append(statement)

    asked = {}
    for size in (1, 10, 200):
        statements.clear()
        await acting.together(*(tip("ana", "bo", amount=1) for _ in range(size)))
        asked[size] = list(statements)
    assert asked[1] == asked[10] == asked[200]
    assert len(asked[1]) <= 9
