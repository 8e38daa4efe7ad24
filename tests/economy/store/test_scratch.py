"""The audit's scratch counts the same, whether it fits into memory or not."""

import pytest

from economy.store.scratch import Scratch


@pytest.fixture(params=[1, 3, 1_000])
def scratch(request, monkeypatch):
    monkeypatch.setattr("economy.store.scratch.CELLS_MAX", request.param)
    with Scratch() as opened:
        yield opened


def test_sums_add_up_and_those_that_are_left_are_told_in_order(scratch):
    for amount in (5, -2, -3):
        scratch.add("score", {("creators", 2): amount, ("creators", 10): 1, ("zero", 0): 0})
    assert list(scratch.left("score")) == [("creators 10", 3)]
    assert list(scratch.left("other")) == []


def test_the_latest_value_is_read_back(scratch):
    scratch.put("flag", {(1, "hidden"): "true", (1, "present"): "true"})
    scratch.put("flag", {(1, "hidden"): "false", (2, "hidden"): "true"})
    asked = [(1, "hidden"), (1, "present"), (2, "hidden"), (3, "hidden")]
    found = {(1, "hidden"): "false", (1, "present"): "true", (2, "hidden"): "true"}
    assert scratch.get("flag", asked) == found
    assert scratch.count("flag") == 3


def test_what_is_put_can_be_taken_from_afterwards(scratch):
    scratch.put("balance", {(1, "coin"): 5, (2, "coin"): 7})
    scratch.add("balance", {(1, "coin"): -5, (3, "coin"): -1})
    assert list(scratch.left("balance")) == [("2 coin", 7), ("3 coin", -1)]
