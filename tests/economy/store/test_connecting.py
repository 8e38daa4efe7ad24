"""Two identities become one person on a store, and part again: in one process and in two, in many communities."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import event

from economy.books import Question
from economy.ledger import Connected, Disconnected
from economy.projections.boards import parts_of
from economy.refusals import Code
from economy.rules.connecting import CodeGiven, Confirm, Connect, Depart, EnterCode, Leaving
from economy.rules.earning import ClaimDaily
from economy.rules.gifting import SendGift
from economy.rules.presence import Hide, Join
from economy.rules.safety import Block, Freeze, Scope
from economy.rules.tipping import Tipped
from economy.service import Answer
from economy.store.audit import audit
from economy.store.errors import OrderFailedError
from economy.store.journal import StoreJournal
from economy.store.projector import StoreProjector
from economy.store.reads import StoreReads
from economy.values import CommunityId, EntryNumber, MemberId, Place, Reason
from tests.economy.store.acting import Acting, number_of, person, refusal_of, setting, tip
from tests.economy.store.audit import bonus, rows
from tests.economy.store.connecting import agreed, code_of, confirmed, connected, disconnected
from tests.support.stores import open_store

ROOM = CommunityId(1)


@pytest.fixture
async def neighbour(address, clock) -> AsyncIterator[Acting]:
    """The same people, speaking through another journal, with its own idea of who is who, on the same database."""
    async with await open_store(address) as store, StoreJournal(store, clock) as journal:
        yield Acting(journal, prefix="neighbour")


async def must_have_no_ghosts(store) -> None:
    """Whoever is nobody's has gone on as somebody else, wherever they were a member, and has nothing left."""
    ghosts = "NOT EXISTS (SELECT 1 FROM identities AS i WHERE i.person_id = "
    left = await rows(
        store,
        f"SELECT m.community_id, m.person_id FROM members AS m WHERE {ghosts} m.person_id) AND NOT EXISTS (SELECT 1"
        " FROM flags AS f WHERE f.community_id = m.community_id AND f.subject = m.person_id AND f.name = 'successor')",
    )
    assert left == [], "members whom nobody can speak as"
    coins = f"SELECT owner, asset FROM accounts AS a WHERE a.owner > 0 AND a.balance <> 0 AND {ghosts} a.owner)"
    assert await rows(store, coins) == [], "coins that are nobody's"
    report = await audit(store)
    assert report.problems == ()


async def ids(store) -> dict[str, int]:
    return dict(await rows(store, "SELECT native_id, person_id FROM identities"))


async def actor_of(store, answer: Answer) -> int:
    [(actor,)] = await rows(store, f"SELECT actor FROM entries WHERE number = {number_of(answer)} AND community_id = 1")
    return int(actor)


# --- becoming one -----------------------------------------------------------------------------------------------------


async def test_two_identities_become_one_person_with_the_coins_of_both(acting, store):
    await acting.grant(ana=70, bo=30)
    answer = await connected(acting, "ana", "bo")
    assert isinstance(answer.outcome, Connected)
    assert await bonus(store, "ana") == await bonus(store, "bo") == 100
    assert await rows(store, "SELECT count(*) FROM accounts WHERE owner > 0 AND balance <> 0") == [(1,)]
    await must_have_no_ghosts(store)


async def test_whichever_side_asks_the_one_known_longer_stays(acting, store):
    await acting.grant(ana=70, bo=30)
    before = await ids(store)
    await connected(acting, "bo", "ana")
    assert (await ids(store))["bo"] == before["ana"]
    await must_have_no_ghosts(store)


async def test_one_person_cannot_tip_themself(acting, store):
    """Fault 9: also not by another of their identities."""
    await acting.grant(ana=70, bo=30)
    await connected(acting, "ana", "bo")
    for sender, receiver in (("ana", "bo"), ("bo", "ana")):
        assert (await acting.refused(tip(sender, receiver))).code is Code.SELF_TRANSFER
    assert await bonus(store, "ana") == 100


