"""Replies as plain text, as colour and as JSON."""

import json
from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from adapters.console.rendering import inert, painted, plain, record
from adapters.contract import (
    Button,
    File,
    Line,
    Listing,
    Name,
    Picture,
    Plain,
    Reply,
    Strong,
    Table,
    Visibility,
)

HOSTILE = "\x1b[31mred\x07\x9b2J\r\nnext\u202eevil\u2028line\x00"


def reply(*nodes, **rest) -> Reply:
    return Reply(command="top", outcome="top", visibility=Visibility.PUBLIC, nodes=nodes, **rest)


def test_a_line_is_its_words() -> None:
    line = Line((Name("ana"), Plain(" tipped "), Name("bo"), Plain(" "), Strong("50 coins"), Plain(".")))
    assert plain(reply(line)) == "ana tipped bo 50 coins."


def test_a_table_is_aligned_by_what_a_terminal_shows() -> None:
    table = Table(
        ("#", "Name", "Coins"),
        (("1", "日本", "1,500"), ("2", "👨\u200d👩\u200d👧", "20"), ("3", "\u2068أنا\u2069", "3"), ("10", "ana", "")),
        right_aligned=(0, 2),
    )
    assert plain(reply(table)).split("\n") == [
        " #  Name  Coins",
        " 1  日本  1,500",
        " 2  👨\u200d👩\u200d👧       20",
        " 3  \u2068أنا\u2069       3",
        "10  ana",
    ]


def test_a_table_without_headings_has_rows_alone() -> None:
    assert plain(reply(Table(("", ""), (("a", "b"),)))) == "a  b"


def test_a_listing_has_an_item_a_line() -> None:
    listing = Listing((Line((Plain("one"),)), Line((Strong("two"),))))
    assert plain(reply(listing)) == "- one\n- two"


def test_files_and_pictures_are_named_in_words() -> None:
    assert plain(reply(File("history.csv", b"x"), Picture(b"png", "a board\nof two"))) == (
        "[file history.csv]\na board\nof two"
    )


@pytest.mark.parametrize(
    "node",
    [
        Line((Name(HOSTILE), Plain(HOSTILE), Strong(HOSTILE))),
        Table((HOSTILE,), ((HOSTILE,),)),
        Listing((Line((Name(HOSTILE),)),)),
        File(HOSTILE, b""),
        Picture(b"", HOSTILE),
    ],
    ids=lambda node: type(node).__name__,
)
def test_no_name_commands_the_terminal(node) -> None:
    """Fault 130."""
    out = StringIO()
    for line in painted([node]):
        Console(file=out, color_system=None, force_terminal=False).print(line, soft_wrap=True)
    for shown in (plain(reply(node)), out.getvalue()):
        assert not set(shown) & set("\x1b\x07\x9b\r\u202e\u2028\x00")
    if not isinstance(node, Picture):
        assert "next" in plain(reply(node)).split("\n")[0]


def test_markup_is_no_markup() -> None:
    """Fault 12."""
    assert [line.plain for line in painted([Line((Name("[bold]x[/bold] :smile: `a` @everyone"),))])] == [
        "[bold]x[/bold] :smile: `a` @everyone"
    ]


def test_isolates_stay_and_overrides_go() -> None:
    """Fault 14."""
    assert inert("\u2068\u202eevil\u202c\u2069") == "\u2068evil\u2069"


def test_colour_changes_no_text() -> None:
    (line,) = painted([Line((Name("ana"), Plain(" has "), Strong("5")))])
    assert line == Text.assemble(("ana", "cyan"), " has ", ("5", "bold"))


def test_a_record_has_the_fixed_keys() -> None:
    answer = reply(
        Line((Plain("Tip bo 5?"),)),
        Line((Plain("Sure?"),)),
        code="x",
        receipt="1B",
        fields={"tips": [{"to": "bo", "amount": 5}]},
        buttons=(Button(label="Confirm", data="o:1"), Button(label="Cancel", data="o:2")),
    )
    assert json.loads(record(7, "ana", "lobby", answer)) == {
        "line": 7,
        "person": "ana",
        "place": "lobby",
        "command": "top",
        "outcome": "top",
        "code": "x",
        "receipt": "1B",
        "fields": {"tips": [{"to": "bo", "amount": 5}]},
        "visibility": "public",
        "text": "Tip bo 5?\nSure?",
        "buttons": ["Confirm", "Cancel"],
    }


def test_a_record_is_one_line_that_holds_no_control_character() -> None:
    """Fault 130."""
    fields = {"name": HOSTILE + "\ud800é日"}
    text = record(1, HOSTILE, None, reply(Line((Plain("é"),)), fields=fields))
    assert "é日" in text
    assert text.isprintable() or not set(text) & set(map(chr, [*range(32), *range(127, 160), 0x2028, 0x2029]))
    assert json.loads(text.encode())["fields"] == fields
    assert json.loads(text)["place"] is None


def test_nobody_turns_a_json_line_around_by_their_name() -> None:
    """Fault 12."""
    line = record(1, "an\u202ea\u2066\x1b", "lo\u202ebby", reply(Line((Plain("\u2068أنا\u2069"),))))
    assert not set(line) & set("\u202e\u2066\u2068\u2069\x1b")
    told = json.loads(line)
    assert (told["person"], told["place"], told["text"]) == ("ana\u2066", "lobby", "\u2068أنا\u2069")
