"""Who may do what, asked of the whole conversation over a real store."""

import io
import logging
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from adapters.contract import Reply, Visibility
from bot.logs import configure
from bot.settings import LogFormat, LogLevel
from economy.rules.permissions import WHO_MAY, Right
from economy.values import Place, Role
from tests.bot.talk import LOBBY, StandingClock, Talk, people_of_the_lobby, person, talking, text_of

ELSEWHERE = Place("test", "elsewhere")


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


def is_refused(reply: Reply, code: str = "not_allowed") -> bool:
    return (reply.outcome, reply.code, reply.visibility) == ("refused", code, Visibility.PRIVATE)


async def balance(talk: Talk, name: str) -> object:
    return (await talk.say(name, "/balance")).fields["bonus"]


# --- roles come and go ------------------------------------------------------------------------------------------------


async def test_a_moderator_is_refused_at_once_when_the_role_is_taken(talk):
    """Fault 104"""
    assert (await talk.say("mo", "/coins add @bo 5 quiz")).outcome == "coins"
    await talk.say("ana", "/roles take @mo moderator")
    refused = await talk.say("mo", "/coins add @bo 5 quiz")
    assert is_refused(refused)
    assert text_of(refused) == "Only operators, owners, treasurers or moderators may do this. Ask one of them."
    assert await balance(talk, "bo") == 105


async def test_what_the_platform_attests_counts_for_that_moment_alone(talk):
    """Fault 104"""
    freeze = "/freeze @bo send odd sums"
    assert (await talk.say("cy", freeze, standing=frozenset({Role.MODERATOR}))).outcome == "freeze"
    assert is_refused(await talk.say("cy", freeze))


async def test_whoever_leaves_does_not_come_back_as_staff(talk):
    """Fault 104"""
    await talk.florin.conversation.went(LOBBY, person("mo"), talk.act())
    await talk.join("mo")
    assert is_refused(await talk.say("mo", "/coins add @bo 5 quiz"))


async def test_a_role_in_another_community_is_none_here(talk):
    """Fault 105: and neither is being its owner, nor its operator."""
    await talk.join("bo", "cy", place=ELSEWHERE)
    await talk.appoint("bo", Role.OWNER, place=ELSEWHERE)
    await talk.appoint("bo", Role.OPERATOR, place=ELSEWHERE)
    assert (await talk.say("bo", "/coins add @cy 5 bought quiz", place=ELSEWHERE)).outcome == "coins"
    for command in ("/coins add @cy 5 quiz", "/freeze @cy odd sums", "/settings undo_window 5", "/audit", "/words"):
        assert is_refused(await talk.say("bo", command)), command


async def test_a_command_given_to_the_bot_alone_asks_for_the_same_rights(talk):
    """Fault 105"""
    assert is_refused(await talk.say("bo", "/coins add @bo 5 quiz", private=True))
    assert is_refused(await talk.say("bo", "/audit", private=True))


# --- adjusting --------------------------------------------------------------------------------------------------------


async def test_a_moderator_cannot_adjust_themself(talk):
    """Fault 106"""
    assert is_refused(await talk.say("mo", "/coins add @mo 5 well deserved"))
    assert await balance(talk, "mo") == 0


async def test_an_adjustment_needs_a_reason(talk):
    """Fault 106"""
    assert is_refused(await talk.say("mo", "/coins add @bo 5"), "reason_required")
    assert await balance(talk, "bo") == 100


async def test_a_moderator_adjusts_up_to_the_days_limit(talk):
    """Fault 106"""
    await talk.say("ana", "/settings moderator_limit_daily 100")
    assert (await talk.say("mo", "/coins add @bo 60 quiz")).outcome == "coins"
    assert is_refused(await talk.say("mo", "/coins add @cy 41 quiz"), "limit_exceeded")
    assert (await talk.say("mo", "/coins add @cy 40 quiz")).outcome == "coins"


# --- operators and owners ---------------------------------------------------------------------------------------------


async def test_an_operator_is_not_an_owner(talk):
    """Fault 108"""
    await talk.appoint("cy", Role.OPERATOR)
    for command in ("/settings undo_window 5", "/features gifts off", "/roles give @bo moderator", "/words add x"):
        assert is_refused(await talk.say("cy", command)), command


async def test_an_owner_is_not_an_operator(talk):
    """Fault 108: what can be turned into money is the operator's."""
    await talk.appoint("cy", Role.OWNER)
    assert (await talk.say("cy", "/coins add @bo 5 quiz")).outcome == "coins"
    for command in ("/coins add @bo 5 bought quiz", "/coins add @bo 5 earnings quiz", "/roles give @cy operator"):
        assert is_refused(await talk.say("cy", command)), command


