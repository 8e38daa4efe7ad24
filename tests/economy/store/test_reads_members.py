"""Who is who; and what only the journal writes: refusals, notes, offers."""

import pytest

from economy.lookalikes import skeleton
from economy.rules.configuring import Appoint
from economy.rules.creating import BeCreator, DescribeCreator
from economy.rules.earning import ClaimDaily
from economy.rules.presence import Hide, Leave
from economy.rules.safety import Block
from economy.rules.tipping import Tip
from economy.rules.words import RemoveText
from economy.settings import Settings
from economy.store.engine import Store
from economy.store.reads import StoreReads
from economy.store.tables import members
from economy.values import (
    AmountWord,
    CommunityId,
    MemberId,
    Note,
    Place,
    Reason,
    Role,
)
from economy.views import Named
from tests.economy.projections.town import Town, person
from tests.economy.store import acting as acts
from tests.economy.store.acting import Acting
from tests.economy.store.chronicle import keep

ONE = CommunityId(1)


@pytest.fixture
def reads(store: Store) -> StoreReads:
    return StoreReads(store)


@pytest.fixture
def town() -> Town:
    return Town.founded("ana", "bo", "cy", "mo", coin=500, bonus=500)


# --- through the journal ---


async def test_refusals_are_in_the_log(acting: Acting, reads, clock):
    """Refusals of permission are told, keyed and audited like all others."""
    await acting.grant(ana=5)
    reader = await reads.reader(acts.ROOM, person("ana"))
    await acting.refused(acts.tip("ana", "bo", amount=99))
    clock.later(minutes=5)
    await acting.refused(acts.adjust("ana", 5), standing=acts.NOBODY)
    page = await reads.audit(reader.community_id, refused=True)
    assert [(found.kind, found.code) for found in page.refused] == [
        ("coins", "not_allowed"),
        ("tip", "insufficient_funds"),
    ]
    assert [found.kind for found in (await reads.audit(reader.community_id, refused=True, kind="tip")).refused] == [
        "tip"
    ]
    late = await reads.audit(reader.community_id, refused=True, since=clock.now())
    assert [found.kind for found in late.refused] == ["coins"]
    own = await reads.audit(reader.community_id, refused=True, member=reader.member_id)
    assert [found.kind for found in own.refused] == ["tip"]


async def test_notes_are_seen_by_both_until_they_are_removed(acting: Acting, reads):
    await acting.grant(ana=50)
    tipped = await acting.done(acts.tip("ana", "bo", note=Note("well done")))
    ana, bo = [await reads.reader(acts.ROOM, person(name)) for name in ("ana", "bo")]
    for member in (ana, bo):
        assert (await reads.history(member.community_id, member.member_id)).rows[0].note == "well done"
    assert tipped.number is not None
    view = await reads.entry(ana.community_id, tipped.number)
    assert view.note == "well done"
    await acting.done(RemoveText(by=person("owner"), of=tipped.number, reason=Reason("rude")))
    for member in (ana, bo):
        assert (await reads.history(member.community_id, member.member_id)).rows[0].note == ""


async def test_the_latest_profile_counts_and_an_emptied_one_stays_empty(acting: Acting, reads):
    await acting.done(BeCreator(by=person("ana")))
    ana = await reads.reader(acts.ROOM, person("ana"))
    for words in ("I sing", "I dance", ""):
        await acting.done(DescribeCreator(by=person("ana"), profile=Note(words)))
        assert await reads.text(ana.community_id, ana.member_id, "profile") == words
    changed = await acting.done(DescribeCreator(by=person("ana"), profile=Note("I shout")))
    assert changed.number is not None
    await acting.done(RemoveText(by=person("owner"), of=changed.number, reason=Reason("rude")))
    assert await reads.text(ana.community_id, ana.member_id, "profile") == ""


async def test_the_order_behind_a_button_is_read_back(acting: Acting, reads):
    await acting.grant(ana=5_000)
    question = await acting.submit(acts.tip("ana", "bo", amount=2_000))
    order = await reads.offer_order(acts.ROOM, question.offered[0].nonce)
    assert isinstance(order, Tip)
    assert (order.confirmed, order.amount) == (True, AmountWord.exact(2_000))
    assert await reads.offer_order(acts.ROOM, "no-such-nonce") is None


# --- who is who ---


async def test_a_reader_is_told_settings_roles_and_flags(acting: Acting, reads):
    await acting.done(acts.setting("currency_many", "florins"))
    await acting.done(acts.appoint("ana", Role.MODERATOR))
    await acting.done(BeCreator(by=person("ana")))
    ana = await reads.reader(acts.ROOM, person("ana"))
    assert ana.settings.currency_many == "florins"
    assert ana.roles == {Role.MODERATOR, Role.CREATOR}
    assert ana.flags["present"] is True
    assert ana.community_flags["setting.currency_many"] == "florins"
    assert await reads.member(ana.community_id, person("ana")) == ana.member_id


