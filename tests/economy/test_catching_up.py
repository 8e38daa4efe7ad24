"""Boards are brought up to date for all who ask at once, and for nobody by what began before they asked."""

import asyncio

import pytest

from economy.catching_up import CatchingUp
from economy.values import CommunityId

ONE, TWO = CommunityId(1), CommunityId(2)
LONG = 10.0


class Projector:
    """Ends each catching up when it is told to. `begun` are the communities in order."""

    def __init__(self) -> None:
        self.begun: list[CommunityId] = []
        self.ends = asyncio.Semaphore(0)
        self.problem: Exception | None = None

    async def catch_up(self, community_id: CommunityId, *, wait_s: float) -> None:
        self.begun.append(community_id)
        await self.ends.acquire()
        if self.problem is not None:
            raise self.problem

    def let(self, count: int) -> None:
        for _ in range(count):
            self.ends.release()


@pytest.fixture
async def projector() -> Projector:
    return Projector()


@pytest.fixture
def catching_up(projector) -> CatchingUp:
    return CatchingUp(projector.catch_up)


def asks(catching_up: CatchingUp, community_id: CommunityId = ONE, wait_s: float = LONG) -> asyncio.Task[None]:
    return asyncio.create_task(catching_up.catch_up(community_id, wait_s=wait_s))


async def turns() -> None:
    """Everything that can go on does."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_all_who_ask_at_once_wait_for_the_same(catching_up, projector):
    asking = [asks(catching_up) for _ in range(5)]
    projector.let(1)
    await asyncio.gather(*asking)
    assert projector.begun == [ONE]


async def test_who_asks_meanwhile_waits_for_the_next_and_all_of_them_for_one(catching_up, projector):
    first = asks(catching_up)
    await turns()
    later = [asks(catching_up) for _ in range(5)]
    projector.let(1)
    await first
    await turns()
    assert not any(each.done() for each in later)
    projector.let(1)
    await asyncio.gather(*later)
    assert projector.begun == [ONE, ONE]


async def test_communities_do_not_wait_for_each_other(catching_up, projector):
    both = [asks(catching_up, each) for each in (ONE, TWO)]
    await turns()
    assert projector.begun == [ONE, TWO]
    projector.let(2)
    await asyncio.gather(*both)


async def test_nobody_waits_longer_than_they_may(catching_up, projector):
    first = asks(catching_up)
    await turns()
    await asks(catching_up, wait_s=0.01)
    assert not first.done()
    projector.let(2)
    await first


async def test_what_goes_wrong_is_told_to_who_waits_and_the_next_is_tried(catching_up, projector):
    projector.problem = OSError("away")
    projector.let(1)
    with pytest.raises(OSError, match="away"):
        await asks(catching_up)
    projector.problem = None
    projector.let(1)
    await asks(catching_up)
