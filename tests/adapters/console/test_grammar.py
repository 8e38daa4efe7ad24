"""What the lines of a transcript mean, and which are refused before anything runs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.console.grammar import (
    Again,
    Appoint,
    Join,
    Leave,
    Move,
    Press,
    Remark,
    Restart,
    Say,
    ScriptError,
    SetClock,
    ShiftClock,
    Together,
)
from adapters.console.script import parse_script
from economy.service import Role


def steps_of(text: str) -> list[Any]:
    return list(parse_script(text))


def only(text: str) -> Any:
    (step,) = steps_of(text)
    return step


def test_a_message_is_a_name_and_what_they_say() -> None:
    assert only("ana> /tip @bo 50") == Say(
        line=1, source="ana> /tip @bo 50", speaker="ana", private=False, text="/tip @bo 50"
    )


def test_a_private_message_is_said_to_the_bot_alone() -> None:
    step = only("ana (private)> /balance")
    assert (step.speaker, step.private, step.text) == ("ana", True, "/balance")


@pytest.mark.parametrize(
    "name", ["@everyone", "<@&1>", "**bold**", "a](b)", "<b>x</b>>", "a b", "أنا", "x\u2028y", "a\x85b"]
)
def test_any_text_can_be_a_name(name: str) -> None:
    assert only(f"{name}> hello").speaker == name.strip()


def test_only_line_feeds_end_lines() -> None:
    assert [step.speaker for step in steps_of("a\u2028b> x\r\nc\x0bd> y\n")] == ["a\u2028b", "c\x0bd"]


def test_a_mark_of_the_byte_order_is_no_text() -> None:
    assert only("\ufeffana> hi").speaker == "ana"


def test_expected_lines_belong_to_the_message_before() -> None:
    message, remark, other = steps_of("ana> /top\n# look\nbot> one\nbot>\nbot>   two  \nbo> hi")
    assert message.expected == ("one", "", "  two")
    assert isinstance(remark, Remark)
    assert other.expected is None


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("! owner ana", Appoint(line=1, source="! owner ana", roles=(Role.OWNER, Role.OPERATOR), name="ana")),
        ("! treasurer ana", Appoint(line=1, source="! treasurer ana", roles=(Role.TREASURER,), name="ana")),
        ("! moderator ana", Appoint(line=1, source="! moderator ana", roles=(Role.MODERATOR,), name="ana")),
        ("! auditor ana", Appoint(line=1, source="! auditor ana", roles=(Role.AUDITOR,), name="ana")),
        ("! creator ana b", Appoint(line=1, source="! creator ana b", roles=(Role.CREATOR,), name="ana b")),
        ("! join bo", Join(line=1, source="! join bo", name="bo", is_bot=False)),
        ("! bot dice", Join(line=1, source="! bot dice", name="dice", is_bot=True)),
        ("! leave bo", Leave(line=1, source="! leave bo", name="bo")),
        ("! place the cafe", Move(line=1, source="! place the cafe", place="the cafe")),
        ("! restart", Restart(line=1, source="! restart")),
        (
            "! clock 2026-01-05T12:00Z",
            SetClock(line=1, source="! clock 2026-01-05T12:00Z", at=datetime(2026, 1, 5, 12, 0, tzinfo=UTC)),
        ),
        ("! clock +1h30m", ShiftClock(line=1, source="! clock +1h30m", by=timedelta(hours=1, minutes=30))),
        ('! press "a "b" c" as bo', Press(line=1, source='! press "a "b" c" as bo', label='a "b" c', presser="bo")),
        ("# a comment", Remark(line=1, source="# a comment")),
        ("", Remark(line=1, source="")),
    ],
)
def test_every_command_is_read(line: str, step: object) -> None:
    assert only(line) == step


def test_again_takes_a_number_of_times() -> None:
    _, once, often = steps_of("ana> hi\n! again\n! again 5")
    assert isinstance(once, Again)
    assert (once.times, often.times) == (1, 5)


def test_a_block_holds_messages_with_what_they_expect() -> None:
    block = only("! together\nana> /a\nbot> x\n# both\nbo> /b\n! again 2\n! end")
    assert isinstance(block, Together)
    assert [type(step).__name__ for step in block.steps] == ["Say", "Remark", "Say", "Again"]
    assert isinstance(block.steps[0], Say)
    assert block.steps[0].expected == ("x",)
    assert block.end == "! end"


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("ana> hi\nhello", "line 2: this is none of"),
        ("> hello", "line 1: this is none of"),
        ("ana>hello", "line 1: this is none of"),
        ("! dance", "line 1: there is no command `! dance`"),
        ("! owner", "line 1: a name is missing"),
        ("! restart now", "line 1: nothing may stand behind"),
        ("! again", "line 1: there is no message yet"),
        ("! owner ana\nana> hi\n! again 0", "line 3: `! again` takes"),
        ("ana> hi\n! again ٣", "line 2: `! again` takes"),
        ("ana> hi\n! again 99999", "line 2: `! again` takes"),
        ("! press Confirm as ana", "line 1: write `! press"),
        ("! clock noon", "line 1: `! clock` takes"),
        ("! clock 2026-01-05T12:00", "line 1: `! clock` takes"),
        ("! clock +2", "line 1: `! clock` takes"),
        ("bot> hi", "line 1: `bot>` stands after"),
        ("ana> hi\n! clock +2d\nbot> hi", "line 3: `bot>` stands after"),
        ("! together\nana> /a\n! end\nbot> hi", "line 4: `bot>` stands after"),
        ("ana> hi\nbot> a\n\nbot> b", "line 4: the message of line 1 has its expected reply"),
        ("! together\nana> hi", "line 1: `! together` has no `! end`"),
        ("! together\n! together", "line 2: the block that line 1 begins"),
        ("! end", "line 1: there is no `! together`"),
        ("! together\n! owner ana\n! end", "line 2: between `! together` and `! end`"),
    ],
)
def test_an_unreadable_line_is_refused_with_its_number(script: str, sentence: str) -> None:
    with pytest.raises(ScriptError) as refused:
        parse_script(script)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)
