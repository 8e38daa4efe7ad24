"""The one table of who may do what."""

from __future__ import annotations

import pytest

from economy.books import Books, Member
from economy.refusals import Code
from economy.rules.permissions import WHO_MAY, Right, may, must_be_allowed
from economy.values import Identity, MemberId, Role


def test_every_right_is_someones():
    assert set(WHO_MAY) == set(Right)
    assert all(WHO_MAY.values())


def test_members_creators_and_auditors_change_nothing():
    for roles in (frozenset(), frozenset({Role.CREATOR})):
        assert not any(may(roles, right) for right in Right)
    assert {right for right in Right if may(frozenset({Role.AUDITOR}), right)} == {Right.SEE_AUDIT, Right.SEE_WALLETS}


def test_the_operator_alone_answers_for_what_can_become_money():
    """Fault 108."""
    assert WHO_MAY[Right.ADJUST_BOUGHT] == WHO_MAY[Right.APPOINT_OPERATOR] == {Role.OPERATOR}


@pytest.mark.parametrize("right", [Right.SETTINGS, Right.APPOINT, Right.CATALOGUE, Right.SPEND_CHEST, Right.TIP_ROLES])
def test_the_operator_is_no_owner(right):
    """Fault 108."""
    assert Role.OPERATOR not in WHO_MAY[right]
    assert Role.OWNER in WHO_MAY[right]


def test_stored_and_attested_roles_count_alike_and_a_refusal_names_who_may():
    """Fault 110."""
    books = Books()
    stored = Member(MemberId(1), Identity("console", "ana"), flags={"present": True, "role.moderator": True})
    plain = Member(MemberId(2), Identity("console", "bo"), flags={"role.moderator": None})
    assert must_be_allowed(books, stored, Right.WORDS) is None
    refusal = must_be_allowed(books, plain, Right.WORDS)
    assert refusal is not None
    assert (refusal.code, refusal.fields) == (Code.NOT_ALLOWED, {"rule": "words", "roles": "owner,moderator"})
    books.standing = frozenset({Role.OWNER})
    assert must_be_allowed(books, plain, Right.WORDS) is None


@pytest.mark.parametrize(
    ("flags", "code", "rule"),
    [({"present": True, "frozen": "send"}, Code.FROZEN, "staff"), ({"present": False}, Code.NOT_ALLOWED, "absent")],
)
def test_staff_who_are_frozen_or_gone_decide_nothing_and_the_owner_is_never_locked_out(flags, code, rule):
    """Fault 104."""
    books = Books()
    moderator = Member(MemberId(1), Identity("console", "mo"), flags={"role.moderator": True, **flags})
    refusal = must_be_allowed(books, moderator, Right.ADJUST_FREE)
    assert refusal is not None
    assert (refusal.code, refusal.rule) == (code, rule)
    owner = Member(MemberId(2), Identity("console", "ana"), flags={"role.owner": True, **flags})
    assert must_be_allowed(books, owner, Right.ADJUST_FREE) is None


def test_an_administrator_of_the_platform_moderates_and_mints_nothing():
    """Fault 108."""
    rights = {right for right in Right if may(frozenset({Role.ADMINISTRATOR}), right)}
    assert rights == {
        Right.UNDO_ANY,
        Right.FREEZE,
        Right.SEE_AUDIT,
        Right.SEE_WALLETS,
        Right.WORDS,
        Right.REMOVE_TEXTS,
        Right.APPROVE_CREATORS,
    }
