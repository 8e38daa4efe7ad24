"""Whatever people do, in whatever order, the laws of money hold after every step."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import settings

from economy.refusals import Refusal
from tests.economy.community import Community

Community.TestCase.settings = settings(
    max_examples=80, stateful_step_count=50, deadline=None, derandomize=True, database=None
)
TestWhateverPeopleDo = Community.TestCase


@pytest.mark.parametrize("seed", range(8))
def test_a_long_season_keeps_the_laws(seed):
    chance = Random(seed)
    community = Community()
    community.begin(chance)
    for _ in range(40):
        for _ in range(10):
            community.step(chance)
        community.the_laws_hold()
    kinds = Counter(entry.kind for entry in community.model.entries.values())
    expected = {"tip", "gift", "undo", "coins", "daily", "connect", "disconnect"}
    assert expected <= kinds.keys(), "a season in which little happened shows little"
    codes = {
        answer.outcome.code for _, answer in community.model.answers.values() if isinstance(answer.outcome, Refusal)
    }
    assert len(codes) >= 8, codes
