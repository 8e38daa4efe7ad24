"""The laws of money that every entry and every balance keeps, whatever the orders were."""

from __future__ import annotations

from collections.abc import Iterable

from economy.ledger import Entry, Posting, Undone, changes
from economy.links import LINKS, SUCCESSOR
from economy.rules.escrow import ESCROWED, waiting_of
from economy.values import ISSUERS, Asset, MemberId, Own
from tests.economy.model import ModelEconomy

GRANTS = frozenset({"coins", "daily", "welcome"})
"""Kinds of entry that issue or burn coins by the will of the community or its operator."""


def outside_issuers(entry: Entry) -> int:
    """By how much `entry` changes the sum of coin and bonus outside `mint` and `sales`."""
    return sum(
        difference
        for (owner, asset), difference in changes(entry.postings).items()
        if owner not in ISSUERS and asset is not Asset.DIAMOND
    )


def must_conserve(entry: Entry) -> None:
    """Postings balance per asset; coins come and go by grants, purchases and their reversals alone."""
    sums = dict.fromkeys(Asset, 0)
    for (_owner, asset), difference in changes(entry.postings).items():
        sums[asset] += difference
    assert set(sums.values()) == {0}, f"entry {entry.number} does not balance: {sums}"
    granted = entry.kind in GRANTS
    if isinstance(entry.receipt, Undone):
        granted = any(part.kind in GRANTS for part in entry.receipt.parts)
    assert granted or outside_issuers(entry) == 0, f"entry {entry.number} ({entry.kind}) makes or loses coins"
    for posting in entry.postings:
        if posting.asset is Asset.COIN:
            assert Own.MINT not in (posting.source, posting.destination), "only sales issues coin"
        else:
            assert Own.SALES not in (posting.source, posting.destination), "only mint issues bonus and diamond"


def must_be_sound(model: ModelEconomy) -> None:
    """Balances follow from postings, sum to 0, and are nowhere below their floor; `held` backs every diamond, `escrow`
    all that waits."""
    sums: dict[tuple[int, Asset], int] = {}
    for entry in model.entries.values():
        for account, difference in changes(entry.postings).items():
            sums[account] = sums.get(account, 0) + difference
    assert {account: sum_ for account, sum_ in sums.items() if sum_} == {
        account: balance for account, balance in model.accounts.items() if balance
    }
    for asset in Asset:
        assert sum(balance for (_, of), balance in model.accounts.items() if of is asset) == 0
    for (owner, asset), balance in model.accounts.items():
        assert owner in ISSUERS or balance >= 0, f"{owner} holds {balance} {asset}"
    must_wait(model)
    diamonds = sum(balance for (owner, asset), balance in model.accounts.items() if owner > 0 and asset == "diamond")
    assert model.balance(Own.HELD, Asset.COIN) == diamonds


def must_have_no_ghosts(model: ModelEconomy) -> None:
    """Whoever went on as somebody else has nothing, is nobody's, and leads straight to somebody who did not."""
    living = {model.heir(member) for member in model.members}
    for member in model.members.values():
        if model.heir(member.id) == member.id:
            continue
        assert not any(member.wallet.values()), f"{member.id} went on, and left coins behind"
        assert {name for name, value in member.flags.items() if value is not None} <= {SUCCESSOR, LINKS}
        assert model.heir(model.heir(member.id)) == model.heir(member.id)
        assert member.id in model.members[model.heir(member.id)].ids
        assert member.id not in model.people()
    assert model.people() <= living


def must_wait(model: ModelEconomy) -> None:
    """Escrow holds what waits and nothing else, and members know how much of theirs does."""
    open_ = [entry for entry in model.entries.values() if entry.kind in ESCROWED and entry.undone_by is None]
    assert sorted(entry.number for entry in open_) == sorted(model.waiting)
    for asset in Asset:
        waits = sum(each.amount for entry in open_ for each in entry.postings if each.asset is asset)
        assert model.balance(Own.ESCROW, asset) == waits
    for member in model.members.values():
        assert waiting_of(member) == sum(model.heir(entry.actor) == member.id for entry in open_)


def worth(model: ModelEconomy) -> int:
    """All that members hold, in coins."""
    return sum(balance for (owner, _), balance in model.accounts.items() if owner > 0)


def money(model: ModelEconomy) -> int:
    """What the operator was paid for or promised to pay: bought coins and earnings, of members and of the house."""
    return sum(
        balance
        for (owner, asset), balance in model.accounts.items()
        if asset is not Asset.BONUS and (owner > 0 or owner == Own.HOUSE)
    )


def bought(model: ModelEconomy) -> int:
    """All the coins and earnings that the operator ever granted."""
    return sum(
        int(posting.amount)
        for entry in model.entries.values()
        if entry.kind == "coins"
        for posting in entry.postings
        if posting.destination > 0 and posting.asset is not Asset.BONUS
    )


def _changes_now(model: ModelEconomy, postings: Iterable[Posting]) -> dict[tuple[int, Asset], int]:
    """What postings changed, for whoever stands in them by now."""
    found: dict[tuple[int, Asset], int] = {}
    for (owner, asset), difference in changes(postings).items():
        now = model.heir(MemberId(owner)) if owner > 0 else owner
        found[now, asset] = found.get((now, asset), 0) + difference
    return found


def must_reverse(model: ModelEconomy, undo: Entry) -> None:
    """An undo is the reverse of what it took back: wholly where nothing was spent, else in part, and never more."""
    assert isinstance(undo.receipt, Undone)
    first: dict[tuple[int, Asset], int] = {}
    gross = 0
    for part in undo.receipt.parts:
        entry = model.entries[part.number]
        assert entry.undone_by == undo.number
        assert entry.kind != "undo"
        # What was let out of escrow does not wait again.
        given = [posting for posting in entry.postings if posting.source != Own.ESCROW]
        for account, difference in _changes_now(model, given).items():
            first[account] = first.get(account, 0) + difference
        gross += sum(int(posting.amount) for posting in entry.postings)
    back = _changes_now(model, undo.postings)
    if not any(part.missing for part in undo.receipt.parts):
        assert {account: -amount for account, amount in back.items() if amount} == {
            account: amount for account, amount in first.items() if amount
        }
    elif len(undo.receipt.parts) == 1:
        for account, amount in back.items():
            # Of a tip on to someone and back, only one way is taken: each account moves back, and no further.
            assert min(0, -first[account]) <= amount <= max(0, -first[account]), account
    assert sum(int(posting.amount) for posting in undo.postings) <= gross
