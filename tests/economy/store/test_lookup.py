"""Who is who: found once, made where missing, and remembered in bounds."""

from economy.store.lookup import Directory
from economy.values import Place
from tests.economy.store.acting import person, sighting
from tests.economy.store.audit import rows

ROOMS = [Place("console", f"room{number}") for number in range(5)]


async def meet(store, directory, place, *names, present=True):
    """Resolves people in a place, in a transaction of its own."""
    async with store.write() as connection:
        resolved = directory.resolving(connection, now_us=1)
        await resolved.communities([place])
        community = resolved.meeting(place).community
        seen = {(community, person(name)): sighting(name) for name in names}
        await resolved.people(seen, seen, set(seen) if present else set())
        await resolved.note()
        found = [resolved.member(who) for who in seen]
    directory.learn(resolved)
    return community, [None if known is None else known.id for known in found]


async def test_a_person_is_one_person_in_every_community(store):
    directory = Directory(store.bulk)
    first = await meet(store, directory, ROOMS[0], "ana", "bo")
    second = await meet(store, directory, ROOMS[1], "bo", "cy")
    assert first == (1, [1, 2])
    assert second == (2, [2, 3])
    assert await rows(store, "SELECT community_id, person_id FROM members ORDER BY 1, 2") == [
        (1, 1),
        (1, 2),
        (2, 2),
        (2, 3),
    ]


async def test_who_is_forgotten_is_found_again_and_not_made_twice(store):
    directory = Directory(store.bulk, cached_max=1)
    for _ in range(2):
        for number, place in enumerate(ROOMS, start=1):
            assert await meet(store, directory, place, "ana", "bo") == (number, [1, 2])
    assert await rows(store, "SELECT count(*) FROM persons") == [(2,)]


async def test_what_was_rolled_back_is_not_remembered(store):
    directory = Directory(store.bulk)
    async with store.write() as connection:
        resolved = directory.resolving(connection, now_us=1)
        await resolved.communities([ROOMS[0]])
        await connection.rollback()
    elsewhere, [ana] = await meet(store, directory, ROOMS[1], "ana")
    here, members = await meet(store, directory, ROOMS[0], "ana")
    assert (here, members) == (elsewhere + 1, [ana])


async def test_a_stranger_who_becomes_a_member_elsewhere_is_seen_as_one(store):
    ours, theirs = Directory(store.bulk), Directory(store.bulk)
    await meet(store, ours, ROOMS[0], "ana")
    assert await meet(store, ours, ROOMS[0], "bo", present=False) == (1, [None])
    assert await meet(store, theirs, ROOMS[0], "bo") == (1, [2])
    assert await meet(store, ours, ROOMS[0], "bo", present=False) == (1, [2])
