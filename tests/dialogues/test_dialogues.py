"""Whole conversations with the bot, on a store of their own: each `.txt` here, played as it is written."""

import secrets
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest

from adapters.console.clock import StandingClock
from adapters.console.transcript import Stage, run_script
from bot.app import open_conversation, temporary_store

DIALOGUES = sorted(Path(__file__).parent.glob("*.txt"))


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
        folders=(Path(__file__).parent,),
    )
    return await run_script(text, stage), shown.getvalue()


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda path: path.stem)
async def test_the_dialogue_goes_as_written(dialogue: Path) -> None:
    with temporary_store() as address:
        status, shown = await played(dialogue.read_text(encoding="utf-8"), address)
    assert status == 0, shown
