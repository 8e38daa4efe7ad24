"""Two identities become one person on a store, and part again: in one process, in two, in many communities."""

from tests.economy.store.audit import bonus, rows
from tests.economy.store.connecting import connected


async def test_two_identities_become_one_person_with_the_coins_of_both(acting, store):
    await acting.grant(ana=70, bo=30)
    answer = await connected(acting, "ana", "bo")
    assert answer.number is not None
    assert await bonus(store, "ana") == await bonus(store, "bo") == 100
    assert await rows(store, "SELECT count(*) FROM accounts WHERE owner > 0 AND balance <> 0") == [(1,)]