async def test_of_claims_by_all_identities_at_once_there_is_one(acting, neighbour, store):
    """Fault 28: in two processes that have known both for long."""
    await acting.grant(ana=1, bo=1)
    await neighbour.done(Join(by=person("bo")))
    await connected(acting, "ana", "bo")
    claims = [
        each.submit(ClaimDaily(by=person(name)))
        for _ in range(5)
        for each in (acting, neighbour)
        for name in ("ana", "bo")
    ]
    answers = await asyncio.gather(*claims)
    assert sum(answer.number is not None for answer in answers) == 1
    assert {refusal_of(answer).code for answer in answers if answer.number is None} == {Code.ALREADY_CLAIMED}
    assert await bonus(store, "ana") == 52


@pytest.mark.parametrize("claims", ["ana", "bo"])
async def test_a_day_that_either_claimed_is_claimed(acting, store, claims):
    """Fault 28"""
    for name in ("ana", "bo"):
        await acting.done(Join(by=person(name)))
    await acting.done(ClaimDaily(by=person(claims)))
    await connected(acting, "ana", "bo")
    assert (await acting.refused(ClaimDaily(by=person("ana")))).code is Code.ALREADY_CLAIMED
    assert await bonus(store, "ana") == 50


async def test_in_the_midst_of_transfers_no_coin_is_left_behind(acting, neighbour, store):
    """Fault 32: tips to and by both, through two journals, while they become one person."""
    await acting.grant(ana=500, bo=500, cy=500)
    await neighbour.done(tip("bo", "cy", amount=1))
    code = await code_of(acting, "ana")
    await agreed(acting, "bo", code)
    question = await acting.submit(Connect(by=person("ana")))
    order = Confirm(by=person("ana"), other=person("bo"), code=code)

    async def transfers(each: Acting) -> None:
        for _ in range(15):
            pairs = (("ana", "cy"), ("bo", "cy"), ("cy", "ana"), ("cy", "bo"), ("ana", "bo"))
            await asyncio.gather(*(each.submit(tip(*pair, amount=3)) for pair in pairs))

    async def confirming() -> Answer:
        await asyncio.sleep(0)
        answer: Answer = await neighbour.press("ana", question, order)
        return answer

    _, _, answer = await asyncio.gather(transfers(acting), transfers(neighbour), confirming())
    assert isinstance(answer.outcome, Connected)
    assert await bonus(store, "ana") + await bonus(store, "cy") == 1_500
    await must_have_no_ghosts(store)


async def test_a_process_that_still_knows_the_other_member_acts_for_the_successor(acting, neighbour, store):
    """Fault 32: what it has in mind is checked behind the lock."""
    await acting.grant(ana=100, bo=100, cy=10)
    first = await neighbour.done(tip("bo", "cy"))
    assert await actor_of(store, first) == (await ids(store))["bo"]
    await connected(acting, "ana", "bo")
    second, third = await neighbour.together(tip("bo", "cy"), tip("cy", "bo", amount=1))
    assert await actor_of(store, second) == (await ids(store))["ana"]
    assert third.number is not None
    assert await bonus(store, "ana") == 181
    await must_have_no_ghosts(store)


async def test_a_process_that_still_knows_an_identity_as_ours_does_not_spend_our_coins(acting, neighbour, store):
    """An account that was taken away from a thief is worth nothing to them anywhere."""
    await acting.grant(ana=100, bo=100, cy=10)
    await connected(acting, "ana", "bo")
    await neighbour.done(tip("bo", "cy"))
    await disconnected(acting, "ana", "bo", who=Leaving.OTHERS)
    assert (await neighbour.refused(tip("bo", "cy"))).code is Code.INSUFFICIENT_FUNDS
    assert (await bonus(store, "ana"), await bonus(store, "bo")) == (190, 0)
    await must_have_no_ghosts(store)


