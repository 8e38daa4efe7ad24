"""Whether a store's books balance: what must hold after every test, whatever was done or broken in it."""

from __future__ import annotations

from collections import Counter

from economy import codec
from economy.books import Order
from economy.service import Answer
from economy.store.engine import Store

Rows = list[tuple]


async def rows(store: Store, query: str) -> Rows:
    async with store.read() as connection:
        return [tuple(row) for row in await connection.exec_driver_sql(query)]


async def balances(store: Store) -> dict[tuple[int, str], int]:
    """Every balance above or below 0, by owner and asset; of the only community."""
    found = await rows(store, "SELECT owner, asset, balance FROM accounts WHERE balance <> 0")
    return {(owner, asset): balance for owner, asset, balance in found}


async def bonus(store: Store, name: str) -> int:
    """The free coins of a member by name, in the first community that they have an account in."""
    found = await rows(
        store,
        "SELECT a.balance FROM accounts AS a JOIN identities AS i ON i.person_id = a.owner"
        f" WHERE a.asset = 'bonus' AND i.native_id = '{name}' ORDER BY a.community_id",
    )
    return found[0][0] if found else 0


async def stored_order(store: Store, question: Answer) -> Order:
    """The order behind the first button of an answer."""
    [(text,)] = await rows(store, f"""SELECT "order" FROM offers WHERE nonce = '{question.offered[0].nonce}'""")
    return codec.read_order(text)


async def must_balance(store: Store) -> None:
    """Per asset the balances sum to 0, every balance equals its postings, no key is there twice, no number is left
    out, and totals, flags and counters are what the entries say."""
    await _must_add_up(store)
    await _must_be_numbered(store)
    await _flags_must_follow(store)
    keys = await rows(store, "SELECT community_id, key FROM entries UNION ALL SELECT community_id, key FROM answers")
    assert max(Counter(keys).values(), default=1) == 1, "a key is there twice"


async def _must_add_up(store: Store) -> None:
    sums: Counter[tuple] = Counter()
    afters: dict[tuple, int | None] = {}
    for c, source, destination, asset, amount, source_after, destination_after in await rows(
        store,
        "SELECT community_id, source, destination, asset, amount, source_after, destination_after FROM postings"
        " ORDER BY community_id, entry, ordinal",
    ):
        sums[c, source, asset] -= amount
        sums[c, destination, asset] += amount
        for owner, after in ((source, source_after), (destination, destination_after)):
            assert (after is None) == (owner < 0)
            if owner > 0:
                assert after == sums[c, owner, asset], "a balance after a posting is not what the postings say"
                afters[c, owner, asset] = after
    found = {(c, owner, asset): balance for c, owner, asset, balance in await rows(store, "SELECT * FROM accounts")}
    assert {k: v for k, v in sums.items() if v} == {k: v for k, v in found.items() if v}
    per_asset: Counter[tuple] = Counter()
    for (c, _, asset), balance in found.items():
        per_asset[c, asset] += balance
    assert not any(per_asset.values())


async def _must_be_numbered(store: Store) -> None:
    numbers: dict[int, list[int]] = {}
    for c, number in await rows(store, "SELECT community_id, number FROM entries ORDER BY community_id, number"):
        numbers.setdefault(c, []).append(number)
    counters = dict(await rows(store, "SELECT community_id, last_entry FROM counters"))
    assert {c: last for c, last in counters.items() if last} == {c: each[-1] for c, each in numbers.items()}
    for each in numbers.values():
        assert each == list(range(1, len(each) + 1)), "entries are numbered without gaps"


async def _flags_must_follow(store: Store) -> None:
    latest: dict[tuple, str] = {}
    for c, subject, name, before, after in await rows(
        store,
        'SELECT community_id, subject, name, "before", "after" FROM facts ORDER BY community_id, entry, ordinal',
    ):
        assert latest.get((c, subject, name), "null") == before, "a fact says what was before it"
        latest[c, subject, name] = after
    flags = {
        tuple(row[:3]): row[3] for row in await rows(store, "SELECT community_id, subject, name, value FROM flags")
    }
    assert flags == latest
