"""Every dialogue of tests/dialogues at a Discord in tests: the same is said as in the console."""

import pytest

from bot.app import temporary_store
from tests.adapters.discord.peer import Peer
from tests.adapters.discord.stage import FOLDER, performed

DIALOGUES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.txt"))}
DIALOGUES = {name: text for name, text in DIALOGUES.items() if "! unseen" not in text}
"""Discord resolves everyone who can be named there."""


@pytest.mark.parametrize("script", DIALOGUES.values(), ids=DIALOGUES)
async def test_the_dialogue_goes_as_in_the_console(script: str, peer: Peer) -> None:
    with temporary_store() as address:
        played = await performed(script, peer, address)
    assert not played.differences, "\n".join(played.differences)
    assert played.slashed > 0
