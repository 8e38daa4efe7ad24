"""How the commands of one's own, of staff and of owners answer, in words and in fields."""

import csv
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.contract import File, Reply, Visibility
from bot.commands.audit import EntryKind
from economy.books import Order
from economy.rules import ORDERS
from economy.settings import OFF_AT_FIRST, SETTINGS, Feature
from tests.bot.talk import LOBBY, Talk, people_of_the_lobby, person, talking, text_of


@pytest.fixture(scope="module")
async def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ana owns the lobby and runs this Florin; mo moderates there; bo has 100 coins, cy none."""
    folder = tmp_path_factory.mktemp("lobby")
    await people_of_the_lobby(folder)
    return folder


@pytest.fixture
async def talk(prepared: Path, tmp_path: Path) -> AsyncIterator[Talk]:
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    async with talking(tmp_path, run="test") as talk:
        yield talk


def refusal(reply: Reply) -> tuple[str | None, str]:
    assert reply.outcome == "refused"
    assert reply.visibility is Visibility.PRIVATE
    return reply.code, text_of(reply)


# --- hide and show ----------------------------------------------------------------------------------------------------


async def test_hiding_oneself_says_how_to_come_back(talk):
    reply = await talk.say("bo", "/hide")
    assert text_of(reply) == "You are off the boards now, and can still see your own rank. /show puts you back."
    assert reply.fields == {"what": "me", "hidden": True}
    assert text_of(await talk.say("bo", "/show")) == "You are on the boards again."


async def test_hiding_the_amount_keeps_it_from_other_members(talk):
    assert (await talk.say("cy", "/balance @bo")).outcome == "balance"
    assert (await talk.say("bo", "/hide amount")).fields == {"what": "amount", "hidden": True}
    assert refusal(await talk.say("cy", "/balance @bo"))[0] == "not_allowed"
    await talk.say("bo", "/show amount")
    assert (await talk.say("cy", "/balance @bo")).outcome == "balance"


# --- block ------------------------------------------------------------------------------------------------------------


async def test_a_blocked_member_is_refused_without_the_reason(talk):
    reply = await talk.say("cy", "/block @bo")
    assert text_of(reply) == "bo can no longer send you coins, gifts or notes, and is not told."
    assert refusal(await talk.say("bo", "/tip @cy 5"))[0] == "blocked"
    assert text_of(await talk.say("cy", "/blocks")) == "You have blocked 1 member:\nbo"
    await talk.say("cy", "/unblock @bo")
    assert text_of(await talk.say("cy", "/blocks")) == "You have blocked nobody."
    assert (await talk.say("bo", "/tip @cy 5")).outcome == "tip"


async def test_blocking_oneself_is_refused(talk):
    assert refusal(await talk.say("bo", "/block @bo"))[0] == "invalid_argument"


async def test_blocking_two_at_once_asks_whom(talk):
    """Fault 11"""
    assert refusal(await talk.say("bo", "/block @cy @mo"))[0] == "ambiguous"
    assert text_of(await talk.say("bo", "/blocks")) == "You have blocked nobody."


# --- freeze -----------------------------------------------------------------------------------------------------------


async def test_freezing_a_member_names_what_and_how_to_lift_it(talk):
    reply = await talk.say("mo", "/freeze @bo send odd sums")
    assert text_of(reply) == "bo can no longer send coins or gifts. /unfreeze lifts it."
    assert reply.fields == {"member": "bo", "what": "send"}
    code, words = refusal(await talk.say("bo", "/tip @cy 5"))
    assert (code, "a moderator" in words) == ("frozen", True)
    assert text_of(await talk.say("mo", "/unfreeze @bo all is well")) == "bo can move coins again."
    assert (await talk.say("bo", "/tip @cy 5")).outcome == "tip"


async def test_freezing_everyone_stops_all_movement(talk):
    assert refusal(await talk.say("mo", "/freeze everyone we look into it"))[0] == "not_allowed"
    reply = await talk.say("ana", "/freeze everyone we look into it")
    assert reply.fields == {"member": None, "what": "both"}
    assert refusal(await talk.say("bo", "/tip @cy 5"))[0] == "frozen"
    await talk.say("ana", "/unfreeze everyone all is well")
    assert (await talk.say("bo", "/tip @cy 5")).outcome == "tip"


@pytest.mark.parametrize("command", ["/freeze @bo", "/unfreeze @bo", "/freeze everyone", "/unfreeze everyone"])
async def test_freezing_needs_a_reason(talk, command):
    assert refusal(await talk.say("ana", command))[0] == "reason_required"


async def test_freezing_nobody_says_what_is_missing(talk):
    code, words = refusal(await talk.say("ana", "/freeze"))
    assert code == "invalid_argument"
    assert "member" in words


# --- creators ---------------------------------------------------------------------------------------------------------


async def test_becoming_a_creator_tells_what_one_earns(talk):
    reply = await talk.say("bo", "/creator join")
    assert "earn 50% of every gift to you" in text_of(reply)
    assert reply.fields == {"member": "bo", "state": "creator"}
    await talk.say("bo", "/creator profile I draw birds")
    await talk.say("bo", "/creator favourites rose cake rose")
    page = await talk.say("cy", "/creator @bo")
    assert text_of(page) == 'bo is a creator.\n"I draw birds"\nFavourite gifts: rose, cake.'
    assert page.fields == {
        "member": "bo",
        "state": "creator",
        "profile": "I draw birds",
        "favourites": ["rose", "cake"],
    }
    await talk.say("bo", "/creator profile")
    await talk.say("bo", "/creator favourites")
    assert text_of(await talk.say("bo", "/creator")) == "You are a creator."
    assert (await talk.say("bo", "/creator leave")).fields["state"] == "none"


async def test_creators_wait_for_approval_where_that_is_set(talk):
    await talk.say("ana", "/settings creator_approval on")
    assert (await talk.say("bo", "/creator join")).fields["state"] == "asked"
    assert refusal(await talk.say("mo", "/creator decline @bo"))[0] == "reason_required"
    reply = await talk.say("mo", "/creator approve @bo")
    assert text_of(reply) == "bo is a creator now."
    assert refusal(await talk.say("mo", "/creator approve @bo"))[0] == "invalid_argument"


async def test_a_profile_passes_the_word_list(talk):
    await talk.say("bo", "/creator join")
    await talk.say("mo", "/words add casino")
    code, words = refusal(await talk.say("bo", "/creator profile best Casino in town"))
    assert code == "text_not_allowed"
    assert "casino" not in words.lower()


async def test_creators_can_be_turned_off(talk):
    await talk.say("ana", "/features creators off")
    for command in ("/creator", "/creator join", "/creator profile hello", "/help creator join"):
        assert refusal(await talk.say("bo", command))[0] == "feature_off", command
    assert not [name for name in _names(await talk.say("bo", "/help")) if name.startswith("creator")]


# --- settings ---------------------------------------------------------------------------------------------------------


async def test_settings_shows_them_all_to_everyone(talk):
    reply = await talk.say("bo", "/settings")
    assert reply.fields["settings"] == {name: setting.default for name, setting in SETTINGS.items()}
    assert all(name in text_of(reply) for name in SETTINGS)
    assert "undo_window | 60 seconds" in text_of(reply)


@pytest.mark.parametrize("name", SETTINGS)
async def test_every_setting_can_be_read_about_and_reset(talk, name):
    reply = await talk.say("bo", f"/settings {name}")
    assert SETTINGS[name].doc in text_of(reply)
    assert reply.fields == {"name": name, "value": SETTINGS[name].default, "default": SETTINGS[name].default}
    assert (await talk.say("ana", f"/settings {name} reset")).fields["reset"] is True


@pytest.mark.parametrize(
    ("typed", "before", "after"),
    [
        ("undo_window 120", 60, 120),
        ("confirm_from 2.5k", 1_000, 2_500),
        ("daily_amount 1,000", 50, 1_000),
        ("creator_share 12.5%", 5_000, 1_250),
        ("creator_share 70", 5_000, 7_000),
        ("creators_only on", False, True),
        ("links_allowed YES", False, True),
        ("time_zone Europe/Berlin", "UTC", "Europe/Berlin"),
        ("currency_many Gold pieces", "coins", "Gold pieces"),
        ("Undo-Window 0", 60, 0),
    ],
)
async def test_a_setting_is_changed_and_told_before_and_after(talk, typed, before, after):
    reply = await talk.say("ana", f"/settings {typed}")
    assert (reply.outcome, reply.fields["before"], reply.fields["after"]) == ("settings", before, after)
    audit = (await talk.say("mo", "/audit kind:settings")).fields["rows"]
    assert isinstance(audit, list)
    assert len(audit) == 1


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("undo_window soon", "invalid_argument"),
        ("undo_window -1", "invalid_argument"),
        ("undo_window 1.5", "invalid_argument"),
        ("undo_window 86401", "invalid_argument"),
        ("undo_window １２", "invalid_argument"),
        ("confirm_from 1.5", "invalid_amount"),
        ("confirm_from -5", "invalid_amount"),
        ("confirm_from 0", "invalid_argument"),
        ("daily_amount NaN", "invalid_amount"),
        ("creator_share 90.01%", "invalid_argument"),
        ("creator_share half", "invalid_argument"),
        ("creators_only perhaps", "invalid_argument"),
        ("time_zone Mars/Olympus", "invalid_argument"),
        ("currency_many " + "x" * 21, "invalid_argument"),
        ("colour blue", "invalid_argument"),
    ],
)
async def test_a_value_that_a_setting_cannot_be_is_refused(talk, typed, code):
    """Faults 1 to 4, for settings."""
    assert refusal(await talk.say("ana", f"/settings {typed}"))[0] == code
    assert (await talk.say("ana", "/settings")).fields["settings"] == {
        name: setting.default for name, setting in SETTINGS.items()
    }


async def test_a_refused_value_says_what_it_can_be(talk):
    _, words = refusal(await talk.say("ana", "/settings creator_share 95"))
    assert words == "creator_share cannot be that. It can be from 0% to 90%."
    _, words = refusal(await talk.say("ana", "/settings currency_many " + "x" * 21))
    assert words == "currency_many cannot be that. It can be a text of at most 20 characters."


# --- features ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("feature", list(Feature))
async def test_a_feature_that_is_off_is_gone_from_help_and_refused(talk, feature):
    gone = [spec.name for spec in talk.florin.conversation.specs() if spec.feature == feature]
    assert gone
    await talk.say("ana", f"/features {feature} on")
    assert set(gone) <= set(_names(await talk.say("ana", "/help")))
    assert (await talk.say("ana", f"/features {feature} off")).fields == {"feature": str(feature), "on": False}
    assert not set(gone) & set(_names(await talk.say("ana", "/help")))
    for name in gone:
        assert refusal(await talk.say("ana", f"/{name}"))[0] == "feature_off", name
    assert (await talk.say("bo", "/features")).fields["features"] == {
        str(each): each is not feature and each not in OFF_AT_FIRST for each in Feature
    }
    await talk.say("ana", f"/features {feature} on")
    assert set(gone) <= set(_names(await talk.say("ana", "/help")))


def _names(reply: Reply) -> list[str]:
    names = reply.fields["commands"]
    assert isinstance(names, list)
    return [str(name) for name in names]


async def test_features_alone_turns_nothing(talk):
    assert (await talk.say("ana", "/features gifts")).fields == {"features": {"gifts": True}}
    assert refusal(await talk.say("ana", "/features off"))[0] == "invalid_argument"
    assert refusal(await talk.say("ana", "/features lottery off"))[0] == "invalid_argument"


# --- roles ------------------------------------------------------------------------------------------------------------


async def test_roles_tells_who_runs_the_place(talk):
    reply = await talk.say("bo", "/roles")
    assert text_of(reply) == "operator: ana\nowner: ana\nmoderator: mo"
    assert (await talk.say("ana", "/roles give @bo treasurer")).fields == {
        "member": "bo",
        "role": "treasurer",
        "given": True,
    }
    assert "treasurer: bo" in text_of(await talk.say("bo", "/roles"))
    assert text_of(await talk.say("ana", "/roles take @bo treasurer")) == "bo no longer has the role: treasurer."


async def test_a_role_that_there_is_not_is_refused_with_those_there_are(talk):
    code, words = refusal(await talk.say("ana", "/roles give @bo king"))
    assert code == "invalid_argument"
    assert "treasurer" in words


# --- words ------------------------------------------------------------------------------------------------------------


async def test_the_word_list_is_kept_by_moderators(talk):
    assert text_of(await talk.say("mo", "/words")) == "The list is empty. /words add puts a word on it."
    assert (await talk.say("mo", "/words add Get  Rich")).fields == {"word": "get rich", "listed": True}
    assert text_of(await talk.say("mo", "/words")) == "1 word is refused:\nget rich"
    assert refusal(await talk.say("bo", "/tip @cy 5 get rich now"))[0] == "text_not_allowed"
    await talk.say("mo", "/words remove get rich")
    assert (await talk.say("bo", "/tip @cy 5 get rich now")).outcome == "tip"


async def test_redacting_takes_the_words_and_leaves_the_coins(talk):
    tip = await talk.say("bo", "/tip @cy 5 you fool")
    assert refusal(await talk.say("mo", f"/redact {tip.receipt}"))[0] == "reason_required"
    reply = await talk.say("mo", f"/redact {tip.receipt} insulting")
    assert reply.fields == {"of": tip.receipt}
    shown = await talk.say("mo", f"/receipt {tip.receipt}")
    assert "fool" not in text_of(shown)
    assert (await talk.say("cy", "/balance")).fields["bonus"] == 5
    assert refusal(await talk.say("mo", "/redact 99999X insulting"))[0] == "unknown_receipt"


# --- audit ------------------------------------------------------------------------------------------------------------


async def rows(talk: Talk, command: str) -> list[dict[str, object]]:
    found = (await talk.say("mo", command)).fields["rows"]
    assert isinstance(found, list)
    return [row for row in found if isinstance(row, dict)]  # type: ignore[misc]


async def test_audit_tells_who_did_what_to_whom_and_why(talk):
    await talk.say("ana", "/settings undo_window 120")
    await talk.say("bo", "/tip @cy 5 thanks")
    tip, setting, coins, role = (await rows(talk, "/audit"))[:4]
    assert (tip["kind"], tip["actor"], tip["members"], tip["note"]) == ("tip", "bo", ["bo", "cy"], "thanks")
    assert setting["changes"] == [{"name": "setting.undo_window", "before": None, "after": 120}]
    assert (coins["kind"], coins["actor"], coins["reason"]) == ("coins", "ana", "to begin with")
    assert role["changes"] == [{"name": "mo role.moderator", "before": None, "after": True}]
    text = text_of(await talk.say("mo", "/audit"))
    assert "coins: add 100 (free) → bo" in text
    assert "settings: setting.undo_window – → 120" in text


async def test_audit_filters_by_member_actor_kind_and_time(talk):
    await talk.say("bo", "/tip @cy 5")
    talk.clock.forward(days=2)
    await talk.say("cy", "/tip @bo 3")
    await talk.say("cy", "/block @bo")
    assert {row["actor"] for row in await rows(talk, "/audit actor:id:cy")} == {"cy"}
    assert [row["kind"] for row in await rows(talk, "/audit kind:tip")] == ["tip", "tip"]
    assert [row["actor"] for row in await rows(talk, "/audit kind:tip since:1d")] == ["cy"]
    assert [row["actor"] for row in await rows(talk, "/audit @bo kind:coins")] == ["ana"]
    assert [row["actor"] for row in await rows(talk, "/audit @bo since:2026-11-22 kind:tip")] == ["cy"]
    assert refusal(await talk.say("mo", "/audit kind:lottery"))[0] == "invalid_argument"
    assert refusal(await talk.say("mo", "/audit @nobody"))[0] == "unknown_member"


async def test_audit_names_a_blocked_member_without_an_id(talk):
    await talk.say("cy", "/block @bo")
    (block,) = await rows(talk, "/audit kind:block")
    assert block["changes"] == [{"name": "cy block.bo", "before": None, "after": True}]


async def test_audit_turns_pages_with_its_filters(talk):
    for _ in range(12):
        await talk.say("ana", "/coins add @bo 1 drill")
    first = await talk.say("mo", "/audit @bo kind:coins since:2026-11-19")
    assert [button.label for button in first.buttons] == ["Next"]
    second = await talk.press("mo", first, "Next")
    assert second.fields["page"] == 2
    assert len(await rows(talk, "/audit @bo kind:coins page:2")) == 3
    assert [button.label for button in second.buttons] == ["Back"]


async def test_audit_lists_what_was_refused(talk):
    await talk.say("bo", "/tip @cy 5000")
    (row,) = await rows(talk, "/audit refused")
    assert (row["kind"], row["actor"], row["code"]) == ("tip", "bo", "insufficient_funds")


async def test_audit_writes_a_file_that_no_spreadsheet_obeys(talk):
    """Fault 21"""
    await talk.say("mo", "/coins add @cy 7 =cmd|'/c calc'!A1")
    await talk.say("bo", "/tip @cy 5 +1")
    reply = await talk.say("mo", "/audit csv kind:coins")
    (file,) = (node for node in reply.nodes if isinstance(node, File))
    table = list(csv.DictReader(file.content.decode("utf-8-sig").splitlines()))
    assert [row["reason"] for row in table] == ["'=cmd|'/c calc'!A1", "to begin with"]
    assert reply.fields == {"entries": 2, "complete": True}


async def test_audit_hides_no_one_from_those_who_answer_for_it(talk):
    await talk.florin.conversation.went(LOBBY, person("bo"), talk.act())
    assert [row["kind"] for row in await rows(talk, "/audit @bo kind:leave")] == ["leave"]


def test_every_kind_of_entry_can_be_asked_for():
    kinds = {order.kind for order in ORDERS if issubclass(order, Order)} - {"press"}
    assert {str(kind) for kind in EntryKind} == kinds


# --- help -------------------------------------------------------------------------------------------------------------


async def test_help_shows_a_member_what_members_can_do(talk):
    reply = await talk.say("bo", "/help")
    words = text_of(reply)
    assert words.splitlines()[:3] == [
        "Here is what you can do:",
        "/tip – Send coins from your wallet to one or more members.",
        "/gift – Send a gift to somebody.",
    ]
    assert "running this community" not in words
    assert not {"audit", "freeze", "coins add", "words"} & set(_names(reply))


async def test_help_shows_staff_what_they_can_do_more(talk):
    words = text_of(await talk.say("mo", "/help"))
    assert "running this community: /audit, /coins" in words
    assert "/catalogue" not in words
    assert "/catalogue" in text_of(await talk.say("ana", "/help"))


async def test_help_explains_one_command(talk):
    reply = await talk.say("bo", "/help tip")
    words = text_of(reply)
    assert words.startswith("/tip <to> [each|split] <amount> [note]\nSend coins")
    assert "/tip @bo 50" in words
    assert "It also answers to /give, /pay, /send." in words
    assert reply.fields["usage"] == "/tip <to> [each|split] <amount> [note]"
    assert text_of(await talk.say("bo", "/help /give")) == words
    assert "It is for operators, owners, treasurers or moderators." in text_of(await talk.say("bo", "/help coins add"))


async def test_help_lists_a_group_of_commands(talk):
    assert _names(await talk.say("ana", "/help coins")) == ["coins add", "coins remove", "coins set"]


@pytest.mark.parametrize("asked", ["gfit", "coin", "lottery", "tip tip"])
async def test_help_about_nothing_is_refused_with_the_nearest(talk, asked):
    assert refusal(await talk.say("bo", f"/help {asked}"))[0] == "unknown_command"


async def test_every_command_is_explained_to_whoever_may_see_it(talk):
    for feature in OFF_AT_FIRST:
        await talk.say("ana", f"/features {feature} on")
    for spec in talk.florin.conversation.specs():
        words = text_of(await talk.say("ana", f"/help {spec.name}"))
        assert spec.help in words
        assert all(option.help and option.help in words for option in spec.options), spec.name


async def test_the_menu_is_short(talk):
    menu = {spec.name for spec in talk.florin.conversation.specs() if spec.in_menu}
    assert menu == {"tip", "gift", "daily", "balance", "top", "help", "settings"}
