"""Whole conversations with the bot, on a store of their own: each `.txt` here, played as it is written."""

import json
import secrets
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest

from adapters.console.clock import StandingClock
from adapters.console.example import EXAMPLE
from adapters.console.transcript import Stage, run_script
from bot.app import open_conversation, temporary_store

KEYS = ["line", "person", "place", "command", "outcome", "code", "receipt", "fields", "visibility", "text", "buttons"]

FIXED: dict[str, dict[str, object]] = {
    "coins": {"member": "bo", "asset": "coin", "amount": 100, "balance": 100},
    "tip": {"tips": [{"to": "ana", "amount": 25}, {"to": "cleo", "amount": 25}]},
    "balance": {"coin": 100, "bonus": 0, "diamond": 0, "diamond_held": 0},
    "gift": {"gift": "rose", "count": 3, "cost": 3, "creator": "cleo", "diamond": 2, "bonus": 0, "house": 1},
    "top": {
        "board": "supporters",
        "period": "week",
        "rows": [{"rank": 1, "name": "bo", "score": 3}],
        "own": {"rank": 1, "score": 3},
    },
}
"""What others script by: these names are never renamed."""

FOLDER = Path(__file__).parent
DIALOGUES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.txt"))}


async def played(text: str, address: str, *, as_json: bool = False) -> tuple[int, str]:
    """The exit status, and all that was shown."""
    clock = StandingClock(datetime.now(UTC))
    shown = StringIO()
    stage = Stage(
        open_conversation=lambda: open_conversation(address, clock),
        clock=clock,
        run=secrets.token_hex(6),
        out=shown,
        err=shown,
        as_json=as_json,
        folders=(FOLDER,),
    )
    return await run_script(text, stage), shown.getvalue()


@pytest.mark.parametrize("script", DIALOGUES.values(), ids=DIALOGUES)
async def test_the_dialogue_goes_as_written(script: str) -> None:
    with temporary_store() as address:
        status, shown = await played(script, address)
    assert status == 0, shown


async def test_the_example_community_begins_without_a_refusal() -> None:
    with temporary_store() as address:
        _, shown = await played(EXAMPLE, address, as_json=True)
    replies = [json.loads(line) for line in shown.splitlines()]
    assert len(replies) == 5
    assert [reply["code"] for reply in replies] == [None] * 5


async def test_the_same_script_played_twice_acts_twice() -> None:
    """Fault 68: what makes an act is who said it when, not how it reads."""
    script = "! owner ana\n! join bo\n! moderator mo\nmo> /coins add @bo 5 hello\nbo (private)> /balance\n"
    with temporary_store() as address:
        shown = [await played(script, address, as_json=True) for _ in range(2)]
    assert [json.loads(told.splitlines()[-1])["fields"]["bonus"] for _, told in shown] == [5, 10]


async def test_how_somebody_is_written_changes_nothing_of_them() -> None:
    """Fault 10: also by a run that has not seen them, a bot is not made a person, and nobody is renamed."""
    first = "! owner ana\n! join bo\n! bot robo\nana> /coins add @ana 100 to begin with\n"
    second = "ana> /tip @ROBO 5\nana> /tip @BO 5\nana> /tip @bo 5\n"
    with temporary_store() as address:
        await played(first, address)
        _, shown = await played(second, address, as_json=True)
    no, *tips = (json.loads(line) for line in shown.splitlines())
    assert no["code"] == "recipient_is_bot"
    assert [tip["text"] for tip in tips] == ["ana tipped bo 5 coins."] * 2


async def test_who_turns_out_to_be_a_bot_is_one_from_then_on() -> None:
    first = "! owner ana\n! join robo\nana> /coins add @ana 100 to begin with\nana> /tip @robo 1\n"
    with temporary_store() as address:
        await played(first, address)
        _, shown = await played("! bot robo\nana> /tip @robo 5\n", address, as_json=True)
    assert json.loads(shown)["code"] == "recipient_is_bot"


async def test_a_role_that_somebody_does_not_get_stops_the_script() -> None:
    with temporary_store() as address:
        status, shown = await played("! bot robo\n! owner robo\nrobo> /help\n", address)
    assert status == 2
    assert shown.endswith("! owner robo\nline 2: That is a bot, and bots hold no roles. Name a person.\n")


async def test_scripts_find_every_answer_by_the_same_names() -> None:
    script = (
        "! owner ana\n! creator cleo\n! join bo\n"
        "ana> /coins add @bo 100 bought a card\n"
        "bo (private)> /balance\n"
        "ana> /coins add @bo 1,000 prize\n"
        "bo> /gift rose x3 @cleo\n"
        "bo> /tip @ana @cleo 25\n"
        "bo> /top supporters week\n"
        "cleo (private)> /balance\n"
        "bo (private)> /history\n"
        "bo> /tip @ana 1.5\n"
        "bo> /tip @ana all\n"
        "bo> /nonsense\n"
        "bo> hello\n"
        "bo (private)> hello\n"
    )
    with temporary_store() as address:
        status, shown = await played(script, address, as_json=True)
    replies = {reply["line"]: reply for reply in map(json.loads, shown.splitlines())}
    assert status == 0
    assert list(replies) == [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16]
    for reply in replies.values():
        assert list(reply) == KEYS

    def told(line: int) -> tuple:
        reply = replies[line]
        return reply["person"], reply["place"], reply["command"], reply["outcome"], reply["code"], reply["visibility"]

    assert told(4) == ("ana", "lobby", "coins", "coins", None, "private")
    for line, name in {4: "coins", 5: "balance", 7: "gift", 8: "tip", 9: "top"}.items():
        fields = replies[line]["fields"]
        assert {key: fields[key] for key in FIXED[name]} == FIXED[name]
    assert told(5) == ("bo", None, "balance", "balance", None, "private")
    assert told(8) == ("bo", "lobby", "tip", "tip", None, "public")
    assert replies[8]["text"] == "bo tipped ana and cleo 25 coins each."
    assert (replies[10]["fields"]["diamond"], replies[10]["fields"]["diamond_held"]) == (2, 2)
    rows = replies[11]["fields"]["rows"]
    assert all(list(row) == ["receipt", "kind", "amount", "asset", "counterpart", "note", "at"] for row in rows)
    assert rows[0]["receipt"] == replies[8]["receipt"]
    assert (rows[0]["kind"], rows[0]["amount"], rows[0]["asset"]) == ("tip", -50, "bonus")
    assert told(12) == ("bo", "lobby", "tip", "refused", "invalid_amount", "private")
    assert told(13) == ("bo", "lobby", "tip", "confirm", None, "private")
    assert "Confirm" in replies[13]["buttons"]
    assert told(14) == ("bo", "lobby", None, "refused", "unknown_command", "private")
    assert told(16) == ("bo", None, None, "hint", None, "private")
