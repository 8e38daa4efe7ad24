"""What every command asks first is asked for all of them together, and never answered out of what was true before."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import text

from economy.store.reads import StoreReads
from economy.store.reads.gathering import Gathered
from economy.values import Identity
from tests.economy.projections.town import person
from tests.economy.store import acting as acts
from tests.economy.store.acting import Acting
from tests.economy.store.plans import collected


class Doubled:
    """A question: twice a number. `groups` are those that were asked together; 13 cannot be answered."""

    def __init__(self, store) -> None:
        self.groups: list[list[int]] = []
        self.begun = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.asked = Gathered(store, self._find)

    async def _find(self, connection, _bulk, numbers: Sequence[int]) -> dict[int, int]:
        self.groups.append(list(numbers))
        self._loop.call_soon_threadsafe(self.begun.set)
        if 13 in numbers:
            raise ValueError("thirteen")
        found = {}
        for number in numbers:
            found[number] = (await connection.execute(text(f"SELECT {number} * 2"))).scalar_one()
        return found


@pytest.fixture
async def doubled(store) -> Doubled:
    return Doubled(store)


async def test_who_asks_at_the_same_time_is_answered_by_one_look(doubled):
    answers = await asyncio.gather(*(doubled.asked.ask(number) for number in (1, 2, 3, 2)))
    assert answers == [2, 4, 6, 4]
    assert doubled.groups == [[1, 2, 3]]


async def test_who_asks_while_a_look_is_under_way_is_answered_by_the_next(doubled):
    """Nothing is older than its question: the look under way may have begun before what is asked about was so."""
    first = asyncio.ensure_future(doubled.asked.ask(1))
    await doubled.begun.wait()
    others = [doubled.asked.ask(number) for number in (1, 2)]
    assert await asyncio.gather(first, *others) == [2, 2, 4]
    assert doubled.groups == [[1], [1, 2]]


async def test_a_question_that_fails_harms_no_other(doubled):
    answers = await asyncio.gather(*(doubled.asked.ask(number) for number in (1, 13, 2)), return_exceptions=True)
    assert (answers[0], answers[2]) == (2, 4)
    assert isinstance(answers[1], ValueError)
    assert await doubled.asked.ask(5) == 10


async def test_who_no_longer_waits_harms_no_other(doubled):
    gone, other = (asyncio.ensure_future(doubled.asked.ask(number)) for number in (1, 2))
    await asyncio.sleep(0)
    gone.cancel()
    assert await other == 4
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_crowd_of_readers_costs_as_many_statements_as_one(acting: Acting, store):
    """A hundred people in three places, some of them unknown: each is told of their own."""
    names = [f"m{number}" for number in range(99)]
    await acting.grant(**dict.fromkeys(names, 5))
    reads = StoreReads(store)
    with collected(store.looker) as statements:
        one = await reads.reader(acts.ROOM, person("m5"))
        alone = len(statements)
        found = await asyncio.gather(*(reads.reader(acts.ROOM, person(name)) for name in (*names, "nobody")))
    assert len(statements) == 2 * alone
    assert found[5] == one
    assert len({reader.member_id for reader in found}) == 100
    assert found[99].member_id is None
    assert found[99].community_id == one.community_id
    assert (await reads.reader(acts.ROOM, Identity("elsewhere", "m5"))).member_id is None


async def test_a_reader_is_told_what_was_committed_before_the_question(acting: Acting, store):
    """Each looks right after an order of their own was answered, while others look all the time."""
    reads = StoreReads(store)
    await acting.grant(ana=5, bo=5)

    async def look_all_the_time() -> None:
        while True:
            await reads.reader(acts.ROOM, person("bo"))

    looking = asyncio.create_task(look_all_the_time())
    for word in ("one", "two", "three", "four"):
        await acting.done(acts.setting("currency_many", word))
        assert (await reads.reader(acts.ROOM, person("ana"))).settings.currency_many == word
    looking.cancel()


async def test_a_look_waits_for_nothing_but_its_answers(sqlite_store):
    async def dawdle(_connection) -> None:
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="waits for nothing"):
        await sqlite_store.look(dawdle)
    assert await sqlite_store.look(_one) == 1


async def _one(connection) -> int:
    found: int = (await connection.execute(text("SELECT 1"))).scalar_one()
    return found