async def test_two_pairs_with_one_in_common_become_one_person_one_after_the_other(acting, neighbour, store):
    await acting.grant(ana=1, bo=2, cy=4)
    await neighbour.done(Join(by=person("cy")))
    codes = {name: await code_of(acting, name) for name in ("ana", "cy")}
    for code in codes.values():
        await agreed(acting, "bo", code)
    questions = {name: await acting.submit(Connect(by=person(name))) for name in codes}
    answers = await asyncio.gather(
        *(
            each.press(name, questions[name], Confirm(by=person(name), other=person("bo"), code=codes[name]))
            for each, name in ((acting, "ana"), (neighbour, "cy"))
        )
    )
    assert all(isinstance(answer.outcome, Connected) for answer in answers)
    assert len(set((await ids(store)).values())) == 2, "the owner, and one person of three"
    assert await bonus(store, "cy") == 7
    await must_have_no_ghosts(store)


# --- many communities -------------------------------------------------------------------------------------------------


async def test_every_community_that_either_is_in_follows_at_once(acting, store):
    halls = [Acting(acting.journal, Place("console", f"hall{n}"), prefix=f"hall{n}") for n in range(4)]
    await acting.grant(ana=1, bo=10)
    for n, hall in enumerate(halls):
        await hall.grant(**({"bo": 10} if n < 2 else {"ana": 1} if n == 2 else {"ana": 1, "bo": 10}))
    await connected(acting, "ana", "bo")
    found = await rows(
        store,
        "SELECT a.community_id, a.balance FROM accounts AS a JOIN identities AS i ON i.person_id = a.owner"
        " WHERE i.native_id = 'bo' AND a.asset = 'bonus' ORDER BY 1",
    )
    assert found == [(1, 11), (2, 10), (3, 10), (4, 1), (5, 11)]
    joined = "SELECT community_id FROM entries WHERE kind = 'connect' AND receipt LIKE '%connected%' ORDER BY 1"
    assert await rows(store, joined) == [(1,), (2,), (3,), (5,)], "one order in each where something moved"
    for hall in halls:
        assert (await hall.done(tip("bo", "cy", amount=1))).number
    await must_have_no_ghosts(store)


async def test_what_stands_against_it_in_one_community_stops_it_in_all(acting, store):
    hall = Acting(acting.journal, Place("console", "hall"), prefix="hall")
    await acting.grant(ana=1, bo=10)
    await hall.grant(ana=1, bo=10)
    freeze = Freeze(by=person("owner"), member=person("bo"), scope=Scope.RECEIVE, reason=Reason("spam"))
    await hall.done(freeze)
    refusal = refusal_of(await connected(acting, "ana", "bo"))
    assert (refusal.code, refusal.rule) == (Code.FROZEN, "connect")
    assert await rows(store, "SELECT count(*) FROM flags WHERE name IN ('successor', 'links')") == [(0,)]
    assert await bonus(store, "ana") == 1
    # The code was not used up by that: what was said stands, and the button works.
    await hall.done(Freeze(by=person("owner"), member=person("bo"), scope=None, reason=Reason("fine again")))
    question = await acting.submit(Connect(by=person("ana")))
    assert question.offered
    await must_have_no_ghosts(store)


async def test_cut_off_before_any_statement_nothing_is_done_anywhere(acting, store):
    """Fault 42: all communities are one transaction."""
    hall = Acting(acting.journal, Place("console", "hall"), prefix="hall")
    await acting.grant(ana=1, bo=10)
    await hall.grant(bo=10)
    code = await code_of(acting, "ana")
    await agreed(acting, "bo", code)
    question = await acting.submit(Connect(by=person("ana")))
    order = Confirm(by=person("ana"), other=person("bo"), code=code)
    state = "SELECT community_id, owner, balance FROM accounts ORDER BY 1, 2, 3"
    before = await rows(store, state), await ids(store)
    point, seen = 0, 0

    def cut(*_execution: object) -> None:
        nonlocal seen
        seen += 1
        if seen > point:
            raise RuntimeError("cut off")

    while True:
        event.listen(store.writer.sync_engine, "before_cursor_execute", cut)
        try:
            await acting.press("ana", question, order)
            break
        except OrderFailedError:
            pass
        finally:
            event.remove(store.writer.sync_engine, "before_cursor_execute", cut)
        assert (await rows(store, state), await ids(store)) == before, f"cut off after {point} statements"
        point, seen = point + 1, 0
    assert point >= 8, "a harness that cuts less often sees less"
    assert await bonus(store, "bo") == 11
    await must_have_no_ghosts(store)


