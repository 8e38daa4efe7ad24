"""The same orders come to the same on a store as in memory: answers, entries, balances, flags, totals and boards."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from economy.rules.tipping import Receivers, Tip
from economy.values import ALL
from tests.economy import orders
from tests.economy.community_on_store import CommunityOnStore, Fresh, fresh_on, fresh_sqlite

SETTINGS = settings(max_examples=12, stateful_step_count=40, deadline=None, derandomize=True, database=None)


@pytest.fixture(params=["sqlite", "postgres"])
def fresh(request: pytest.FixtureRequest) -> Fresh:
    if request.param == "sqlite":
        return fresh_sqlite
    return fresh_on(request.getfixturevalue("databases"))


@pytest.fixture
def community(fresh: Fresh) -> Iterator[CommunityOnStore]:
    opened = CommunityOnStore(fresh)
    yield opened
    opened.close()


def live(community: CommunityOnStore, seed: int, steps: int) -> None:
    chance = Random(seed)
    community.begin(chance)
    for _ in range(steps):
        community.step(chance)


def test_whatever_people_do_is_the_same_on_a_store(fresh):
    class OnFresh(CommunityOnStore):
        def __init__(self) -> None:
            super().__init__(fresh)

    run_state_machine_as_test(OnFresh, settings=SETTINGS)


@pytest.mark.parametrize("seed", range(3))
def test_a_long_season_is_the_same_on_a_store(community, seed):
    live(community, seed, 250)
    community.must_be_the_same()
    kinds = {entry.kind for entry in community.model.entries.values()}
    assert {"tip", "gift", "undo", "coins", "daily", "connect", "disconnect"} <= kinds


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts SET balance = balance + 1 WHERE owner = -3",
        "UPDATE flags SET value = 'false' WHERE name = 'present' AND subject = 1",
        "UPDATE totals SET amount = amount + 1",
        "UPDATE scores SET score = score + 1 WHERE series & 7 = 1",
        "UPDATE scores SET reached = reached - 1 WHERE series >> 3 & 7 = 2",
        "UPDATE histogram SET members = members + 1 WHERE series = 28",
        "UPDATE day_totals SET entries = entries + 1",
        "INSERT INTO reversals SELECT community_id, number, number FROM entries WHERE number = 1",
    ],
)
def test_a_store_that_is_not_the_same_is_noticed(community, change):
    live(community, 1, 60)
    community.must_be_the_same()
    community.change_store(change)
    with pytest.raises(AssertionError):
        community.must_be_the_same()


def test_an_answer_that_is_not_the_same_is_noticed(community):
    live(community, 1, 5)
    community.catch_up()
    community.change_store("UPDATE accounts SET balance = 7 WHERE owner = 1 AND asset = 'bonus'")
    everything = Tip(by=orders.person("ana"), receivers=Receivers((orders.person("bo"),)), amount=ALL)
    community.submit(everything)
    with pytest.raises(AssertionError):
        community.catch_up()
