"""What a platform's word makes of somebody: in the place where a community began, and in one that joined."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from economy.rules.permissions import WHO_MAY, Right
from economy.rules.places import MAPPED
from economy.rules.standing import standing_of
from economy.settings import SETTINGS, Settings
from economy.values import Role

OPERATOR, OWNER, ADMINISTRATOR, MODERATOR, TREASURER = (
    Role.OPERATOR,
    Role.OWNER,
    Role.ADMINISTRATOR,
    Role.MODERATOR,
    Role.TREASURER,
)
MAKES_COINS = WHO_MAY[Right.ADJUST_FREE]


def standing(*attested, joined, held=(), administers=False, flags=None, **settings):
    return standing_of(
        flags or {},
        Settings(**settings),
        "discord",
        joined=joined,
        attested=frozenset(attested),
        held=held,
        administers=administers,
    )


@pytest.mark.parametrize("attested", [(), (OWNER,), (ADMINISTRATOR,), (OPERATOR,), (OPERATOR, OWNER)])
def test_where_a_community_began_the_platform_is_taken_at_its_word(attested):
    assert standing(*attested, joined=False) == set(attested)


@pytest.mark.parametrize(
    ("attested", "becomes"),
    [((), ()), ((OWNER,), ()), ((ADMINISTRATOR,), ()), ((OPERATOR,), (OPERATOR,)), ((OPERATOR, OWNER), (OPERATOR,))],
)
def test_whoever_runs_a_place_that_joined_is_a_member(attested, becomes):
    assert standing(*attested, joined=True) == set(becomes)


@pytest.mark.parametrize("by", [{"administers": True}, {"attested": (OWNER,)}, {"attested": (ADMINISTRATOR,)}])
def test_or_what_the_owner_says_they_are(by):
    attested = by.get("attested", ())
    administers = by.get("administers", False)
    found = standing(*attested, joined=True, administers=administers, joined_staff="moderator")
    assert found == {MODERATOR}
    assert standing(joined=True, joined_staff="moderator") == frozenset()


def test_what_administrators_are_where_it_began_is_nothing_elsewhere():
    assert standing(joined=False, administers=True, administrators="treasurer") == {TREASURER}
    assert standing(joined=True, administers=True, administrators="treasurer") == frozenset()


def test_a_joined_places_roles_stand_for_staff_and_never_for_owner():
    flags = {"map.discord:1": "owner Bosses", "map.discord:2": "moderator Mods"}
    assert standing(joined=False, held=("1", "2"), flags=flags) == {OWNER, MODERATOR}
    assert standing(joined=True, held=("1", "2"), flags=flags) == {MODERATOR}


@given(
    attested=st.frozensets(st.sampled_from(Role)),
    held=st.frozensets(st.sampled_from(["1", "2", "3", "4"])),
    mapped=st.lists(st.sampled_from(MAPPED), min_size=4, max_size=4),
    administers=st.booleans(),
    joined_staff=st.sampled_from(SETTINGS["joined_staff"].choices),
    administrators=st.sampled_from(SETTINGS["administrators"].choices),
)
def test_nobody_owns_a_community_by_a_place_that_joined(
    attested, held, mapped, administers, joined_staff, administrators
):
    """Fault 108: whatever a platform says, and whatever is set."""
    flags = {f"map.discord:{number}": f"{role} x" for number, role in enumerate(mapped, start=1)}
    found = standing(
        *attested,
        joined=True,
        held=held,
        administers=administers,
        flags=flags,
        joined_staff=joined_staff,
        administrators=administrators,
    )
    assert OWNER not in found
    set_by_owner = {role for number, role in enumerate(mapped, start=1) if str(number) in held} | {joined_staff}
    assert found - {OPERATOR} <= set_by_owner
    assert (OPERATOR in found) == (OPERATOR in attested)


def test_unless_the_owner_says_so_nobody_there_makes_coins():
    for roles in (set(found) for size in range(3) for found in combinations(set(Role) - {OPERATOR}, size)):
        assert standing(*roles, joined=True, administers=True).isdisjoint(MAKES_COINS)