async def test_whoever_comes_into_more_communities_meanwhile_is_not_left_there(acting, neighbour, store):
    """Fault 32: a member made in another process while the person goes on as another."""
    await acting.grant(ana=1, bo=10)
    await neighbour.done(tip("bo", "ana", amount=1))
    code = await code_of(acting, "ana")
    await agreed(acting, "bo", code)
    question = await acting.submit(Connect(by=person("ana")))
    order = Confirm(by=person("ana"), other=person("bo"), code=code)
    halls = [Acting(neighbour.journal, Place("console", f"hall{n}"), prefix=f"hall{n}") for n in range(30)]

    async def coming() -> None:
        for hall in halls:
            await hall.grant(bo=5)

    await asyncio.gather(coming(), acting.press("ana", question, order))
    found = await rows(
        store,
        "SELECT count(*) FROM accounts AS a JOIN identities AS i ON i.person_id = a.owner"
        " WHERE i.native_id = 'ana' AND a.balance = 5",
    )
    assert found == [(30,)]
    await must_have_no_ghosts(store)


# --- the code ---------------------------------------------------------------------------------------------------------


async def test_a_message_that_comes_again_gives_the_same_code(acting):
    order = Connect(by=person("ana"), new=True)
    first, again = [await acting.submit(order, key="act:once") for _ in range(2)]
    assert again.repeated
    assert first.outcome == again.outcome


async def test_a_code_works_once_for_one(acting, store):
    await acting.grant(ana=1, bo=1, cy=1)
    code = await code_of(acting, "ana")
    await agreed(acting, "bo", code)
    assert (await acting.refused(EnterCode(by=person("cy"), code=code))).rule == "code"
    await confirmed(acting, "ana", "bo", code)
    for name in ("bo", "cy"):
        assert (await acting.refused(EnterCode(by=person(name), code=code))).rule == "code"


async def test_what_the_confirming_side_saw_is_what_it_confirms(acting, store):
    """Somebody else's identity cannot be slipped in after the question."""
    await acting.grant(ana=1, bo=1, cy=1)
    code = await code_of(acting, "ana")
    await agreed(acting, "bo", code)
    question = await acting.submit(Connect(by=person("ana")))
    fresh = await acting.submit(Connect(by=person("ana"), new=True))
    assert isinstance(fresh.outcome, Question)
    assert isinstance(fresh.outcome.about, CodeGiven)
    await agreed(acting, "cy", fresh.outcome.about.code)
    answer = await acting.press("ana", question, Confirm(by=person("ana"), other=person("bo"), code=code))
    assert refusal_of(answer).rule == "code"
    assert len(set((await ids(store)).values())) == 4


async def test_a_code_is_worth_nothing_after_ten_minutes(acting, clock):
    await acting.grant(ana=1, bo=1)
    code = await code_of(acting, "ana")
    clock.later(minutes=10)
    assert (await acting.refused(EnterCode(by=person("bo"), code=code))).rule == "code"
    code = await code_of(acting, "ana")
    clock.later(minutes=9, seconds=59)
    await agreed(acting, "bo", code)
    clock.later(seconds=1)
    question = await acting.submit(Connect(by=person("ana")))
    assert isinstance(question.outcome, Question)
    assert isinstance(question.outcome.about, CodeGiven), "what nobody confirmed in time is over"


