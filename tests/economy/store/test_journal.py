"""The journal: what an order leaves in the store, and what it answers."""

import asyncio

import msgspec

from economy.books import PRESENT
from economy.ledger import Undone
from economy.refusals import Code
from economy.rules.earning import ClaimDaily, DailyClaimed
from economy.rules.gifting import Gifted, SendGift
from economy.rules.presence import Join, Leave
from economy.rules.safety import Block, FreezeAll
from economy.rules.tipping import Receivers, Tip, Tipped
from economy.rules.undoing import UndoSince
from economy.rules.words import RemoveText
from economy.values import AmountWord, Asset, Coins, EntryNumber, Note, Place, Reason, Role, Sighting
from tests.economy.store.acting import (
    STAFF,
    Acting,
    adjust,
    appoint,
    number_of,
    person,
    refusal_of,
    setting,
    sighting,
    tip,
)
from tests.economy.store.audit import bonus, rows, stored_order


async def test_a_tip_moves_coins_and_tells_both_balances(acting, store):
    await acting.grant(ana=100)
    answer = await acting.done(tip("ana", "bo", amount=30, note=Note("thanks")))
    assert isinstance(answer.outcome, Tipped)
    assert (await bonus(store, "ana"), await bonus(store, "bo")) == (70, 30)
    assert await rows(store, f"SELECT topic, text FROM texts WHERE entry = {answer.number}") == [("note", "thanks")]
    assert await rows(store, f"SELECT source_after, destination_after FROM postings WHERE entry = {answer.number}") == [
        (70, 30)
    ]
    [event] = await rows(store, f"SELECT event FROM outbox WHERE entry = {answer.number}")
    assert '"coins_tipped"' in event[0]


async def test_the_same_key_gives_the_first_answer_again(acting, store, clock):
    """Fault 25"""
    await acting.grant(ana=100)
    first = await acting.done(tip("ana", "bo"), key="act:once")
    clock.later(minutes=5)
    again = await acting.submit(tip("ana", "bo"), key="act:once")
    assert again.repeated
    assert (again.outcome, again.number, again.at) == (first.outcome, first.number, first.at)
    assert await bonus(store, "bo") == 10


async def test_the_same_key_in_one_batch_acts_once(acting, store):
    """Fault 25"""
    await acting.grant(ana=100)
    answers = await asyncio.gather(*(acting.submit(tip("ana", "bo"), key="act:once") for _ in range(5)))
    assert [answer.repeated for answer in answers] == [False, True, True, True, True]
    assert len({answer.number for answer in answers}) == 1
    assert await bonus(store, "bo") == 10


async def test_a_refusal_is_kept_under_its_key_as_well(acting, store):
    assert refusal_of(await acting.submit(tip("ana", "bo"), key="act:poor")).code is Code.INSUFFICIENT_FUNDS
    await acting.grant(ana=100)
    again = await acting.submit(tip("ana", "bo"), key="act:poor")
    assert again.repeated
    assert refusal_of(again).code is Code.INSUFFICIENT_FUNDS
    assert await bonus(store, "bo") == 0


async def test_a_key_with_another_order_is_refused(acting, store):
    await acting.grant(ana=100)
    await acting.done(tip("ana", "bo", amount=10), key="act:once")
    refused = await acting.refused(tip("ana", "bo", amount=11), key="act:once")
    assert refused.code is Code.KEY_REUSED
    assert await bonus(store, "bo") == 10
    assert (await acting.submit(tip("ana", "bo", amount=10), key="act:once")).repeated


async def test_a_key_of_the_same_batch_with_another_order_is_refused(acting):
    await acting.grant(ana=100)
    both = (tip("ana", "bo", amount=10), tip("ana", "bo", amount=11))
    answers = await asyncio.gather(*(acting.submit(order, key="act:once") for order in both))
    assert number_of(answers[0])
    assert refusal_of(answers[1]).code is Code.KEY_REUSED


