"""Books: what an entry does to them, and that they refuse to go wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from economy.books import PRESENT, Books, Decision, Member, Needs, Order, OverdrawnError
from economy.ledger import Entry, Fact, Legs, Posting
from economy.refusals import Code, refuse
from economy.rules import ORDERS
from economy.rules.presence import Joined
from economy.values import (
    NO_REASON,
    Asset,
    Coins,
    EntryNumber,
    IdempotencyKey,
    Identity,
    MemberId,
    Own,
    Role,
)

ANA, BO = MemberId(1), MemberId(2)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture
def books() -> Books:
    books = Books()
    books.add(Member(ANA, Identity("console", "ana"), wallet={Asset.BONUS: 10, Asset.COIN: 5}))
    books.add(Member(BO, Identity("console", "bo")))
    books.house = {Asset.BONUS: 7}
    return books


def entry(*moved: Posting, facts: tuple[Fact, ...] = (), kind: str = "tip", number: int = 2) -> Entry:
    return Entry(
        EntryNumber(number),
        IdempotencyKey("test:1"),
        kind,
        ANA,
        NO_REASON,
        NOON,
        "UTC",
        moved,
        facts,
        Joined(member=ANA),
    )


def test_an_entry_moves_what_it_says_and_nothing_else(books):
    books.apply(entry(Posting(ANA, BO, Asset.BONUS, Coins(4)), Posting(ANA, Own.HOUSE, Asset.BONUS, Coins(6))))
    assert books.members[ANA].wallet == {Asset.BONUS: 0, Asset.COIN: 5}
    assert books.members[BO].wallet == {Asset.BONUS: 4}
    assert books.house == {Asset.BONUS: 13}
    books.apply(entry(Posting(ANA, Own.HOUSE, Asset.COIN, Coins(5))))
    assert books.house == {Asset.BONUS: 13, Asset.COIN: 5}


def test_an_entry_that_would_overdraw_changes_nothing(books):
    """Fault 23."""
    with pytest.raises(OverdrawnError, match="overdraw member 1 of bonus"):
        books.apply(entry(Posting(ANA, BO, Asset.COIN, Coins(5)), Posting(ANA, BO, Asset.BONUS, Coins(11))))
    assert books.members[ANA].wallet == {Asset.BONUS: 10, Asset.COIN: 5}
    assert books.members[BO].wallet == {}


def test_what_passes_through_a_wallet_in_one_entry_overdraws_nobody(books):
    books.apply(entry(Posting(BO, ANA, Asset.BONUS, Coins(3)), Posting(ANA, BO, Asset.BONUS, Coins(3))))
    assert books.members[BO].holds(Asset.BONUS) == 0


def test_facts_set_flags_of_members_and_of_the_community(books):
    member, community = books.members[BO].fact("hidden", True), books.community_fact("setting.undo_window", 5)
    assert (member.before, community.before) == (None, None)
    books.apply(entry(facts=(member, community)))
    assert books.members[BO].flags == {"hidden": True}
    assert books.settings.undo_window == 5
    assert books.members[BO].fact("hidden", None).before is True


def test_totals_follow_and_undone_entries_know_by_what(books):
    first = entry(number=1)
    books.entries[first.number] = first
    books.apply(entry(Posting(Own.MINT, BO, Asset.BONUS, Coins(50)), kind="daily"), undoes=(first.number,))
    assert books.members[BO].total("earned", NOON.date().toordinal()) == 50
    assert books.entries[first.number].undone_by == 2


def test_roles_are_those_stored_and_creators_are_creators_either_way():
    member = Member(ANA, Identity("console", "ana"), flags={"role.owner": True, "role.auditor": None, "creator": True})
    assert member.roles == {Role.OWNER, Role.CREATOR}
    assert not Member(ANA, Identity("console", "ana"), flags={"creator": "asked"}).is_creator
    assert Member(ANA, Identity("console", "ana"), flags={"role.creator": True}).is_creator


def test_an_empty_wallet_is_no_debt(books):
    """Fault 91."""
    ana = books.members[ANA]
    ana.flags[PRESENT] = True
    ana.wallet[Asset.COIN] = 0
    assert books.must_send(ana) is None
    ana.wallet[Asset.COIN] = -1
    assert books.must_send(ana) == refuse(Code.IN_DEBT, owed=1)


def test_every_order_has_a_kind_a_promise_and_its_own_rule():
    for order in ORDERS:
        assert issubclass(order, Order)
        assert order.kind, order
        assert order.__doc__, order
        assert order.decide is not Order.decide
        assert order.needs is not Order.needs


def test_values_of_an_order_and_of_a_decision_cannot_be_changed():
    frozen: tuple[Any, ...] = (*ORDERS, Decision, Needs, Entry, Posting, Fact)
    assert [each for each in frozen if not each.__struct_config__.frozen] == []
    with pytest.raises(AttributeError):
        Legs().postings = ()  # type: ignore[misc]


def test_only_what_is_looked_back_for_looks_back():
    who = Identity("console", "ana")
    assert not Needs(people=(who,), role=Role.OWNER, chest=True, offers=("x",)).looks_back
    assert Needs(receipts=(EntryNumber(1),)).looks_back
    assert Needs(latest_by=who).looks_back
    assert Needs(since=(who, NOON)).looks_back
