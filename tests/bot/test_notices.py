"""What doors have to say of their platforms is said, for each of it, with names made inert."""

import pytest

from adapters.contract import Line, Notice
from bot.notices import noticed
from bot.wording import Words, plain
from economy.settings import Settings

WORDS = Words("en", Settings())
NAMED = {"name": "@everyone\u202e", "place": "<b>\n</b>", "bot": "florin_bot"}


@pytest.mark.parametrize("notice", Notice)
def test_every_notice_has_words_of_its_own(notice):
    reply = noticed(notice, WORDS, NAMED)
    lines = [plain(node) for node in reply.nodes if isinstance(node, Line)]
    assert lines
    assert all(lines)
    assert not any(sign in line for line in lines for sign in "\u202e\n{}")
    assert "@everyone" not in "".join(lines)
    told = [[plain(node) for node in noticed(other, WORDS, NAMED).nodes if isinstance(node, Line)] for other in Notice]
    assert told.count(lines) == 1


def test_a_greeting_explains_in_four_lines_and_offers_the_next_step():
    for notice in (Notice.WELCOME, Notice.ADDED):
        assert len(noticed(notice, WORDS, NAMED).nodes) == 6