async def test_keys_of_different_communities_are_strangers(acting, journal, store):
    elsewhere = Acting(journal, Place("console", "elsewhere"), prefix="act")
    await acting.submit(Join(by=person("ana")), key="act:1")
    answer = await elsewhere.submit(Join(by=person("ana")), key="act:1")
    assert not answer.repeated
    assert await rows(store, "SELECT community_id, number FROM entries") == [(1, 1), (2, 1)]


# --- who is there ---------------------------------------------------------------------------------------------------


async def test_whoever_acts_or_is_seen_joins_by_an_entry(acting, store):
    await acting.submit(tip("ana", "bo"))
    joined = await rows(store, "SELECT kind, key FROM entries ORDER BY number")
    assert joined == [("join", "act:1:join"), ("join", "act:1:join:2")]
    await acting.submit(tip("ana", "bo"))
    assert len(await rows(store, "SELECT 1 FROM entries")) == 2


async def test_a_mention_alone_makes_nobody_a_member(acting, store):
    await acting.grant(ana=100)
    named = (sighting("ana"), sighting("stranger", present=None))
    assert (await acting.refused(tip("ana", "stranger"), seen=named)).code is Code.UNKNOWN_MEMBER
    assert await rows(store, "SELECT 1 FROM identities WHERE native_id = 'stranger'") == []


async def test_a_door_that_says_someone_left_is_believed(acting):
    await acting.grant(ana=100)
    await acting.done(tip("ana", "bo"))
    gone = (sighting("ana"), sighting("bo", present=False))
    assert (await acting.refused(tip("ana", "bo"), seen=gone)).code is Code.UNKNOWN_MEMBER
    assert (await acting.submit(tip("ana", "bo"))).number is not None


async def test_leaving_and_joining_are_one_entry_each(acting, store):
    await acting.done(Join(by=person("ana")))
    await acting.done(Leave(by=person("ana")))
    assert [kind for (kind,) in await rows(store, "SELECT kind FROM entries ORDER BY number")] == ["join", "leave"]
    assert await rows(store, f"SELECT value FROM flags WHERE name = '{PRESENT}'") == [("false",)]


async def test_the_welcome_grant_comes_with_ones_own_first_order_once(acting, store):
    await acting.done(setting("welcome_grant", 25))
    await acting.done(adjust("bo", 1))
    assert await bonus(store, "bo") == 1  # being named is no order of one's own
    answer = await acting.done(tip("bo", "ana", amount=26))
    kinds = await rows(store, f"SELECT kind FROM entries WHERE number >= {answer.number - 1} ORDER BY number")
    assert kinds == [("welcome",), ("tip",)]
    await acting.refused(tip("bo", "ana", amount=1))
    assert await bonus(store, "bo") == 0


async def test_the_welcome_grant_waits_while_everyone_is_frozen(acting, store):
    await acting.done(setting("welcome_grant", 25))
    everyone = FreezeAll(by=person("owner"), frozen=True, reason=Reason("a raid"))
    await acting.done(everyone)
    await acting.done(Block(by=person("bo"), other=person("ana"), blocked=True))
    assert await bonus(store, "bo") == 0
    await acting.done(msgspec.structs.replace(everyone, frozen=False))
    await acting.done(Block(by=person("bo"), other=person("ana"), blocked=False))
    assert await bonus(store, "bo") == 25


async def test_the_last_seen_name_is_kept(acting, store, clock):
    await acting.submit(Join(by=person("ana")))
    clock.later(minutes=2)
    renamed = (Sighting(person("ana"), "Аnnа\0\ud800", False, True),)
    await acting.submit(Join(by=person("ana")), seen=renamed)
    [(name, skeleton, seen_us)] = await rows(store, "SELECT name, skeleton, seen_us FROM members")
    assert (name, skeleton) == ("Аnnа", "anna")
    assert seen_us == clock.now().timestamp() * 1_000_000


async def test_bots_cannot_receive(acting):
    """Fault 10"""
    await acting.grant(ana=100)
    seen = (sighting("ana"), sighting("robo", is_bot=True))
    assert (await acting.refused(tip("ana", "robo"), seen=seen)).code is Code.RECIPIENT_IS_BOT


