"""Tips, gifts, undos, boards and wallets, as members meet them: whole replies over a real store."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from adapters.contract import Attachment, File, Invocation, Mention, Pressed, Visibility
from economy.values import COINS_MAX, Role
from tests.bot.talk import LOBBY, Talk, person, talking, text_of


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """ana owns the lobby and runs this Florin; bo and cy are members. ana has 5,000 coins, bo has 500."""
    async with talking(tmp_path) as talk:
        await talk.join("ana", "bo", "cy")
        await talk.appoint("ana", Role.OWNER)
        await talk.appoint("ana", Role.OPERATOR)
        await talk.say("ana", "/coins add @ana 5000 to begin with")
        await talk.say("ana", "/coins add @bo 500 to begin with")
        yield talk


async def wallet(talk, name):
    fields = (await talk.say(name, "/balance")).fields
    return fields["coin"], fields["bonus"], fields["diamond"]


# --- tips -----------------------------------------------------------------------------------------------------


async def test_a_tip_is_told_in_one_short_line(talk):
    reply = await talk.say("ana", "/tip @bo 50")
    assert text_of(reply) == "ana tipped bo 50 coins."
    assert (reply.command, reply.outcome, reply.code, reply.visibility) == ("tip", "tip", None, Visibility.PUBLIC)
    assert reply.fields == {"tips": [{"to": "bo", "amount": 50}]}
    assert reply.pings == (person("bo").identity,)
    assert reply.receipt is not None


async def test_a_note_stands_on_a_line_of_its_own(talk):
    reply = await talk.say("bo", "/give @cy 1 well played, you")
    assert text_of(reply) == 'bo tipped cy 1 coin.\n"well played, you"'


async def test_several_get_the_amount_each_or_share_it(talk):
    assert text_of(await talk.say("ana", "/tip @bo @cy 50")) == "ana tipped bo and cy 50 coins each."
    assert text_of(await talk.say("ana", "/tip @bo @cy split 101")) == "ana tipped bo and cy 50 coins each."
    assert await wallet(talk, "ana") == (0, 4_800, 0)


async def test_a_large_tip_asks_first_in_private_and_pays_once(talk):
    """Faults 25, 26."""
    asked = await talk.say("ana", "/tip @bo 2k")
    assert (asked.command, asked.outcome, asked.visibility) == ("tip", "confirm", Visibility.PRIVATE)
    assert text_of(asked) == "Tip bo 2,000 coins?"
    assert asked.fields == {"tips": [{"to": "bo", "amount": 2_000}], "why": ["large"]}
    assert asked.receipt is None
    replies = [await talk.press("ana", asked, "Confirm") for _ in range(5)]
    assert {(reply.command, reply.outcome, reply.receipt) for reply in replies} == {("tip", "tip", replies[0].receipt)}
    assert text_of(replies[0]) == "ana tipped bo 2,000 coins."
    assert await wallet(talk, "bo") == (0, 2_500, 0)


async def test_a_button_is_for_who_asked_and_expires(talk):
    asked = await talk.say("ana", "/tip @bo all")
    assert asked.fields["why"] == ["large", "all"]
    assert [button.presser for button in asked.buttons] == [person("ana").identity]
    by_bo = await talk.press("bo", asked, "Confirm")
    assert (by_bo.command, by_bo.code, by_bo.fields["rule"]) == ("tip", "not_allowed", "presser")
    talk.clock.forward(minutes=5)
    late = await talk.press("ana", asked, "Confirm")
    assert (late.code, late.fields["rule"]) == ("expired", "late")


async def test_a_tip_of_bought_coins_says_what_it_means_and_offers_a_gift(talk):
    await talk.say("ana", "/coins add @cy 320 bought paid in cash")
    asked = await talk.say("cy", "/tip @bo 320")
    assert text_of(asked) == (
        "Tip bo 320 coins?\nThis turns 320 bought coins into free ones; bo earns nothing from it."
    )
    assert [button.label for button in asked.buttons] == ["Confirm", "Send a gift instead"]
    gifts = await talk.press("cy", asked, "Send a gift instead")
    assert (gifts.outcome, gifts.fields["budget"]) == ("gifts", 320)


async def test_the_same_message_delivered_again_gives_the_first_answer(talk):
    first = await talk.say("ana", "/tip @bo 50", act="test:message:twice")
    again = await talk.say("ana", "/tip @bo 50", act="test:message:twice")
    assert again == msgspec.structs.replace(first, repeated=True)
    reused = await talk.say("ana", "/tip @bo 51", act="test:message:twice")
    assert (reused.code, reused.visibility) == ("key_reused", Visibility.PRIVATE)
    assert await wallet(talk, "bo") == (0, 550, 0)


async def test_a_refusal_names_the_rule_and_its_numbers_in_private(talk):
    reply = await talk.say("bo", "/tip @cy 600")
    assert text_of(reply) == "This takes 600 coins, and you have 500 coins."
    assert (reply.command, reply.outcome, reply.code, reply.visibility) == (
        "tip",
        "refused",
        "insufficient_funds",
        Visibility.PRIVATE,
    )
    assert reply.fields == {"needed": 600, "available": 500}
    assert reply.receipt is None


async def test_whoever_lacks_coins_can_claim_the_days_at_once(talk):
    reply = await talk.say("cy", "/tip @bo 10")
    assert [button.label for button in reply.buttons] == ["Claim daily"]
    claimed = await talk.press("cy", reply, "Claim daily")
    assert (claimed.command, claimed.outcome, claimed.visibility) == ("daily", "daily", Visibility.PRIVATE)
    assert await wallet(talk, "cy") == (0, 50, 0)


async def test_who_cannot_receive_is_named_by_name(talk):
    """Fault 10."""
    await talk.florin.conversation.came(LOBBY, person("robo", is_bot=True), talk.act())
    reply = await talk.florin.conversation.say(
        Invocation(
            act=talk.act(),
            person=person("ana"),
            place=LOBBY,
            command="tip",
            words=(Mention(person("robo", is_bot=True)), "5"),
        )
    )
    assert (reply.code, reply.fields) == ("recipient_is_bot", {"member": "robo"})
    unknown = await talk.say("ana", "/tip @nobody 5")
    assert (unknown.code, unknown.fields) == ("unknown_member", {"name": "nobody"})
    assert (await talk.say("ana", "/tip @ana 5")).code == "self_transfer"


# --- gifts ------------------------------------------------------------------------------------------------------


async def test_a_gift_is_public_and_short(talk):
    reply = await talk.say("ana", "/gift bouquet @bo for you")
    assert text_of(reply) == 'ana sent bo a bouquet (100).\n"for you"'
    assert reply.fields == {
        "gift": "bouquet",
        "count": 1,
        "cost": 100,
        "creator": "bo",
        "diamond": 0,
        "bonus": 50,
        "house": 50,
    }
    assert text_of(await talk.say("ana", "/gift rose x3 @bo")) == "ana sent bo 3 roses (3)."


async def test_a_gift_whose_price_changed_is_asked_again(talk):
    """Fault 17."""
    asked = await talk.say("ana", "/gift fireworks @bo")
    assert text_of(asked) == "Send bo fireworks for 1,200 coins?"
    await talk.say("ana", "/catalogue price fireworks 1500")
    again = await talk.press("ana", asked, "Confirm")
    assert (again.command, again.outcome, again.fields["why"], again.fields["cost"]) == (
        "gift",
        "confirm",
        ["price_changed"],
        1_500,
    )
    assert text_of(await talk.press("ana", again, "Confirm")) == "ana sent bo fireworks (1,500)."


async def test_an_unknown_gift_names_the_nearest(talk):
    """Fault 17."""
    reply = await talk.say("ana", "/gift boquet @bo")
    assert (reply.code, reply.fields) == ("unknown_gift", {"gift": "boquet", "retired": False})
    assert text_of(reply) == "There is no gift called boquet. Did you mean bouquet? /gifts shows them all."


async def test_quantity_times_price_may_be_too_much(talk):
    """Fault 6."""
    assert (await talk.say("ana", f"/gift galaxy x{COINS_MAX} @bo")).code == "invalid_amount"


async def test_the_catalogue_comes_by_price_and_page(talk):
    first = await talk.say("bo", "/gifts")
    assert first.fields["rows"][0] == {"gift": "rose", "price": 1}
    assert len(first.fields["rows"]) == 12
    second = await talk.press("bo", first, "Next")
    assert second.fields["rows"][-1] == {"gift": "galaxy", "price": 44_999}
    fitting = await talk.say("bo", "/gifts 20")
    assert [row["gift"] for row in fitting.fields["rows"]] == ["rose", "clover", "cookie", "coffee"]
    assert (await talk.say("bo", "/gifts 0")).code == "invalid_amount"


async def test_who_turns_gifts_off_gets_none(talk):
    turned = await talk.say("bo", "/gifts off")
    assert (turned.fields, turned.visibility) == ({"on": False}, Visibility.PRIVATE)
    reply = await talk.say("ana", "/gift rose @bo")
    assert (reply.code, reply.fields["member"]) == ("gifts_off", "bo")


# --- undo -------------------------------------------------------------------------------------------------------


async def test_an_undo_replaces_the_message_and_tells_the_receiver(talk):
    tip = await talk.say("ana", "/tip @bo 50")
    reply = await talk.say("ana", "/undo")
    assert text_of(reply) == "ana took back 50 coins from bo."
    assert reply.fields == {"receipts": [tip.receipt], "taken": 50, "missing": 0}
    assert (reply.replaces, reply.pings) == (tip.receipt, (person("bo").identity,))
    again = await talk.say("ana", f"/undo {tip.receipt}")
    assert (again.code, again.fields) == ("already_undone", {"receipt": tip.receipt})


async def test_the_window_to_undo_is_named_when_it_is_over(talk):
    await talk.say("bo", "/tip @cy 50")
    talk.clock.forward(seconds=61)
    reply = await talk.say("bo", "/undo")
    assert reply.code == "undo_window_over"
    assert text_of(reply) == "You can take back what you sent for 1 minute, and that is over. A moderator still can."


async def test_a_moderator_undoes_what_a_member_did_since_a_time(talk):
    await talk.say("bo", "/tip @cy 50")
    await talk.say("bo", "/gift rose @cy")
    asked = await talk.say("ana", "/undo @cy 2h spam")
    assert (asked.outcome, asked.fields["why"], len(asked.fields["receipts"])) == ("confirm", ["bulk"], 2)
    done = await talk.press("ana", asked, "Confirm")
    assert text_of(done) == "ana undid 2 entries: 51 coins went back."
    assert await wallet(talk, "bo") == (0, 500, 0)


async def test_a_member_without_a_time_is_told_how_it_is_written(talk):
    reply = await talk.say("ana", "/undo @cy spam")
    assert (reply.code, reply.fields["option"]) == ("invalid_argument", "since")


# --- earning ----------------------------------------------------------------------------------------------------


async def test_the_days_coins_are_claimed_once(talk):
    reply = await talk.say("cy", "/daily")
    assert text_of(reply) == "You got 50 coins. The next are yours in 12 hours."
    assert reply.fields == {"amount": 50, "streak": 1, "next_at": "2026-11-21T00:00:00+00:00"}
    again = await talk.say("cy", "/daily")
    assert (again.code, again.fields) == ("already_claimed", {"next_at": "2026-11-21T00:00:00+00:00"})
    talk.clock.forward(days=1)
    assert text_of(await talk.say("cy", "/daily")).endswith("\nThat is 2 days in a row.")


# --- corrections ------------------------------------------------------------------------------------------------


async def test_a_correction_answers_row_by_row(talk):
    reply = await talk.say("ana", "/coins remove @bo 20 counted twice")
    assert text_of(reply) == "20 coins were taken from bo, who has 480 now."
    assert reply.fields == {"action": "remove", "member": "bo", "asset": "bonus", "amount": 20, "balance": 480}
    assert reply.visibility is Visibility.PRIVATE
    assert (await talk.say("ana", "/coins set @bo 7 bought cash")).fields["asset"] == "coin"
    assert (await talk.say("ana", "/coins add @bo 5")).code == "reason_required"


async def test_a_file_of_corrections_asks_first_and_is_one_batch(talk):
    """Fault 21."""
    rows = Attachment("rows.csv", b"bo,10\ncy,20\n")
    asked = await talk.florin.conversation.say(
        Invocation(
            act=talk.act(),
            person=person("ana"),
            place=LOBBY,
            command="coins",
            words=("add", rows, "prizes", "for", "all"),
        )
    )
    assert asked.outcome == "confirm"
    done = await talk.press("ana", asked, "Confirm")
    assert (done.command, done.outcome) == ("coins", "coins")
    assert done.fields["rows"] == [
        {"member": "bo", "asset": "bonus", "amount": 10, "balance": 510},
        {"member": "cy", "asset": "bonus", "amount": 20, "balance": 20},
    ]


# --- wallets ----------------------------------------------------------------------------------------------------


async def test_a_balance_is_one_number_while_no_coins_are_bought(talk):
    reply = await talk.say("bo", "/bal")
    assert text_of(reply).splitlines()[0] == "You have 500 coins."
    assert reply.fields == {"coin": 0, "bonus": 500, "diamond": 0, "diamond_held": 0}
    assert (reply.command, reply.visibility) == ("balance", Visibility.PRIVATE)


async def test_bought_coins_and_earnings_have_lines_of_their_own(talk):
    await talk.say("bo", "/creator join")
    await talk.say("ana", "/coins add @cy 320 bought cash")
    await talk.say("cy", "/gift bouquet @bo")
    assert text_of(await talk.say("cy", "/balance")).startswith("You have 220 coins (220 bought, 0 free).")
    own = await talk.say("bo", "/balance")
    assert own.fields == {"coin": 0, "bonus": 500, "diamond": 50, "diamond_held": 50}
    assert "\nEarnings: 50, all of them from 12 December.\n" in text_of(own)


async def test_anothers_coins_can_be_seen_unless_they_hide_them_and_earnings_are_for_staff(talk):
    """Fault 117."""
    seen = await talk.say("cy", "/balance @bo")
    assert seen.fields == {"member": "bo", "coin": 0, "bonus": 500, "diamond": None, "diamond_held": None}
    await talk.say("bo", "/hide amount")
    hidden = await talk.say("cy", "/balance @bo")
    assert (hidden.code, hidden.fields) == ("not_allowed", {"rule": "hidden", "member": "bo"})
    assert (await talk.say("ana", "/balance @bo")).fields["diamond"] == 0


async def test_history_is_signed_and_says_with_whom(talk):
    await talk.say("ana", "/tip @bo 50 thanks")
    await talk.say("bo", "/tip @cy 20")
    reply = await talk.say("bo", "/history")
    rows = reply.fields["rows"]
    assert [(row["kind"], row["amount"], row["asset"], row["counterpart"], row["note"]) for row in rows] == [
        ("tip", -20, "bonus", "cy", ""),
        ("tip", 50, "bonus", "ana", "thanks"),
        ("coins", 500, "bonus", "ana", ""),
    ]
    assert "bonus" not in text_of(reply)
    exported = await talk.press("bo", reply, "As a file")
    file = next(node for node in exported.nodes if isinstance(node, File))
    assert file.content.decode("utf-8-sig").count("\r\n") == 4


async def test_a_receipt_is_told_in_full_to_its_own_and_barely_to_others(talk):
    """Fault 118."""
    gift = await talk.say("ana", "/gift bouquet @bo for you")
    own = await talk.say("bo", f"/receipt {gift.receipt}")
    assert "bo got 50 coins of it; 50 went to the house." in text_of(own)
    assert own.fields["note"] == "for you"
    stranger = await talk.say("cy", f"/receipt {gift.receipt}")
    assert text_of(stranger) == f"{gift.receipt} is genuine, and it stands."
    assert stranger.fields == {"receipt": gift.receipt, "genuine": True, "undone": False}
    assert (await talk.say("cy", "/receipt 9999")).code == "unknown_receipt"


async def test_of_a_batch_each_sees_their_own_row(talk):
    """Fault 118."""
    rows = Attachment("rows.csv", b"bo,10\ncy,20\n")
    asked = await talk.florin.conversation.say(
        Invocation(act=talk.act(), person=person("ana"), place=LOBBY, command="coins", words=("add", rows, "prizes"))
    )
    done = await talk.press("ana", asked, "Confirm")
    seen = await talk.say("cy", f"/receipt {done.receipt}")
    assert (seen.fields["member"], seen.fields["amount"]) == ("cy", 20)
    assert "bo" not in text_of(seen)


# --- chest and boards -------------------------------------------------------------------------------------------


async def test_the_chest_is_seen_by_all_and_spent_by_treasurers(talk):
    await talk.say("ana", "/gift bouquet @bo")
    assert text_of(await talk.say("cy", "/chest")) == "The chest holds 50 coins."
    assert (await talk.say("cy", "/chest tip @bo 5")).code == "not_allowed"
    reply = await talk.say("ana", "/chest tip @bo @cy split 40 for the show")
    assert text_of(reply) == 'ana tipped bo and cy 20 coins each from the chest.\n"for the show"'


async def test_the_board_opens_with_whoever_has_something_on_it(talk):
    empty = await talk.say("bo", "/top")
    assert (empty.fields["board"], empty.fields["rows"], empty.fields["own"]) == (
        "tippers",
        [],
        {"rank": None, "score": 0},
    )
    assert "Be the first" in text_of(empty)
    await talk.say("ana", "/gift bouquet @bo")
    board = await talk.say("bo", "/lb")
    assert (board.command, board.fields["board"], board.fields["period"]) == ("top", "supporters", "week")
    assert board.fields["rows"] == [{"rank": 1, "name": "ana", "score": 100}]
    assert [button.label for button in board.buttons][:2] == ["Month", "All time"]
    creators = await talk.press("bo", board, "Creators")
    assert creators.fields["own"] == {"rank": 1, "score": 100}
    assert creators.visibility is Visibility.PUBLIC


async def test_whoever_hides_sees_their_own_rank_alone(talk):
    """Fault 117."""
    await talk.say("ana", "/gift bouquet @bo")
    await talk.say("ana", "/hide")
    board = await talk.say("ana", "/top supporters")
    assert board.visibility is Visibility.PRIVATE
    assert board.fields["rows"] == []
    assert board.fields["own"] == {"rank": 1, "score": 100}


async def test_a_board_of_balances_is_there_where_the_owner_wants_one(talk):
    assert (await talk.say("bo", "/top balance")).code == "feature_off"
    await talk.say("ana", "/settings balance_board on")
    assert (await talk.say("bo", "/top balance")).fields["period"] == "all"


async def test_a_button_that_looks_changes_nothing(talk):
    """Fault 18."""
    for line in ("q:daily", "q:undo", "q:hide", "q:gifts off"):
        reply = await talk.florin.conversation.press(
            Pressed(act=talk.act(), person=person("cy"), place=LOBBY, data=line)
        )
        assert reply.code == "expired"
    assert await wallet(talk, "cy") == (0, 0, 0)