async def test_guesses_are_counted_wherever_they_are_made(acting, clock):
    hall = Acting(acting.journal, Place("console", "hall"), prefix="hall")
    await acting.grant(ana=1)
    code = await code_of(acting, "ana")
    for each in (acting, hall, acting, hall, acting):
        assert (await each.refused(EnterCode(by=person("eve"), code="AAAA-AAAA"))).rule == "code"
    assert (await hall.refused(EnterCode(by=person("eve"), code=code))).rule == "codes"
    assert (await acting.submit(EnterCode(by=person("bo"), code=code))).offered, "others may still enter theirs"
    clock.later(minutes=10)
    code = await code_of(acting, "ana")
    assert (await hall.submit(EnterCode(by=person("eve"), code=code))).offered


async def test_a_press_that_comes_again_is_answered_again(acting, neighbour, store):
    """Fault 25"""
    await acting.grant(ana=1, bo=2)
    code = await code_of(acting, "ana")
    await agreed(acting, "bo", code)
    question = await acting.submit(Connect(by=person("ana")))
    order = Confirm(by=person("ana"), other=person("bo"), code=code)
    answers = await asyncio.gather(
        *(each.press("ana", question, order) for _ in range(3) for each in (acting, neighbour))
    )
    assert sum(not answer.repeated for answer in answers) == 1
    assert len({answer.number for answer in answers}) == 1
    assert await bonus(store, "ana") == 3


# --- what was before --------------------------------------------------------------------------------------------------


async def test_what_either_sent_before_is_taken_back_to_the_one_they_are(acting, store):
    await acting.grant(ana=100, bo=100, cy=50)
    await acting.done(tip("bo", "cy", amount=40))
    await connected(acting, "ana", "bo")
    undone = await acting.undo("ana")
    assert undone.number is not None, undone.outcome
    assert (await bonus(store, "ana"), await bonus(store, "cy")) == (200, 50)
    await must_have_no_ghosts(store)


async def test_what_either_got_before_is_taken_from_the_one_they_are(acting, neighbour, store):
    """Also by a process that knew them as two."""
    await acting.grant(ana=1, bo=1, cy=50)
    received = await neighbour.done(tip("cy", "bo", amount=40))
    await connected(acting, "ana", "bo")
    undone = await neighbour.undo("owner", number_of(received), "spam")
    assert undone.number is not None, undone.outcome
    assert (await bonus(store, "ana"), await bonus(store, "cy")) == (2, 50)
    await must_have_no_ghosts(store)


async def test_what_went_between_the_two_is_nobodys_to_take_back(acting, store):
    await acting.grant(ana=10, bo=10)
    between = await acting.done(tip("bo", "ana"))
    await connected(acting, "ana", "bo")
    assert refusal_of(await acting.undo("owner", number_of(between), "spam")).rule == "own"
    assert await bonus(store, "ana") == 20


async def test_joining_itself_cannot_be_undone(acting):
    await acting.grant(ana=10, bo=10)
    joined = await connected(acting, "ana", "bo")
    assert refusal_of(await acting.undo("owner", number_of(joined), "no")).rule == "kind"


async def test_a_button_made_for_either_is_pressed_by_the_one_they_are(acting, store):
    await acting.grant(ana=10, bo=5_000)
    question = await acting.submit(tip("bo", "cy", amount=2_000))
    inner = await StoreReads(store).offer_order(acting.place, question.offered[0].nonce)
    assert inner is not None
    await connected(acting, "ana", "bo")
    assert (await acting.press("ana", question, inner)).number is not None
    assert await bonus(store, "cy") == 2_000


async def test_a_button_made_for_who_left_since_does_nothing(acting, store):
    """What it would do is somebody else's by now."""
    await acting.grant(ana=5_000, bo=10)
    await connected(acting, "ana", "bo")
    question = await acting.submit(tip("bo", "cy", amount=2_000))
    inner = await StoreReads(store).offer_order(acting.place, question.offered[0].nonce)
    assert inner is not None
    await disconnected(acting, "bo", "ana")
    assert refusal_of(await acting.press("ana", question, inner)).code is Code.EXPIRED
    assert refusal_of(await acting.press("bo", question, inner)).rule == "presser"
    assert await bonus(store, "ana") == 5_010