# --- offers ---------------------------------------------------------------------------------------------------------


async def test_a_confirmation_pressed_five_times_pays_once(acting, store):
    """Fault 25"""
    await acting.grant(ana=100)
    question = await acting.submit(tip("ana", "bo", amount=None))
    agreed = await stored_order(store, question)
    answers = await asyncio.gather(*(acting.press("ana", question, agreed) for _ in range(5)))
    assert [answer.repeated for answer in answers] == [False, True, True, True, True]
    assert await bonus(store, "bo") == 100
    assert (await rows(store, "SELECT used_by FROM offers")) == [(answers[0].number,)]


async def test_an_offer_is_used_once_whatever_the_key(acting, store):
    """Fault 26"""
    await acting.grant(ana=200)
    question = await acting.submit(tip("ana", "bo", amount=None))
    agreed = await stored_order(store, question)
    presses = await asyncio.gather(*(acting.press("ana", question, agreed, key=f"act:press:{n}") for n in range(2)))
    assert presses[0].number is not None
    assert (refusal_of(presses[1]).code, refusal_of(presses[1]).rule) == (Code.EXPIRED, "used")
    later = await acting.press("ana", question, agreed, key="act:press:later")
    assert refusal_of(later).code is Code.EXPIRED


async def test_an_offer_is_for_whom_it_was_made_and_expires(acting, store, clock):
    await acting.grant(ana=100)
    question = await acting.submit(tip("ana", "bo", amount=None))
    agreed = await stored_order(store, question)
    other = await acting.press("bo", question, agreed)
    assert (refusal_of(other).code, refusal_of(other).rule) == (Code.NOT_ALLOWED, "presser")
    clock.later(minutes=6)
    late = await acting.press("ana", question, agreed)
    assert (refusal_of(late).code, refusal_of(late).rule) == (Code.EXPIRED, "late")
    assert await bonus(store, "bo") == 0


async def test_a_question_repeats_with_the_same_buttons(acting):
    await acting.grant(ana=100)
    first = await acting.submit(tip("ana", "bo", amount=None), key="act:all")
    again = await acting.submit(tip("ana", "bo", amount=None), key="act:all")
    assert again.repeated
    assert (again.outcome, again.offered) == (first.outcome, first.offered)


async def test_a_lack_of_coins_comes_with_the_daily_claim(acting, store):
    short = await acting.submit(tip("ana", "bo"))
    assert [offer.label for offer in short.offered] == ["daily"]
    claimed = await acting.press("ana", short, await stored_order(store, short))
    assert isinstance(claimed.outcome, DailyClaimed)
    assert await rows(store, f"SELECT kind FROM entries WHERE number = {claimed.number}") == [("daily",)]
    assert (await acting.refused(ClaimDaily(by=person("ana")))).code is Code.ALREADY_CLAIMED


# --- looking back ---------------------------------------------------------------------------------------------------


async def test_undo_takes_back_the_latest_even_right_behind_it(acting, store):
    await acting.grant(ana=100)
    tipped, undone = await asyncio.gather(acting.submit(tip("ana", "bo")), acting.undo("ana"))
    assert isinstance(undone.outcome, Undone)
    assert undone.outcome.parts[0].number == tipped.number
    assert await rows(store, "SELECT original, by_entry FROM reversals") == [(tipped.number, undone.number)]
    assert await bonus(store, "ana") == 100


async def test_two_undos_at_once_take_back_once(acting, store):
    await acting.grant(ana=100)
    tipped = await acting.done(tip("ana", "bo"))
    answers = await asyncio.gather(*(acting.undo("ana", of=tipped.number) for _ in range(2)))
    assert number_of(answers[0])
    assert refusal_of(answers[1]).code is Code.ALREADY_UNDONE
    assert await bonus(store, "ana") == 100