async def test_an_administrator_of_the_platform_is_not_an_owner(talk):
    """Fault 108: what a platform attests is a moderator's standing at most."""
    standing = frozenset({Role.MODERATOR})
    for command in ("/settings undo_window 5", "/roles give @cy owner", "/freeze everyone I say so"):
        assert is_refused(await talk.say("cy", command, standing=standing)), command


# --- what clients show ------------------------------------------------------------------------------------------------

STAFF_COMMANDS = [
    "/coins add @bo 5 quiz",
    "/coins remove @bo 5 quiz",
    "/coins set @bo 5 quiz",
    "/freeze @bo odd",
    "/freeze everyone odd",
    "/unfreeze @bo fine",
    "/unfreeze everyone fine",
    "/settings undo_window 5",
    "/features gifts off",
    "/roles give @cy owner",
    "/roles map &Mods owner",
    "/roles unmap &Mods",
    "/community join",
    "/community join 12-ABCD-EFGH-JKLM",
    "/community leave",
    "/community remove 7",
    "/channels",
    "/channels set #chat none",
    "/channels announcements #chat",
    "/channels log #chat",
    "/roles take @ana owner",
    "/words",
    "/words add x",
    "/words remove x",
    "/redact 1B odd",
    "/audit",
    "/audit csv",
    "/audit refused",
    "/catalogue price rose 2",
    "/catalogue retire rose",
    "/catalogue return rose",
    "/chest tip @bo 5",
    "/creator approve @bo",
    "/creator decline @bo no",
    "/tip @@moderator 5",
]


@pytest.mark.parametrize("command", STAFF_COMMANDS)
async def test_a_command_that_a_client_shows_is_checked_here_all_the_same(talk, command):
    """Fault 110: whatever a client was made to show, a member is refused, and nothing changes."""
    before = text_of(await talk.say("ana", "/settings"))
    assert is_refused(await talk.say("cy", command))
    assert text_of(await talk.say("ana", "/settings")) == before
    assert await balance(talk, "bo") == 100


async def test_every_command_that_needs_a_right_is_among_these(talk):
    """Fault 110: the list above misses none."""
    needing = {spec.name for spec in talk.florin.conversation.specs() if spec.right is not None}
    named = {" ".join(command[1:].split()[:size]) for command in STAFF_COMMANDS for size in (1, 2)}
    assert needing <= named


async def test_another_members_button_shows_nothing(talk):
    """Fault 118: a page of the audit is asked for again, with the rights of whoever presses."""
    for _ in range(12):
        await talk.say("mo", "/coins add @bo 1 quiz")
    reply = await talk.say("mo", "/audit")
    assert [button.label for button in reply.buttons] == ["Next"]
    assert is_refused(await talk.press("cy", reply, "Next"))
    assert (await talk.press("mo", reply, "Next")).fields["page"] == 2


async def test_every_role_that_may_look_into_the_audit_can(talk):
    for role in WHO_MAY[Right.SEE_AUDIT]:
        assert (await talk.say("cy", "/audit", standing=frozenset({role}))).outcome == "audit"


async def test_what_was_given_survives_closing_and_opening(tmp_path):
    clock = StandingClock()
    async with talking(tmp_path, clock) as talk:
        await talk.join("ana", "bo")
        await talk.appoint("ana", Role.OWNER)
        await talk.say("ana", "/settings currency_many Diamonds")
        await talk.say("ana", "/coins add @bo 5 quiz", act="test:message:before")
    async with talking(tmp_path, clock, run="second") as talk:
        assert text_of(await talk.say("bo", "/balance")).startswith("You have 5 Diamonds.")
        # The same act delivered again after a restart is the same act.
        assert (await talk.say("ana", "/coins add @bo 5 quiz", act="test:message:before")).outcome == "coins"
        assert await balance(talk, "bo") == 5


@pytest.mark.parametrize("shape", list(LogFormat))
async def test_a_conversation_leaves_nothing_that_people_wrote_in_the_logs(talk, shape):
    """Faults 130 and 131: not in answers, refusals, questions or presses, at the most talkative level."""
    root, written = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    configure(LogLevel.DEBUG, shape, stream=written)
    try:
        await talk.join("eve\x1b[2J\nerror forged")
        for command in (
            "/tip @cy 5 canary for you",
            "/tip @cy 50000 canary for you",
            "/tip @cy 5canary",
            "/creator profile canary",
            "/settings appeal canary",
            "/canary",
            "/freeze @cy canary",
        ):
            await talk.say("bo", command)
            await talk.say("ana", command)
        await talk.press("bo", await talk.say("bo", "/top"), "Month")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logging.captureWarnings(False)
        structlog.reset_defaults()
    told = written.getvalue()
    assert "outcome" in told
    assert "canary" not in told
    assert "forged" not in told
    assert told.replace("\n", "").isprintable()