async def test_a_question_about_leaving_holds_for_the_accounts_that_were_there(acting, store):
    await acting.grant(ana=5, bo=5, cy=5)
    await connected(acting, "ana", "bo")
    everyone = tuple(sorted(map(person, ("ana", "bo"))))
    order = Depart(by=person("ana"), leaving=(person("bo"),), identities=everyone)
    await connected(acting, "ana", "cy")
    assert (await acting.refused(order)).code is Code.EXPIRED


async def test_reading_finds_what_was_under_the_other_name(acting, store):
    await acting.grant(ana=100, bo=100, cy=50)
    sent = await acting.done(tip("bo", "cy", amount=40))
    await acting.done(Block(by=person("cy"), other=person("bo")))
    was = await ids(store)
    await connected(acting, "ana", "bo")
    ana = MemberId(was["ana"])
    reads = StoreReads(store)
    page = await reads.history(ROOM, ana)
    assert [(row.kind, row.amount) for row in page.rows] == [
        ("connect", 60),
        ("tip", -40),
        ("coins", 100),
        ("coins", 100),
    ]
    entry = await reads.entry(ROOM, EntryNumber(number_of(sent)))
    assert entry is not None
    assert isinstance(entry.receipt, Tipped)
    assert (entry.actor, entry.receipt.sender) == (ana, ana)
    assert ana in entry.touched
    shown = await reads.shown(ROOM, [MemberId(was["bo"]), ana])
    assert shown[MemberId(was["bo"])].identity == shown[ana].identity
    assert await reads.blocked_by(ROOM, MemberId(was["cy"])) == [ana]
    for found in (await reads.audit(ROOM, member=ana), await reads.audit(ROOM, actor=ana)):
        assert number_of(sent) in [each.number for each in found.entries]
    theirs = await reads.history(ROOM, MemberId(was["cy"]))
    assert theirs.rows[0].counterparts == (MemberId(was["bo"]),), "shown as whoever that is now"
    assert (await acting.refused(tip("ana", "cy"))).code is Code.BLOCKED


async def test_a_member_is_shown_by_their_identity_on_the_platform(acting, store):
    await acting.grant(ana=1, bo=1)
    await connected(acting, "ana", "bo")
    async with store.write() as connection:
        await connection.exec_driver_sql("UPDATE identities SET platform = 'telegram' WHERE native_id = 'bo'")
    ana = MemberId((await ids(store))["ana"])
    reads = StoreReads(store)
    for platform, name in (("telegram", "bo"), ("console", "ana"), ("discord", "ana"), ("", "ana")):
        shown = await reads.shown(ROOM, [ana], platform=platform)
        assert shown[ana].identity.native_id == name


# --- parting ----------------------------------------------------------------------------------------------------------


async def test_whoever_leaves_starts_with_nothing_and_nobody_loses_a_coin(acting, store):
    hall = Acting(acting.journal, Place("console", "hall"), prefix="hall")
    await acting.grant(ana=10, bo=10)
    await hall.grant(bo=10)
    await connected(acting, "ana", "bo")
    answer = await disconnected(acting, "bo", "ana")
    assert isinstance(answer.outcome, Disconnected)
    assert (await bonus(store, "ana"), await bonus(store, "bo")) == (20, 0)
    assert (await hall.refused(tip("bo", "cy"))).code is Code.INSUFFICIENT_FUNDS
    assert (await hall.done(tip("ana", "cy"))).number
    assert len(set((await ids(store)).values())) == 4
    await must_have_no_ghosts(store)


