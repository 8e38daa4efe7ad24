"""Names as the store keeps them, and which of them look alike."""

import pytest

from economy.lookalikes import skeleton
from economy.store.names import NAME_LENGTH_MAX, storable


@pytest.mark.parametrize(
    ("name", "alike"),
    [
        ("ana", "аnа"),  # Cyrillic a
        ("ana", "ANA"),
        ("ana", "a\u200bna"),
        ("ana", "an\u0301a"),
        ("Ivan", "lvan"),
        ("Ivan", "1van"),
        ("Bo Oak", "b00ak"),
        ("owner", "οwner"),  # Greek o
    ],
)
def test_look_alikes_have_one_skeleton(name, alike):
    """Fault 15"""
    assert skeleton(name) == skeleton(alike)


@pytest.mark.parametrize(("name", "other"), [("ana", "bo"), ("北京", "東京"), ("🦊", "🐺"), ("anna", "ana")])
def test_names_that_differ_have_skeletons_that_differ(name, other):
    assert skeleton(name) != skeleton(other)


def test_what_a_database_refuses_is_left_out_of_a_name():
    assert storable("a\0n\ud800a") == "ana"
    assert len(storable("x" * 5_000)) == NAME_LENGTH_MAX


def test_other_characters_of_a_name_are_kept_as_they_came():
    """Fault 12"""
    assert storable("@everyone `<b>` \u202e") == "@everyone `<b>` \u202e"
