"""A place joins another's community and leaves it: who may, by which code, and what is written on both sides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from economy.books import Books, Decision, Member, Question, StoredOffer
from economy.refusals import Refusal
from economy.rules.communities import (
    BEGAN_IN,
    CODE_FOR,
    LEFT,
    MEETS_IN,
    PLACES_MAX,
    REST_FOR,
    TRIES_MAX,
    AdmitPlace,
    InvitePlace,
    JoinPlace,
    PartPlace,
    joined_places,
)
from economy.values import CommunityId, Identity, InvitationCode, MemberId, Place, Role, code_secret

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
ANA, BO = Identity("discord", "1"), Identity("telegram", "2")
SECRET = code_secret("n" * 16)
CODE = str(InvitationCode(CommunityId(1), SECRET))
GROUP = Place("telegram", "-5")


def admitted(**more) -> StoredOffer:
    order = AdmitPlace(by=ANA, name="lobby", began=True, taken_by=more.pop("taken_by", None))
    offer = {"nonce": SECRET, "label": "code", "order": order, "presser": MemberId(1), "expires": NOW + CODE_FOR}
    return StoredOffer(**{**offer, **more})


def books_of(community: int, identity: Identity, *roles: Role, flags=None) -> Books:
    books = Books(flags)
    books.id = CommunityId(community)
    books.add(Member(MemberId(1 if identity == ANA else 2), identity, flags={"present": True}))
    books.standing = books.attested = frozenset(roles)
    return books


def lobby(*, offer: StoredOffer | None = None, flags=None) -> Books:
    books = books_of(1, ANA, flags=flags)
    books.offers = {} if offer is None else {offer.nonce: offer}
    books.add(Member(MemberId(2), BO))
    return books


def terrace(there: Books | None, *roles: Role, flags=None) -> Books:
    books = books_of(2, BO, *(roles or (Role.OWNER,)), flags=flags)
    books.place, books.beside = GROUP, there
    return books


def join(books: Books, code: str = CODE, *, confirmed: bool = False, now: datetime = NOW):
    return JoinPlace(by=BO, code=code, name="terrace", confirmed=confirmed).decide(books, now)


def loose(value: object) -> Any:
    """For looking at what only this kind of receipt or order has."""
    return value


def rule(outcome) -> str | None:
    assert isinstance(outcome, Refusal), outcome
    return outcome.rule


# --- codes ------------------------------------------------------------------------------------------------------------


def test_a_code_is_asked_for_by_owners_and_lasts_ten_minutes():
    question = InvitePlace(by=ANA, name="lobby").decide(books_of(1, ANA, Role.OWNER), NOW)
    assert isinstance(question, Question)
    (offer,) = question.offers
    assert (offer.label, offer.expires - NOW, offer.presser) == ("code", timedelta(minutes=10), 1)
    for role in set(Role) - {Role.OWNER}:
        assert rule(InvitePlace(by=ANA, name="lobby").decide(books_of(1, ANA, role), NOW)) == "places"


@given(st.text(min_size=1), st.integers(1, 10**17))
def test_a_code_is_read_as_it_is_told_however_it_is_typed(nonce, community):
    code = InvitationCode(CommunityId(community), code_secret(nonce))
    for typed in (str(code), str(code).lower(), str(code).replace("-", " "), f"  {code} "):
        assert InvitationCode.parse(typed) == code


@pytest.mark.parametrize(
    "typed", ["", "1", "1-", "-AAAA", "1-AAAA-AAAA-AAA", "1-AAAA-AAAA-AAA1", "0-AAAA-AAAA-AAAA", "१-AAAA-AAAA-AAAA"]
)
def test_what_is_no_code_is_none(typed):
    assert InvitationCode.parse(typed) is None


@pytest.mark.parametrize(
    "offer",
    [
        None,
        admitted(used=True),
        admitted(expires=NOW),
        admitted(taken_by=Place("telegram", "-6")),
        admitted(order=PartPlace(by=ANA)),
    ],
    ids=["unknown", "used", "late", "another's", "no code at all"],
)
def test_whatever_is_wrong_with_a_code_is_refused_alike(offer):
    wrong = join(terrace(lobby(offer=offer)))
    assert rule(wrong) == "code"
    assert wrong == join(terrace(lobby()), "nonsense") == join(terrace(None))


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_code_of_a_community_whose_own_place_went_elsewhere_is_wrong(confirmed):
    """Fault 106: there is nobody who owns it by their platform while it is away."""
    away = {MEETS_IN: "7 2026-01-05T11:59:00+00:00 garden"}
    assert rule(join(terrace(lobby(offer=admitted(), flags=away)), confirmed=confirmed)) == "code"
    assert not isinstance(
        join(terrace(lobby(offer=admitted(), flags={MEETS_IN: None})), confirmed=confirmed), Refusal
    ), "home again"


def test_after_some_wrong_codes_no_more_are_looked_at():
    books = terrace(lobby(offer=admitted()))
    books.tries = TRIES_MAX
    assert rule(join(books)) == "place_codes"
    books.tries -= 1
    assert isinstance(join(books), Question)


# --- joining ----------------------------------------------------------------------------------------------------------


def test_it_asks_first_and_the_code_is_that_places_from_then_on():
    question = join(terrace(lobby(offer=admitted())))
    assert isinstance(question, Question)
    assert (loose(question.about).name, loose(question.about).there) == ("terrace", "lobby")
    assert question.binds is not None
    assert loose(question.binds.order).taken_by == GROUP
    (offer,) = question.offers
    assert loose(offer.order).confirmed
    assert offer.expires == NOW + timedelta(minutes=5)
    late = join(terrace(lobby(offer=admitted(expires=NOW + timedelta(minutes=1)))))
    assert late.offers[0].expires == NOW + timedelta(minutes=1)


def test_both_communities_write_down_what_happened():
    decision = join(terrace(lobby(offer=admitted(taken_by=GROUP))), confirmed=True)
    assert isinstance(decision, Decision)
    assert not decision.postings
    assert {fact.name for fact in decision.facts} == {MEETS_IN}
    assert decision.moves is not None
    assert {fact.name for fact in decision.moves.facts} == {"place.2", BEGAN_IN}
    assert loose(decision.moves.receipt).invited_by == 1
    assert not decision.moves.postings


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.OWNER}))
@pytest.mark.parametrize("confirmed", [False, True])
def test_only_an_owner_takes_a_place_elsewhere(role, confirmed):
    assert rule(join(terrace(lobby(offer=admitted()), role), confirmed=confirmed)) == "places"


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_place_that_is_not_free_stays(confirmed):
    books = terrace(lobby(offer=admitted()))
    books.home = CommunityId(7)
    assert rule(join(books, confirmed=confirmed)) == "joined_already"
    flags = {"place.9": f"{NOW.isoformat()} discord cafe"}
    assert rule(join(terrace(lobby(offer=admitted()), flags=flags), confirmed=confirmed)) == "others_joined"
    own = terrace(None)
    own.beside, own.offers = own, {SECRET: admitted()}
    assert rule(join(own, confirmed=confirmed)) == "own_place_code"
    left = {LEFT: f"3 {NOW.isoformat()}"}
    assert rule(join(terrace(lobby(offer=admitted()), flags=left), confirmed=confirmed)) == "left_lately"
    back = {LEFT: f"1 {NOW.isoformat()}"}
    assert not isinstance(join(terrace(lobby(offer=admitted()), flags=back), confirmed=confirmed), Refusal)
    rested = {LEFT: f"3 {(NOW - REST_FOR).isoformat()}"}
    assert not isinstance(join(terrace(lobby(offer=admitted()), flags=rested), confirmed=confirmed), Refusal)


def test_a_community_meets_in_so_many_places_and_no_more():
    flags = {f"place.{number}": f"{NOW.isoformat()} discord x" for number in range(10, 10 + PLACES_MAX)}
    assert rule(join(terrace(lobby(offer=admitted(), flags=flags)))) == "places"
    books = books_of(1, ANA, Role.OWNER, flags=flags)
    assert rule(InvitePlace(by=ANA, name="lobby").decide(books, NOW)) == "places"


@given(st.text(max_size=300))
def test_a_place_is_listed_by_whatever_name_it_has(name):
    there = lobby(offer=admitted())
    decision = JoinPlace(by=BO, code=CODE, name=name, confirmed=True).decide(terrace(there), NOW)
    assert isinstance(decision, Decision)
    assert decision.moves is not None
    (place,) = joined_places({fact.name: fact.after for fact in decision.moves.facts})
    assert (place.home, place.since, place.platform) == (2, NOW, "telegram")
    assert place.name == loose(decision.receipt).name
    assert len(place.name) <= 100


# --- leaving ----------------------------------------------------------------------------------------------------------

JOINED = {
    "place.2": f"{NOW.isoformat()} telegram terrace",
    "at.2:announce.telegram:-5": True,
    "announce.telegram:-5": "-5/0 here",
    "announce.discord:9": "8 gifts",
    "at.3:map.discord:1": True,
    "map.discord:1": "moderator Mods",
}


def joined(*attested: Role, standing=(), own_owner: bool = False) -> Books:
    books = books_of(1, BO, flags=dict(JOINED))
    books.attested, books.standing = frozenset(attested), frozenset(standing)
    books.place, books.home = GROUP, CommunityId(2)
    own = books_of(2, BO)
    own.actor(BO).flags["role.owner"] = own_owner
    books.beside = own
    return books


def part(books: Books, **more):
    return PartPlace(by=BO, **more).decide(books, NOW)


def test_whoever_owns_the_place_takes_it_out():
    assert isinstance(part(joined(Role.OWNER)), Question)
    assert isinstance(part(joined(own_owner=True)), Question)
    assert isinstance(part(joined(standing=[Role.OWNER])), Question)
    for role in set(Role) - {Role.OWNER}:
        assert rule(part(joined(role, standing=[role]))) == "places"


def test_all_that_was_set_for_it_ends_and_nothing_else_does():
    question = part(joined(Role.OWNER))
    assert isinstance(question, Question)
    (offer,) = question.offers
    assert (loose(offer.order).home, loose(offer.order).confirmed) == (2, True)
    decision = part(joined(Role.OWNER), confirmed=True)
    assert isinstance(decision, Decision)
    ended = {fact.name for fact in decision.facts}
    assert ended == {"place.2", "at.2:announce.telegram:-5", "announce.telegram:-5"}
    assert all(fact.after is None for fact in decision.facts)
    assert decision.moves is not None
    assert {fact.name: fact.after for fact in decision.moves.facts}[MEETS_IN] is None


def test_the_place_where_it_began_cannot_leave_and_can_send_others_home():
    books = books_of(1, ANA, Role.OWNER, flags=dict(JOINED))
    assert rule(PartPlace(by=ANA).decide(books, NOW)) == "began_here"
    assert rule(PartPlace(by=ANA).decide(books_of(1, ANA, Role.OWNER), NOW)) == "alone"
    books.beside = books_of(2, ANA)
    sent = PartPlace(by=ANA, home=CommunityId(2), confirmed=True).decide(books, NOW)
    assert isinstance(sent, Decision)
    assert loose(sent.receipt).removed
    books.beside = books_of(4, ANA)
    assert rule(PartPlace(by=ANA, home=CommunityId(4)).decide(books, NOW)) == "no_such_place"


def test_whoever_owns_one_place_that_joined_cannot_send_another_home():
    books = joined(Role.OWNER)
    books.home = CommunityId(3)
    assert rule(part(books, home=CommunityId(2))) == "places"


def test_what_a_code_stands_for_is_nothing_to_be_done():
    assert rule(AdmitPlace(by=ANA, name="x", began=True).decide(lobby(), NOW)) == "unknown"