async def test_leaving_and_coming_back_gives_no_second_welcome_and_no_second_day(acting, store):
    await acting.done(setting("welcome_grant", 30))
    await acting.grant(ana=10, bo=10)
    await acting.done(ClaimDaily(by=person("ana")))
    await connected(acting, "ana", "bo")
    for _ in range(2):
        await disconnected(acting, "bo", "ana")
        assert (await acting.refused(ClaimDaily(by=person("bo")))).code is Code.ALREADY_CLAIMED
        await connected(acting, "ana", "bo")
    assert await bonus(store, "ana") == 10 + 10 + 30 + 30 + 50
    await must_have_no_ghosts(store)


async def test_whom_somebody_blocked_stays_blocked_after_leaving(acting, store):
    await acting.grant(ana=10, bo=10)
    await acting.done(Block(by=person("cy"), other=person("bo")))
    await connected(acting, "ana", "bo")
    await disconnected(acting, "bo", "ana")
    await acting.grant(bo=10)
    assert (await acting.refused(tip("bo", "cy"))).code is Code.BLOCKED
    await acting.done(Block(by=person("cy"), other=person("bo"), blocked=False))
    assert (await acting.done(tip("bo", "cy"))).number
    assert (await acting.refused(tip("ana", "cy"))).code is Code.BLOCKED


async def test_whoever_is_being_asked_for_by_another_can_leave_meanwhile(acting, store):
    await acting.grant(ana=1, bo=1, cy=1)
    await connected(acting, "ana", "bo")
    await agreed(acting, "cy", await code_of(acting, "bo"))
    assert isinstance((await disconnected(acting, "bo", "ana")).outcome, Disconnected)
    assert len(set((await ids(store)).values())) == 4
    await must_have_no_ghosts(store)


# --- boards -----------------------------------------------------------------------------------------------------------


async def test_boards_are_the_same_however_entries_are_cut(acting, clock, store):
    """The successor's scores are the sum, and whoever went on is on no board; also when made anew."""
    await acting.grant(ana=500, bo=500, cy=500, dee=500)
    gift = await acting.done(SendGift(by=person("bo"), to=person("dee"), gift="bouquet"))
    await acting.done(SendGift(by=person("ana"), to=person("dee"), gift="clover", count=3))
    await acting.done(tip("bo", "ana", amount=30))
    await acting.done(tip("cy", "bo", amount=20))
    await acting.done(tip("bo", "cy", amount=70))
    clock.later(hours=2)
    was = await ids(store)
    before = await scores_of(store, was)
    await connected(acting, "ana", "bo")
    after = await scores_of(store, was)
    for series in before["bo"].keys() | before["ana"].keys():
        together = before["bo"].get(series, 0) + before["ana"].get(series, 0)
        assert after["ana"][series] == together, parts_of(series)
    assert after["bo"] == {}
    await acting.undo("owner", number_of(gift), "a mistake")
    await acting.done(tip("bo", "dee", amount=5))
    await acting.done(Hide(by=person("dee")))
    await connected(acting, "cy", "dee")
    await connected(acting, "dee", "ana")
    await disconnected(acting, "bo", "ana", "cy", "dee")
    await StoreProjector(store).drain()
    wanted = await boards_of(store)
    assert {member for _, member, *_ in wanted[0]} == {was["ana"]}
    for most in (1, 2, 3, 7, 1_000):
        await StoreProjector(store, entries_max=most).rebuild()
        assert await boards_of(store) == wanted, f"{most} entries at a time"
    await must_have_no_ghosts(store)


async def scores_of(store, members: dict[str, int]) -> dict[str, dict[int, int]]:
    await StoreProjector(store).drain()
    return {
        name: dict(await rows(store, f"SELECT series, score FROM scores WHERE member_id = {member}"))
        for name, member in members.items()
    }


async def boards_of(store) -> tuple[list[tuple], list[tuple]]:
    scores = "SELECT series, member_id, score, reached, listed, standing, since FROM scores ORDER BY 1, 2"
    return await rows(store, scores), await rows(store, "SELECT series, bucket, members FROM histogram ORDER BY 1, 2")