async def test_strangers_and_strange_places_are_empty(acting: Acting, reads):
    await acting.grant(ana=5)
    stranger = await reads.reader(acts.ROOM, person("stranger"))
    assert (stranger.member_id, stranger.roles, stranger.flags) == (None, frozenset(), {})
    assert stranger.community_id is not None
    nowhere = await reads.reader(Place("console", "nowhere"), person("ana"))
    assert (nowhere.community_id, nowhere.member_id, nowhere.settings) == (None, None, Settings())
    assert await reads.member(stranger.community_id, person("stranger")) is None
    assert await reads.names(Place("console", "nowhere")) == []


async def test_names_are_of_those_present_last_seen_first(acting: Acting, reads, clock):
    for name in ("ana", "bo", "cy"):
        await acting.done(ClaimDaily(by=person(name)))
        clock.later(hours=1)
    await acting.done(Hide(by=person("ana")))
    await acting.done(Leave(by=person("bo")), seen=(acts.sighting("bo", present=None),))
    assert await reads.names(acts.ROOM) == [Named("ana", person("ana")), Named("cy", person("cy"))]
    assert await reads.names(acts.ROOM, limit=1) == [Named("ana", person("ana"))]
    reader = await reads.reader(acts.ROOM, person("bo"))
    assert reader.member_id is not None


async def test_holders_of_roles_are_known(acting: Acting, reads):
    await acting.done(acts.appoint("ana", Role.MODERATOR))
    await acting.done(acts.appoint("bo", Role.CREATOR))
    await acting.done(BeCreator(by=person("cy")))
    ids = {name: (await reads.reader(acts.ROOM, person(name))).member_id for name in ("ana", "bo", "cy")}
    room = (await reads.reader(acts.ROOM, person("ana"))).community_id
    assert await reads.holders(room, Role.MODERATOR) == [ids["ana"]]
    assert set(await reads.holders(room, Role.CREATOR)) == {ids["bo"], ids["cy"]}
    assert await reads.holders(room, Role.TREASURER) == []


async def test_one_s_own_blocks_are_listed_and_no_others(acting: Acting, reads):
    await acting.done(Block(by=person("ana"), other=person("bo")))
    await acting.done(Block(by=person("ana"), other=person("cy")))
    await acting.done(Block(by=person("ana"), other=person("cy"), blocked=False))
    ana, bo = [await reads.reader(acts.ROOM, person(name)) for name in ("ana", "bo")]
    assert await reads.blocked_by(ana.community_id, ana.member_id) == [bo.member_id]
    assert await reads.blocked_by(ana.community_id, bo.member_id) == []


async def test_who_looks_like_an_owner_or_creator_is_told_apart(store, reads, town):
    """Fault 15: the name of a creator or owner in Cyrillic is shown with the end of the native id."""
    town = Town.founded("ana", "аna", "bo", "bо", "cy")
    for name in ("аna", "bo", "bо", "cy"):
        town.do(BeCreator(by=person(name), wanted=False))
    town.do(Appoint(by=person("ana"), member=person("bo"), role=Role.OWNER), Role.OWNER)
    await keep(store, town)
    assert skeleton("ana") == skeleton("аna")
    shown = await reads.shown(ONE, [member.id for member in town.books.members.values()])
    assert {view.identity.native_id: view.suffix for view in shown.values()} == {
        "ana": "",
        "аna": "аna",
        "bo": "",
        "bо": "bо",
        "cy": "",
    }


async def test_look_alikes_without_a_role_are_left_alone(store, reads):
    town = Town.founded("ana", "аna")
    for name in ("ana", "аna"):
        town.do(BeCreator(by=person(name), wanted=False))
    await keep(store, town)
    shown = await reads.shown(ONE, [town.id("ana"), town.id("аna")])
    assert [view.suffix for view in shown.values()] == ["", ""]


async def test_a_suffix_is_the_last_four_characters_of_the_native_id(store, reads):
    town = Town.founded("123456789", "creator")
    await keep(store, town)
    async with store.write() as connection:
        await connection.execute(members.update().values(name="star", skeleton=skeleton("star")))
    shown = await reads.shown(ONE, [town.id("123456789"), town.id("creator")])
    assert [view.suffix for view in shown.values()] == ["6789", "ator"]


async def test_members_who_are_not_there_are_not_shown(reads):
    assert await reads.shown(ONE, [MemberId(5)]) == {}
    assert await reads.shown(ONE, []) == {}
