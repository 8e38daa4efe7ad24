"""What doors have to say of their platforms is said, for each of it, with names made inert."""

import pytest

from adapters.contract import Hint, Line
from bot.hints import hinted
from bot.wording import plain

NAMED = {"name": "@everyone\u202e", "place": "<b>\n</b>", "bot": "florin_bot", "channel": "#x", "needed": "y"}


@pytest.mark.parametrize("hint", Hint)
def test_every_hint_has_words_of_its_own(hint):
    reply = hinted(hint, "en", **NAMED)
    lines = [plain(node) for node in reply.nodes if isinstance(node, Line)]
    assert lines
    assert all(lines)
    assert not any(sign in line for line in lines for sign in "\u202e\n{}")
    assert "@everyone" not in "".join(lines)
    told = [[plain(node) for node in hinted(other, "en", **NAMED).nodes if isinstance(node, Line)] for other in Hint]
    assert told.count(lines) == 1


def test_a_greeting_explains_in_four_lines_and_offers_the_next_step():
    for hint in (Hint.WELCOME, Hint.ADDED):
        assert len(hinted(hint, "en", **NAMED).nodes) == 6
