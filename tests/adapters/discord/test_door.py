"""The door at a Discord in tests, over the wire: commands, buttons, forms, menus and suggestions."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from tests.adapters.discord.opening import opened_door
from tests.adapters.discord.people import Person, Seen
from tests.adapters.discord.seeing import labels_of

# --- commands ---------------------------------------------------------------------------------------------------


async def test_a_tip_is_told_in_the_channel_and_pings_who_got_it(town) -> None:
    seen = await town.person("bo").use("tip", to=town.user("cy"), amount="50")
    assert seen.text == "bo tipped cy 50 coins."
    assert not seen.is_private
    assert seen.pinged == [town.user("cy").id]


async def test_several_are_tipped_by_further_options(town) -> None:
    seen = await town.person("bo").use("tip", to=town.user("cy"), to_2=town.user("mo"), how="split", amount="41")
    assert seen.text == "bo tipped cy and mo 20 coins each."


async def test_ones_own_is_seen_by_oneself(town) -> None:
    seen = await town.person("bo").use("balance")
    assert seen.is_private
    assert seen.lines[0] == "You have 100 coins."
    assert seen.pinged == []


async def test_a_public_answer_can_be_asked_for_in_private(town) -> None:
    assert (await town.person("bo").use("top", private=True)).is_private
    assert not (await town.person("bo").use("top")).is_private


async def test_a_refusal_is_private(town) -> None:
    seen = await town.person("bo").use("tip", to=town.user("cy"), amount="5,000")
    assert seen.is_private
    assert seen.text == "This takes 5,000 coins, and you have 100 coins."
    assert seen.labels == ["Claim daily"]


async def test_a_command_of_an_older_release_is_refused(town) -> None:
    """Fault 80"""
    bo = town.person("bo")
    seen = await bo.sees(await town.peer.interact(2, bo.user, bo.channel, {"id": "1", "name": "tipp", "type": 1}))
    assert seen.is_private
    assert seen.text.startswith("There is no such command. Did you mean /tip?")


async def test_in_private_nobodys_coins_are_meant(town) -> None:
    """Fault 80, fault 105: a command given in a direct message."""
    bo = town.person("bo")
    data = bo.command_data("balance", {})
    interaction = await town.peer.interact(2, bo.user, town.peer.private_channel(bo.user), data)
    assert (await bo.sees(interaction)).text == "Coins belong to a community: write this where it meets."


async def test_where_only_the_user_installed_it_there_are_no_coins(town) -> None:
    """Fault 80"""
    bo = town.person("bo")
    data = bo.command_data("balance", {})
    interaction = await town.peer.interact(2, bo.user, bo.channel, data, installed=False)
    assert (await bo.sees(interaction)).text.startswith("I am not in this community")


async def test_a_server_that_the_bot_does_not_know_is_refused_without_a_crash(town) -> None:
    """Fault 80: of another shard, or joined this moment. Whoever acts there is a member, and nothing more."""
    stranger = town.peer.user("stranger")
    elsewhere = town.peer.guild("elsewhere", stranger)
    seen = await Person(town.peer, stranger, elsewhere).use("settings", name="undo_window", value="5")
    assert seen.text == "Only owners may do this. Ask one of them."


async def test_no_command_asks_discord_for_a_name(town) -> None:
    await town.person("bo").use("tip", to=town.user("cy"), amount="10")
    await town.person("bo").use("top")
    await town.person("mo").use("coins add", who=town.user("cy"), amount=5, reason="well done")
    asked = {request.path for request in town.peer.requests if request.method == "GET"}
    assert asked == {
        "/users/@me",
        "/oauth2/applications/@me",
        f"/applications/{town.peer.application_id}/commands",
        "/gateway/bot",
    }


# --- files ------------------------------------------------------------------------------------------------------


async def test_a_file_of_rows_is_read_and_one_that_is_too_large_is_not(town) -> None:
    ana, peer = town.person("ana"), town.peer
    await town.person("cy").use("balance")
    rows = f"member,amount\n{town.user('bo').id},5\n<@{town.user('cy').id}>,7\n".encode()
    asked = await ana.use("coins add", file=peer.attachment("prizes.csv", rows), reason="prizes")
    assert asked.lines[0] == "Correct 2 members, moving 12 coins in all? After it they have:"
    large = await ana.use("coins add", file=peer.attachment("large.csv", b"x" * 1_000_001), reason="prizes")
    assert large.text == "This file is too large. At most 1 MB is read; nothing was changed."
    gone = peer.attachment("gone.csv", rows)
    peer.files.clear()
    missing = await ana.use("coins add", file=gone, reason="prizes")
    assert missing.text == "This file could not be read. Nothing was changed; send it again."


def _torn() -> web.Response:
    torn = web.Response(body=b"member,amount", headers={"Content-Length": "100"})
    torn.force_close()
    return torn


@pytest.mark.parametrize("answer", [_torn, None], ids=["torn off", "line broken"])
async def test_a_file_whose_line_breaks_is_unreadable(town, answer) -> None:
    """Fault 78"""
    file = town.peer.attachment("prizes.csv", f"member,amount\n{town.user('bo').id},5\n".encode())
    town.peer.fail("GET", "^/files/", answer, times=9)
    seen = await town.person("ana").use("coins add", file=file, reason="prizes")
    assert seen.text == "This file could not be read. Nothing was changed; send it again."


async def test_a_file_and_a_member_are_one_too_many(town) -> None:
    """Fault 11"""
    file = town.peer.attachment("prizes.csv", b"1,5")
    seen = await town.person("ana").use("coins add", who=town.user("bo"), file=file, amount=5, reason="prizes")
    assert seen.lines[0] == "This names several people where one is meant. Nothing was done."


async def test_a_file_of_ours_is_attached(town) -> None:
    seen = await town.person("bo").use("history", form="csv")
    assert seen.lines == ["Your history, 1 row.", "[file history.csv]"]
    assert seen.is_private


# --- buttons ----------------------------------------------------------------------------------------------------


async def _asked(town):
    await town.person("mo").use("coins add", who=town.user("bo"), amount=1_900, reason="more")
    return await town.person("bo").use("tip", to=town.user("cy"), amount="1,500")


async def test_a_question_is_private_and_goes_when_it_was_answered(town) -> None:
    asked = await _asked(town)
    assert asked.is_private
    told = await town.person("bo").press(asked, "Confirm")
    assert told.text == "bo tipped cy 1,500 coins."
    assert not told.is_private
    channel = town.person("bo").channel
    await town.peer.until(lambda: int(asked.message["id"]) not in channel.messages)


async def test_five_presses_from_two_devices_pay_once(town) -> None:
    """Fault 25: and one public message tells of it."""
    bo = town.person("bo")
    asked = await _asked(town)
    pressed = [await bo.send_press(asked, "Confirm") for _ in range(5)]
    for interaction in pressed:
        assert (await bo.sees(interaction)).text == "bo tipped cy 1,500 coins."
    public = [seen for each in pressed for seen in each.seen if not seen["flags"] & 1 << 6]
    assert len(public) == 1
    assert (await bo.use("balance")).lines[0] == "You have 500 coins."


async def test_an_offer_is_one_offer_wherever_it_is_pressed(town) -> None:
    """Fault 26"""
    bo = town.person("bo")
    asked = await _asked(town)
    elsewhere = {**asked.message, "channel_id": str(town.guild.channel("elsewhere").id)}
    first = await bo.press(asked, "Confirm")
    second = await bo.sees(await bo.send_custom(elsewhere, asked.custom_id("Confirm")))
    assert first.text == second.text == "bo tipped cy 1,500 coins."
    assert second.is_private
    assert (await bo.use("balance")).lines[0] == "You have 500 coins."


async def test_somebody_else_cannot_press_it(town) -> None:
    asked = await _asked(town)
    seen = await town.person("cy").press(asked, "Confirm")
    assert seen.text == "This button is for somebody else."
    assert (await town.person("bo").use("balance")).lines[0] == "You have 2,000 coins."


@pytest.mark.parametrize(
    "custom_id",
    [
        "o:",
        "o:nothing",
        "q:",
        "q:tip 5",
        "x",
        "o:" + "y" * 90,
        "t:",
        "t:1A",
        "t:1:1A",
        "t:x:1A",
        "t:99999A",
        "a:",
        "a:1:",
        "a:x:undo",
        "g:1|",
    ],
)
async def test_a_button_of_an_older_release_has_expired(town, custom_id: str) -> None:
    """Fault 18"""
    bo = town.person("bo")
    asked = await _asked(town)
    seen = await bo.sees(await bo.send_custom(asked.message, custom_id))
    assert seen.is_private
    assert (await bo.use("balance")).lines[0] == "You have 2,000 coins."


async def test_buttons_work_after_a_restart(enter) -> None:
    async with enter() as town:
        bo = town.person("bo")
        asked = await _asked(town)
        board = await bo.use("top")
        await town.door.close()
        async with opened_door(town.peer, town.florin.conversation):
            assert (await bo.press(asked, "Confirm")).text == "bo tipped cy 1,500 coins."
            assert (await bo.press(board, "Creators")).lines[0] == "Creators of this week"


async def test_who_asked_turns_the_page_in_place_and_others_get_their_own(town) -> None:
    bo, cy = town.person("bo"), town.person("cy")
    board = await bo.use("top")
    others = await cy.press(board, "Creators")
    assert others.is_private
    assert others.message["id"] != board.message["id"]
    own = await bo.press(board, "Supporters")
    assert not own.is_private
    assert own.message["id"] == board.message["id"]


async def test_thanks_turn_the_message_and_are_the_receivers_alone(town) -> None:
    bo, cy, mo = town.person("bo"), town.person("cy"), town.person("mo")
    tip = await bo.use("tip", to=cy.user, amount="50", note="for you")
    no = await mo.press(tip, "Thank")
    assert no.is_private
    assert no.text == "This button is for somebody else."
    thanked = await cy.press(tip, "Thank")
    assert thanked.message["id"] == tip.message["id"]
    assert thanked.lines == ["bo tipped cy 50 coins.", '"for you"', "cy says thanks ♥"]
    assert thanked.labels == []


async def test_my_coins_are_seen_by_whoever_presses_alone(town) -> None:
    tip = await town.person("bo").use("tip", to=town.user("cy"), amount="50")
    seen = await town.person("mo").press(tip, "My coins")
    assert seen.is_private
    assert seen.lines[0] == "You have 0 coins."
    own = await town.person("bo").press(tip, "My coins")
    assert own.is_private
    assert own.lines == [
        "You have 50 coins.",
        "/daily gives you 50 coins today.",
        "You are number 1 of this week's tippers.",
    ]
    gift = await town.person("bo").use("gift", gift="rose", to=town.user("cy"))
    assert (await town.person("bo").press(gift, "My coins")).lines[-1] == "You are number 1 of this week's supporters."


async def test_undo_by_button_strikes_the_message_through(town) -> None:
    bo = town.person("bo")
    tip = await bo.use("tip", to=town.user("cy"), amount="50")
    assert (await town.person("cy").press(tip, "Undo")).text == "This button is for somebody else."
    undone = await bo.press(tip, "Undo")
    assert undone.text == "bo took back 50 coins from cy."
    assert undone.pinged == [town.user("cy").id]
    message = bo.channel.messages[int(tip.message["id"])]
    await town.peer.until(lambda: message["content"].startswith("~~"))
    assert labels_of(message) == []


async def test_what_a_process_before_posted_is_struck_through(town) -> None:
    """The message is found by the memory, and its words are read from Discord; no words are kept."""
    bo = town.person("bo")
    tip = await bo.use("tip", to=town.user("cy"), amount="50", note="well done")
    # The place may meet in another community later, where the same number is another receipt.
    community = tip.custom_id("Undo").partition(":undo")[0].rpartition(".")[2]
    await town.door.close()
    async with opened_door(town.peer, town.florin.conversation, town.florin.memory_of("discord")):
        receipt = tip.custom_id("Undo").rpartition(" ")[2]
        assert (await bo.use("undo", receipt=receipt)).text == "bo took back 50 coins from cy."
        message = bo.channel.messages[int(tip.message["id"])]
        await town.peer.until(lambda: message["content"].startswith("~~"))
        assert message["content"].split("\n")[:2] == [
            f"~~bo tipped <@{town.user('cy').id}> 50 coins.~~",
            '~~"well done"~~',
        ]
        assert labels_of(message) == []
    kept = await town.florin.memory_of("discord").get("receipt", f"{town.guild.id}:{community}:{receipt}")
    assert kept == f"{bo.channel.id}:{tip.message['id']}"


async def test_an_undo_whose_message_cannot_be_read_is_told_by_itself(town) -> None:
    bo = town.person("bo")
    tip = await bo.use("tip", to=town.user("cy"), amount="50")
    await town.door.close()
    async with opened_door(town.peer, town.florin.conversation, town.florin.memory_of("discord")):
        del bo.channel.messages[int(tip.message["id"])]
        receipt = tip.custom_id("Undo").rpartition(" ")[2]
        assert (await bo.use("undo", receipt=receipt)).text == "bo took back 50 coins from cy."


async def test_a_gift_is_sent_again_by_each_press(town) -> None:
    bo = town.person("bo")
    gift = await bo.use("gift", gift="rose", to=town.user("cy"), count=3)
    for count in (6, 9):
        assert (await bo.press(gift, "Send again")).text == f"bo sent cy rose x{count} ({count})."
    assert (await town.person("mo").press(gift, "Send again")).text == "This button is for somebody else."
    assert (await bo.use("balance")).lines[0] == "You have 91 coins."


# --- menus and forms --------------------------------------------------------------------------------------------


async def test_a_member_is_tipped_from_their_menu(town) -> None:
    bo = town.person("bo")
    form = await bo.open_menu("Tip this member", town.user("cy"))
    assert [field["label"] for field in form["components"]] == ["To", "Amount", "Note"]
    assert (await bo.fill_in(form, amount="25", note="nice")).lines == ["bo tipped cy 25 coins.", '"nice"']


async def test_a_messages_author_is_tipped_from_its_menu(town) -> None:
    bo = town.person("bo")
    message = await town.person("cy").say("look what I made")
    form = await bo.open_menu("Tip the author", message)
    assert (await bo.fill_in(form, amount="25")).text == "bo tipped cy 25 coins."


async def test_a_gift_is_sent_from_a_members_menu(town) -> None:
    bo = town.person("bo")
    form = await bo.open_menu("Send a gift", town.user("cy"))
    offered = form["components"][0]["component"]["options"]
    assert (offered[0]["value"], len(offered)) == ("rose", 24)
    assert (await bo.fill_in(form, gift="bouquet")).text == "bo sent cy a bouquet (100)."


async def test_a_form_with_nonsense_is_refused(town) -> None:
    bo = town.person("bo")
    form = await bo.open_menu("Tip this member", town.user("cy"))
    assert (await bo.fill_in(form, amount="lots")).text.startswith("An amount must be a whole number")
    form["custom_id"] = "f:nothing"
    assert (await bo.fill_in(form, amount="5")).text.startswith("There is no such command")


async def test_a_menu_on_a_bots_message_is_refused(town) -> None:
    """Fault 10"""
    bo = town.person("bo")
    tip = await bo.use("tip", to=town.user("cy"), amount="5")
    town.guild.join(town.peer.bot)
    form = await bo.open_menu("Tip the author", tip.message)
    assert (await bo.fill_in(form, amount="25")).text == "Florin is a bot, and bots have no wallet."


# --- suggestions ------------------------------------------------------------------------------------------------


async def test_gifts_are_suggested_by_what_the_balance_affords(town) -> None:
    bo = town.person("bo")
    found = await bo.suggestions("gift", "gift", gift="")
    assert found[0] == {"name": "🌹 rose (1 coin)", "value": "rose"}
    prices = [int(choice["name"].rpartition("(")[2].partition(" ")[0].replace(",", "")) for choice in found]
    assert prices == sorted(prices)
    assert [choice["value"] for choice in await bo.suggestions("gift", "gift", gift="yach")] == ["yacht"]


async def test_receipts_settings_and_commands_are_suggested(town) -> None:
    bo = town.person("bo")
    tip = await bo.use("tip", to=town.user("cy"), amount="50")
    assert tip.labels
    first, *_ = await bo.suggestions("undo", "receipt", receipt="")
    assert first["name"].endswith("tip -50 cy")
    settings = await town.person("ana").suggestions("settings", "name", name="undo")
    assert settings[0]["value"] == "undo_window"
    assert (await bo.suggestions("help", "command", command="coins ad")) == []
    commands = await town.person("mo").suggestions("help", "command", command="coins ")
    assert [each["value"] for each in commands][:3] == ["coins add", "coins remove", "coins set"]


# --- commands by mention ----------------------------------------------------------------------------------------


async def _answer_to(town, name: str, text: str, **more):
    person = town.person(name)
    message = await person.say(text, **more)
    channel, private = person.channel, town.peer.private_channel(person.user)

    def answers():
        return [
            each
            for each in (*channel.messages.values(), *private.messages.values())
            if each["author"]["id"] == str(town.peer.bot.id) and int(each["id"]) > int(message["id"])
        ]

    await town.peer.until(lambda: bool(answers()))
    return answers()[0]


async def test_a_command_by_mention_is_answered_below_it(town) -> None:
    cy = town.user("cy")
    answer = await _answer_to(town, "bo", f"<@{town.peer.bot.id}> tip <@!{cy.id}> 50 thank you")
    assert answer["content"].startswith(f"bo tipped <@{cy.id}> 50 coins.")
    assert int(answer["message_reference"]["channel_id"]) == town.person("bo").channel.id
    assert answer["pinged"] == [cy.id]


async def test_a_tip_in_reply_to_a_message_needs_no_name(town) -> None:
    cys = await town.person("cy").say("look")
    more = {
        "referenced_message": cys,
        "message_reference": {"message_id": cys["id"], "channel_id": cys["channel_id"], "type": 0},
    }
    answer = await _answer_to(town, "bo", f"<@{town.peer.bot.id}> tip 5", **more)
    # Who answers without pinging does not say whether they are there; the store knows them if they ever acted.
    assert "cy" in answer["content"]


async def test_a_private_answer_to_a_message_comes_directly_and_its_buttons_know_the_place(town) -> None:
    await town.person("mo").use("coins add", who=town.user("bo"), amount=1_900, reason="more")
    answer = await _answer_to(town, "bo", f"<@{town.peer.bot.id}> tip <@{town.user('cy').id}> 1,500")
    bo = town.person("bo")
    private = town.peer.private_channel(bo.user)
    assert answer["channel_id"] == str(private.id)
    custom_id = answer["components"][0]["components"][0]["custom_id"]
    assert custom_id.startswith(f"g:{town.guild.id}|o:")
    told = await bo.sees(await bo.send_custom(answer, custom_id))
    assert told.text == "bo tipped cy 1,500 coins."
    assert (await bo.use("balance")).lines[0] == "You have 500 coins."


@pytest.mark.parametrize("defer_after_s", [0.0, 60.0], ids=["after a placeholder", "directly"])
async def test_buttons_below_the_answer_to_a_press_in_private_know_the_place_too(enter, defer_after_s: float) -> None:
    async with enter(defer_after_s=defer_after_s) as town:
        bo, place = town.person("bo"), f"g:{town.guild.id}|"
        await town.person("mo").use("coins add", who=bo.user, amount=1_900, reason="more")
        asked = await _answer_to(town, "bo", f"<@{town.peer.bot.id}> tip <@{town.user('cy').id}> 1,500")
        told = await bo.press(Seen(town.peer, asked, town.guild), "Confirm")
        assert {told.custom_id(label)[: len(place)] for label in told.labels} == {place}
        assert (await bo.press(told, "Undo")).text == "bo took back 1,500 coins from cy."
        coins = await _answer_to(town, "bo", f"<@{town.peer.bot.id}> balance")
        board = await bo.sees(await bo.send_custom(coins, f"{place}q:top"))
        creators = await bo.press(board, "Creators")
        assert creators.lines[0] == "Creators of this week"
        assert {creators.custom_id(label)[: len(place)] for label in creators.labels} == {place}


async def test_whoever_takes_no_messages_is_pointed_to_the_slash_command(town) -> None:
    """Fault 85"""
    town.user("bo").takes_messages = False
    answer = await _answer_to(town, "bo", f"<@{town.peer.bot.id}> balance")
    assert answer["channel_id"] == str(town.person("bo").channel.id)
    assert answer["content"].startswith("The answer is for you alone")
    assert (await town.person("bo").use("balance")).is_private


async def test_bots_webhooks_and_bystanders_are_not_answered(town) -> None:
    """Fault 75: whoever is no person gives no commands."""
    robot = town.peer.user("robot", is_bot=True)
    town.guild.join(robot)
    await Person(town.peer, robot, town.guild).say(f"<@{town.peer.bot.id}> tip <@{town.user('bo').id}> 1")
    await town.person("bo").say(f"I like <@{town.peer.bot.id}> a lot")
    await town.person("bo").say("tip everyone")
    answer = await _answer_to(town, "bo", f"<@{town.peer.bot.id}> chest")
    mine = [
        each
        for each in town.person("bo").channel.messages.values()
        if each["author"]["id"] == str(town.peer.bot.id) and not each.get("interaction_metadata")
    ]
    assert mine == [answer]


async def test_without_text_commands_no_message_is_heard(enter) -> None:
    async with enter(text_commands=False) as town:
        session = next(iter(town.peer.gateway.sessions.values()))
        assert session.intents == 1
        await town.person("bo").say(f"<@{town.peer.bot.id}> chest")
        await town.person("bo").use("balance")
        assert not [each for each in town.person("bo").channel.messages.values() if each.get("message_reference")]


async def test_many_at_once_are_all_answered(town) -> None:
    bo = town.person("bo")
    sent = [await bo.send("tip", to=town.user("cy"), amount="1") for _ in range(60)]
    seen = await asyncio.gather(*[bo.sees(interaction) for interaction in sent])
    assert {each.text for each in seen} == {"bo tipped cy 1 coin."}
    assert (await bo.use("balance")).lines[0] == "You have 40 coins."
