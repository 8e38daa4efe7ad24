"""Whatever people are called and write, what is sent is HTML that Telegram can read, and says what was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import File, Line, Listing, Name, Picture, Plain, Strong, Table
from adapters.telegram.rendering import TEXT_UNITS_MAX, Addressing, pages, short, units, written
from economy.service import Identity
from tests.support.telegram_html import read_html

BO = Identity("telegram", "5000000001")
HOSTILE = [
    '_*[]()~`>#+-=|{}.!<&"',
    "<b>bold</b>",
    "</a>",
    '<a href="tg://user?id=1">me</a>',
    "&lt;&amp;&#60;&nosuch;",
    "]](tg://user?id=1)",
    "@everyone",
    "a\nb\r\nc",
    "\u202egnp.exe",
    "\u2066\u2067\u2068",
    "a\u0301" * 32,
    "👩‍👩‍👧‍👦",
    "\x00\x1b[31m",
    "\ud800",
    "<" * 200,
    " ",
    "",
    "/start@other_bot",
    'https://example.com/?a=<b>&c="d"',
]
anything = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60))
spans = st.one_of(
    st.builds(Plain, anything), st.builds(Strong, anything), st.builds(Name, anything, st.sampled_from([BO, None]))
)
lines = st.lists(spans, max_size=5).map(lambda found: Line(tuple(found)))
tables = st.lists(st.tuples(anything, anything), min_size=1, max_size=4).map(
    lambda rows: Table(rows[0], tuple(rows[1:]), right_aligned=(1,))
)
nodes = st.lists(
    st.one_of(
        lines,
        tables,
        st.lists(lines, max_size=3).map(lambda items: Listing(tuple(items))),
        st.builds(File, anything, st.just(b"")),
        st.builds(Picture, st.just(b""), anything),
    ),
    max_size=4,
)


@given(nodes)
def test_everything_is_readable_html_and_says_the_same_as_the_plain_form(found):
    """Fault 13"""
    for page in pages(written(found, pings=(BO,))):
        plain, entities = read_html(page.html)
        assert plain == page.plain
        assert units(plain) <= TEXT_UNITS_MAX
        assert all(entity["url"] == "tg://user?id=5000000001" for entity in entities if entity["type"] == "a")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_is_only_text(text):
    """Fault 12"""
    [line] = written([Line((Name(text, BO), Plain(" got 5.")))])
    plain, entities = read_html(line.html)
    assert (plain, entities) == (line.plain, [])


def test_only_those_who_are_addressed_are_linked():
    ana = Identity("telegram", "5000000000")
    [line] = written([Line((Name("ana", ana), Plain(" tipped "), Name("bo", BO)))], pings=(BO,))
    assert line.html == 'ana tipped <a href="tg://user?id=5000000001">bo</a>'


def test_nobody_of_another_platform_is_linked():
    theirs = Identity("discord", "5000000001")
    [line] = written([Line((Name("bo", theirs),))], pings=(theirs,))
    assert line.html == "bo"


def test_what_is_too_long_for_a_message_becomes_several_between_lines():
    found = pages(written([Line((Strong(f"line {number} " + "x" * 90),)) for number in range(100)]))
    assert len(found) == 3
    assert all(units(page.plain) <= TEXT_UNITS_MAX for page in found)
    assert "\n".join(page.plain for page in found).count("line") == 100
    assert all(read_html(page.html)[0] == page.plain for page in found)


def test_a_line_that_is_too_long_by_itself_is_cut_by_what_telegram_counts():
    found = pages(written([Line((Strong("😀" * 5_000),))]))
    assert [units(page.plain) for page in found] == [4094, 4094, 1812]
    assert "".join(page.plain for page in found) == "😀" * 5_000


def test_a_table_stands_in_even_columns():
    [line] = written([Table(("#", "Name"), (("1", "ana"), ("10", "田中")), right_aligned=(0,))])
    assert line.plain == " #  Name\n 1  ana\n10  田中"
    assert line.html == f"<pre>{line.plain}</pre>"


def test_what_is_short_is_cut_by_what_telegram_counts():
    told = short(written([Line((Plain("😀" * 200),))]), 200)
    assert units(told) <= 200
    assert told.endswith("…")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("/daily gives you 50 coins.", "/daily@florin_bot gives you 50 coins."),
        ("Like this: /tip <to>", "Like this: /tip@florin_bot <to>"),
        ("/help, /top.", "/help@florin_bot, /top@florin_bot."),
        ("a/tip https://x.y/tip /tip@other /tips", "a/tip https://x.y/tip /tip@other /tips"),
    ],
)
def test_commands_are_addressed_where_the_bot_sees_no_others(said, shown):
    addressing = Addressing(["tip", "top", "help", "daily"], "florin_bot")
    assert written([Line((Plain(said),))], words=addressing)[0].plain == shown