async def test_undoing_a_gift_lowers_what_is_on_hold(acting, store):
    await acting.done(adjust("ana", 100, asset=Asset.COIN))
    await acting.done(Join(by=person("bo")))
    await acting.done(appoint("bo", Role.CREATOR))
    gift = SendGift(by=person("ana"), to=person("bo"), gift="rose", count=10)
    given = await acting.submit(gift)
    assert isinstance(given.outcome, Gifted), given.outcome
    held = await rows(store, "SELECT name, amount FROM totals WHERE name = 'diamonds'")
    assert held[0][1] > 0
    await acting.undo("ana", of=given.number)
    assert await rows(store, "SELECT amount FROM totals WHERE name = 'diamonds'") == [(0,)]


async def test_a_moderator_takes_back_all_since_a_time(acting, store, clock):
    await acting.grant(ana=100, bo=50)
    clock.later(hours=1)
    since = clock.now()
    await acting.together(*(tip("ana", "bo", amount=n) for n in (1, 2, 3)))
    order = UndoSince(by=person("owner"), member=person("ana"), since=since, reason=Reason("a mistake"))
    question = await acting.submit(order)
    undone = await acting.press("owner", question, await stored_order(store, question), standing=STAFF)
    assert [part.number for part in undone.outcome.parts] == [8, 7, 6]
    assert (await bonus(store, "ana"), await bonus(store, "bo")) == (100, 50)


async def test_removed_words_are_gone_and_the_money_stays(acting, store):
    await acting.grant(ana=100)
    tipped = await acting.done(tip("ana", "bo", note=Note("rude words")))
    order = RemoveText(by=person("owner"), of=EntryNumber(tipped.number), reason=Reason("rude"))
    await acting.done(order)
    assert await rows(store, "SELECT text, removed FROM texts") == [("", 1)]
    assert await bonus(store, "bo") == 10


# --- roles and settings -----------------------------------------------------------------------------------------------


async def test_a_tip_to_a_role_asks_and_then_pays_its_holders(acting, store):
    await acting.grant(ana=100)
    for name in ("bo", "cy"):
        await acting.done(Join(by=person(name)))
        await acting.done(appoint(name, Role.CREATOR))
    order = Tip(by=person("ana"), receivers=Receivers(role=Role.CREATOR), amount=AmountWord.exact(5))
    treasurer = frozenset({Role.TREASURER})
    question = await acting.submit(order, standing=treasurer)
    paid = await acting.press("ana", question, await stored_order(store, question), standing=treasurer)
    assert isinstance(paid.outcome, Tipped), paid.outcome
    assert (await bonus(store, "bo"), await bonus(store, "cy")) == (5, 5)


async def test_a_setting_holds_for_the_next_order_of_the_batch(acting):
    await acting.grant(ana=1_000)
    answers = await acting.together(
        tip("ana", "bo", amount=50), setting("confirm_from", 50), tip("ana", "bo", amount=50)
    )
    assert number_of(answers[0])
    assert answers[2].number is None
    assert answers[2].outcome.why == ("large",)


async def test_an_entry_keeps_the_time_zone_in_force(acting, store):
    await acting.done(setting("time_zone", "Pacific/Auckland"))
    answer = await acting.done(Join(by=person("ana")))
    assert answer.time_zone == "Pacific/Auckland"
    zones = await rows(store, "SELECT kind, time_zone FROM entries WHERE kind IN ('settings', 'join') ORDER BY number")
    assert zones[-2:] == [("settings", "UTC"), ("join", "Pacific/Auckland")]


async def test_a_role_given_in_the_batch_counts_in_the_batch(acting):
    await acting.grant(ana=100)
    await acting.done(Join(by=person("bo")))
    to_all = Tip(by=person("ana"), receivers=Receivers(role=Role.CREATOR), amount=AmountWord.exact(5))
    _, question = await asyncio.gather(
        acting.submit(appoint("bo", Role.CREATOR)), acting.submit(to_all, standing=frozenset({Role.TREASURER}))
    )
    assert [part.amount for part in question.outcome.about.tips] == [Coins(5)]
