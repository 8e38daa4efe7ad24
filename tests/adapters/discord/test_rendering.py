"""How replies look on Discord: nothing that people wrote is mark-up, and nothing is longer than Discord takes."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import Button, File, Line, Listing, Name, Picture, Plain, Reply, Strong, Table, Visibility
from adapters.discord.rendering import escaped, plain, rendered
from economy.service import Identity
from tests.adapters.discord import schema
from tests.adapters.discord.checks import check_message
from tests.adapters.discord.seeing import lines_of
from tests.adapters.discord.state import LAYOUT

NASTY = [
    "@everyone",
    "@here",
    "<@&123>",
    "<@123>",
    "<#5>",
    "<a:x:5>",
    "</tip:5>",
    "<t:1:R>",
    "**bold**",
    "__u__",
    "~~no~~",
    "||spoiler||",
    "`code`",
    "```",
    "[text](https://example.com)",
    "](url)",
    "https://example.com/a_b",
    "# heading",
    "-# small",
    "> quote",
    "- item",
    "* item",
    "1. item",
    "12) item",
    "\\",
    "\\*",
    "a\u200bb",
    "e" + "\u0301" * 32,
    "\x00\x1b[31mred",
    "line\nbreak",
    "\u202egnp",
    "\ud83d",
]


def reply(*nodes, **rest) -> Reply:
    return Reply(**{"command": "x", "outcome": "x", "visibility": Visibility.PUBLIC, "nodes": nodes, **rest})


def message(sheet) -> dict:
    """A sheet as Discord gives it back, its files where components find them."""
    return {
        "content": sheet.content or "",
        "components": sheet.components,
        "attachments": [{"filename": upload.name, "url": f"attachment://{upload.name}"} for upload in sheet.uploads],
    }


def seen(sheet) -> list[str]:
    return lines_of(message(sheet), lambda user_id: f"user {user_id}")


def checked(sheet) -> None:
    """By hand and by Discord's schema."""
    body = {"content": sheet.content, "components": sheet.components, "flags": LAYOUT if sheet.is_layout else 0}
    body["attachments"] = [{"id": str(number)} for number, _ in enumerate(sheet.uploads)]
    check_message(body, {upload.name for upload in sheet.uploads})
    problem = schema.problem("POST /channels/{channel_id}/messages", body)
    assert problem is None, problem


@pytest.mark.parametrize("text", NASTY)
def test_words_of_people_are_no_mark_up(text: str) -> None:
    """Fault 12"""
    shown = " ".join("".join(c if c.isprintable() or c == "\u200b" else " " for c in text).split())
    for line in (Line((Plain(text),)), Line((Plain("a "), Name(text), Plain(" b"))), Line((Strong(text),))):
        sheet = rendered(reply(line))
        (only,) = seen(sheet)
        checked(sheet)
        assert "\n" not in only
        assert only.count("@everyone") <= 1
        letters = set(shown) & set(string.ascii_letters)
        assert letters <= set(only)


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5))
def test_whatever_is_written_is_shown_as_it_is(texts: list[str]) -> None:
    """Fault 12: a line of several parts, none of which makes mark-up with its neighbours."""
    line = Line(tuple(Plain(text) for text in texts))
    sheet = rendered(reply(Line((Plain("x"),)), line))
    assert seen(sheet)[1:] == [plain(reply(line))]


@given(st.text(max_size=60))
def test_strong_words_end_where_they_end(text: str) -> None:
    sheet = rendered(reply(Line((Plain("x "), Strong(f"a{text}b"), Plain(" y")))))
    assert seen(sheet) == [plain(reply(Line((Plain(f"x a{text}b y"),))))]


def test_everyone_is_pinged_by_nothing() -> None:
    assert rendered(reply(Line((Plain("@everyone <@5>"),)))).pings == ()


def test_who_is_addressed_is_mentioned_with_the_sign_of_a_look_alike() -> None:
    """Fault 15"""
    who = Identity("discord", "5")
    line = Line((Plain("hello "), Name("ana (…1234)", who), Plain(" and "), Name("bo", Identity("discord", "6"))))
    sheet = rendered(reply(line, pings=(who, who, Identity("telegram", "7"))))
    assert sheet.content == "hello <@5> (…1234) and bo"
    assert sheet.pings == (5,)


def test_a_table_stands_in_columns_that_no_cell_can_break() -> None:
    table = Table(("#", "Name", "Coins"), (("1", "```ana```", "5"), ("10", "漢字", "1,000")), right_aligned=(0, 2))
    sheet = rendered(reply(Line((Strong("Board"),)), table))
    checked(sheet)
    assert seen(sheet)[:2] == ["Board", " #  Name       Coins"]
    assert len(seen(sheet)) == 4


def test_what_is_long_is_a_layout_and_what_is_longer_comes_as_a_file() -> None:
    long = rendered(reply(Listing(tuple(Line((Plain("word " * 10),)) for _ in range(60)))))
    assert long.is_layout
    assert long.uploads == ()
    checked(long)
    longer = reply(
        Table(("a", "b"), tuple((str(number), "x" * 40) for number in range(100))),
        Listing(tuple(Line((Plain("*word* " * 10),)) for _ in range(100))),
    )
    sheet = rendered(longer)
    checked(sheet)
    assert [upload.name for upload in sheet.uploads] == ["reply.txt"]
    assert sheet.uploads[0].content.decode() == plain(longer)


def test_pictures_and_files_are_sent_and_shown() -> None:
    nodes = (Picture(b"png", "1 ana\n2 bo"), File("a b/../history.csv", b"1,2"), Line((Plain("there"),)))
    sheet = rendered(reply(*nodes))
    checked(sheet)
    assert [(upload.name, upload.content) for upload in sheet.uploads] == [
        ("picture-0.png", b"png"),
        ("a-b-..-history.csv", b"1,2"),
    ]
    assert seen(sheet) == ["1 ana", "2 bo", "there", "[file a-b-..-history.csv]"]


def test_buttons_stand_in_rows_of_five() -> None:
    buttons = tuple(Button(label=f"number {n} " * 12, data=f"q:top {n}") for n in range(30))
    for layout in (False, True):
        sheet = rendered(reply(Line((Plain("x"),)), buttons=buttons), layout=layout, wrap="g:1|{}")
        checked(sheet)


def test_an_empty_reply_cannot_break_the_door() -> None:
    checked(rendered(reply(Line((Plain("\n"), Plain(""))), Line((Plain("x"),)))))


def test_escapes_are_few_where_nothing_is_meant() -> None:
    assert escaped("ana sent bo a bouquet (100). It costs 1,000 - well done!") == (
        "ana sent bo a bouquet (100). It costs 1,000 - well done!"
    )
