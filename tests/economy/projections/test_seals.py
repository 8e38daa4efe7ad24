"""Seals follow from entries alone, in one canonical form that no release may change."""

import pytest

from economy.projections.seals import GENESIS, Seal, SealedEntry, Sealing, canonical

TIP = SealedEntry(
    7,
    "tip",
    1,
    1_767_600_000_000_000,
    "Europe/Berlin",
    '{"receipt":"tipped"}',
    [(0, 1, 2, "bonus", 5, 0, 5), (1, -2, 2, "bonus", 3, None, 8)],
    [(1, "acted", "null", "true")],
    [3, 4],
)
OTHERS = {
    "number": 8,
    "kind": "gift",
    "actor": 2,
    "at_us": 1_767_600_000_000_001,
    "time_zone": "UTC",
    "receipt": "{}",
    "postings": [],
    "facts": [],
    "undoes": [3],
}


def sealed(*entries: SealedEntry, community: int = 1, number: int = 1, first: int = 7, before: str = GENESIS) -> Seal:
    sealing = Sealing(community, number, first, before)
    sealing.take(entries)
    return sealing.seal()


def changed(**fields: object) -> SealedEntry:
    return SealedEntry(**{**{name: getattr(TIP, name) for name in TIP.__struct_fields__}, **fields})


def test_the_canonical_form_never_changes():
    assert canonical(TIP) == (
        b'[7,"tip",1,1767600000000000,"Europe/Berlin","{\\"receipt\\":\\"tipped\\"}",'
        b'[[0,1,2,"bonus",5,0,5],[1,-2,2,"bonus",3,null,8]],[[1,"acted","null","true"]],[3,4]]'
    )


def test_the_digest_never_changes():
    """Every store there is holds digests that were made like this one."""
    assert sealed(TIP) == Seal(1, 7, 7, "37f72515d35f2683e03996189e5edd623cb420d3f605340da37ed395d63e4537")


@pytest.mark.parametrize("field", TIP.__struct_fields__)
def test_everything_of_an_entry_is_sealed(field):
    assert sealed(changed(**{field: OTHERS[field]})).digest != sealed(TIP).digest


@pytest.mark.parametrize("place", [{"community": 2}, {"number": 2}, {"first": 6}, {"before": "ab"}])
def test_a_seal_holds_for_its_place_alone(place):
    assert sealed(TIP, **place).digest != sealed(TIP).digest


def test_how_entries_are_read_does_not_matter():
    sealing = Sealing(1, 1, 7, GENESIS)
    sealing.take([TIP])
    sealing.take([changed(number=8)])
    assert sealing.seal() == sealed(TIP, changed(number=8))
    assert sealing.last == 8
