"""Talking in a terminal: what is typed reaches the conversation, and what comes back is shown."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from adapters.console.completion import ConsoleCompleter, Speaker
from adapters.console.courier import Courier
from adapters.console.example import EXAMPLE
from adapters.console.repl import Room, last_speaker, run_interactive
from adapters.console.script import parse_script
from adapters.console.world import World
from adapters.contract import Button, File, Line, Plain, Table, Visibility
from economy.service import Identity, Place, Role


@pytest.fixture
def talk(opener, tmp_path: Path) -> Callable:
    """Types lines into a room, and answers what the screen showed."""

    async def type_in(*lines: str, is_new: bool = False, history: Path | None = None) -> str:
        out = StringIO()
        console = Console(file=out, width=200, color_system=None, highlight=False)
        room = Room(opener, run="run", is_new=is_new, history=history, files=tmp_path)
        with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
            keys.send_text("".join(f"{line}\n" for line in (*lines, "/quit")))
            assert await run_interactive(room, console) == 0
        return out.getvalue()

    return type_in


async def test_one_speaks_as_anyone(talk, bot) -> None:
    shown = await talk("/tip @bo 5", "/as Bo", "/tip @ana 5", "/private", "/balance", "/private off", "/balance")
    said = [(each.person.name, each.command, each.private) for each in bot.said]
    assert said == [("ana", "tip", False), ("Bo", "tip", False), ("Bo", "balance", True), ("Bo", "balance", False)]
    assert "bot> ana said tip\n" in shown
    assert bot.is_open is False


async def test_words_are_heard_and_the_silence_is_explained_once(talk, bot) -> None:
    shown = await talk("hello", "hello again")
    assert [entry[0] for entry in bot.told] == ["heard", "heard"]
    assert shown.count("The bot answers commands alone") == 1


async def test_buttons_are_pressed_by_number_and_by_label(talk, bot, saying) -> None:
    buttons = (Button(label="Next", data="q:2"), Button(label="All time", data="q:all"))
    bot.answers["top"] = saying("a board", buttons=buttons)
    shown = await talk("/top", "/press 2", "/press next", "/press 3", "/press", "/press x")
    assert [pressed.data for pressed in bot.pressed] == ["q:all", "q:2"]
    assert "     [1: Next]  [2: All time]  /press 1 to 2\n" in shown
    assert shown.count("Press one of these by number or label: [1: Next]  [2: All time]") == 3


async def test_without_buttons_there_is_nothing_to_press(talk, bot) -> None:
    assert "ana sees no button." in await talk("/press 1")
    assert bot.pressed == []


async def test_who_else_sees_a_reply_is_said(talk, bot, asking) -> None:
    bot.answers["ask"] = asking
    assert "     Only ana sees this.\n" in await talk("/ask")
    assert "Only ana sees this." not in await talk("/private on", "/ask")


async def test_a_file_is_kept_and_named(talk, bot, saying, tmp_path: Path) -> None:
    bot.answers["history"] = saying(nodes=(File("history.csv", b"x" * 1200),), visibility=Visibility.PRIVATE)
    shown = await talk("/history")
    assert f"history.csv (1.2 kB), saved to {tmp_path / 'history.csv'}" in shown
    assert (tmp_path / "history.csv").exists()


async def test_lines_of_scripts_work_where_they_make_sense(talk, bot) -> None:
    shown = await talk("! owner ana", "/tip", "! again", "! restart", "! clock +2d", "! nonsense", "! together")
    assert [entry[0] for entry in bot.told] == ["came", "appoint", "appoint"]
    assert len({said.act for said in bot.said}) == 1
    assert len(bot.said) == bot.opened == 2
    assert "`! clock +2d` has no use here, only in scripts." in shown
    assert "there is no command `! nonsense`" in shown
    assert "`! together` has no use here" in shown


async def test_a_piece_of_a_transcript_can_be_pasted(talk, bot) -> None:
    await talk("bo> /tip @ana 50", "bot> bo tipped ana 50 coins.", "cy (private)> /balance", "/tip")
    assert [(said.person.name, said.private) for said in bot.said] == [("bo", False), ("cy", True), ("ana", False)]
    assert bot.told == []


async def test_another_place_is_another_community(talk, bot) -> None:
    await talk("/tip", "/place cafe", "/tip", "/place")
    assert [said.place for said in bot.said] == [Place("console", "lobby"), Place("console", "cafe")]


async def test_the_consoles_own_commands_are_listed_after_help(talk) -> None:
    for line in ("/help", "/console"):
        shown = await talk(line)
        assert "  /private [on|off]" in shown
        assert "  ! owner NAME" in shown
    assert "! owner NAME" not in await talk("/help tip")


async def test_what_is_written_wrong_is_explained(talk) -> None:
    shown = await talk("/as", "/private maybe", "/place")
    assert "Write /as NAME." in shown
    assert "Write /private on or /private off." in shown
    assert "Write /place NAME." in shown


async def test_interrupting_does_not_leave(talk, bot) -> None:
    shown = await talk("half a line\x03/tip")
    assert "/quit leaves." in shown
    assert [said.command for said in bot.said] == ["tip"]


async def test_the_end_of_input_leaves(opener) -> None:
    console = Console(file=StringIO())
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("\x04")
        assert await run_interactive(Room(opener, run="run", is_new=False), console) == 0


async def test_a_new_store_offers_an_example_community(talk, bot) -> None:
    shown = await talk("", "/tip @bo 5", is_new=True)
    assert "ana owns the community" in shown
    appointed = [(entry[2].name, entry[4]) for entry in bot.told if entry[0] == "appoint"]
    assert appointed[:2] == [("ana", Role.OWNER), ("ana", Role.OPERATOR)]
    assert bot.said[-1].person.name == "ana"
    assert len(bot.said) == 1 + sum("> /" in line for line in EXAMPLE.splitlines())


async def test_a_command_is_no_answer_to_a_question(talk, bot) -> None:
    shown = await talk("/help", "n", "/tip @bo 5", "Zoe", "/tip", is_new=True)
    assert shown.count("That is a command, which can wait") == 2
    assert [entry[2].name for entry in bot.told] == ["Zoe"] * 3
    assert [(each.person.name, each.command) for each in bot.said] == [("Zoe", "tip")]


async def test_no_name_begins_with_a_slash(talk, bot) -> None:
    shown = await talk("/as /bo", "! owner /bo", "/tip @bo 5> /x", "/tip")
    assert shown.count("cannot begin with") == 2
    assert [each.person.name for each in bot.said] == ["ana", "ana"]
    assert last_speaker(InMemoryHistory(["/as /bo"])) == "ana"


@pytest.mark.parametrize("line", ["! owner robo", "! join bo", "! leave bo"])
async def test_what_did_not_happen_is_told(talk, bot, saying, line: str) -> None:
    bot.no = saying("There is a lot going on just now.", code="busy")
    shown = await talk(line)
    assert "There is a lot going on just now." in shown
    assert "Done." not in shown


async def test_without_the_example_one_owns_the_place(talk, bot, tmp_path: Path) -> None:
    history = tmp_path / "deep" / "history"
    await talk("n", "Zoe", "/tip", is_new=True, history=history)
    assert [entry[2].identity for entry in bot.told] == [Identity("console", "zoe")] * 3
    assert bot.said[0].person.name == "Zoe"
    await talk("/tip", history=history)
    assert bot.said[1].person.name == "Zoe"


def test_the_last_speaker_is_remembered() -> None:
    assert last_speaker(InMemoryHistory(["/as bo", "/as @cy", "/tip", "/as "])) == "cy"
    assert last_speaker(InMemoryHistory(["hello /as bo"])) == "ana"


def test_the_example_can_be_read() -> None:
    assert parse_script(EXAMPLE)


@pytest.fixture
def offers(bot) -> Callable:
    world = World()
    courier = Courier(world, run="run", folders=())
    courier.conversation = bot
    world.arrive("Bo")
    world.move("cafe")

    async def complete(text: str) -> list[tuple[str, int]]:
        completer = ConsoleCompleter(courier, world, Speaker("ana"))
        found = completer.get_completions_async(Document(text), CompleteEvent())
        return [(completion.text, completion.start_position) async for completion in found]

    return complete


async def test_commands_that_one_may_give_are_completed(offers, bot) -> None:
    bot.completions = ["coins"]
    assert await offers("/co") == [("/coins", -3), ("/console", -3)]
    assert [(asked.command, asked.words) for asked in bot.unfinished] == [("co", ())]


async def test_lines_of_scripts_are_completed(offers) -> None:
    assert await offers("! ow") == [("owner", -2)]
    assert await offers("hello /t") == []


async def test_a_file_that_is_not_there_yet_is_no_problem(offers) -> None:
    assert await offers("/coins add file:ro pri") == []


async def test_names_places_and_words_of_the_consoles_own_are_completed(offers) -> None:
    assert await offers("/as b") == [("Bo", -1)]
    assert await offers("/place ") == [("lobby", 0), ("cafe", 0)]
    assert await offers("/private o") == [("on", -1), ("off", -1)]
    assert await offers("/press ") == []
    assert await offers("/quit x") == []


async def test_what_stands_behind_a_command_is_the_conversations_to_complete(offers, bot) -> None:
    bot.completions = ["@bo"]
    assert await offers("/tip @b") == [("@bo", -2)]
    assert await offers("/tip ") == [("@bo", 0)]
    assert [unfinished.words for unfinished in bot.unfinished] == [("@b",), ("",)]
    assert bot.told == []


async def test_long_lines_are_wrapped_between_words_and_tables_are_not(opener, bot, saying, tmp_path: Path) -> None:
    row = "one two three four five six seven"
    bot.answers["top"] = saying(nodes=(Line((Plain(row),)), Table(("",), ((row,),))))
    out = StringIO()
    console = Console(file=out, width=30, color_system=None, highlight=False)
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("/private\n/top\n/quit\n")
        await run_interactive(Room(opener, run="run", is_new=False, files=tmp_path), console)
    shown = [line.rstrip() for line in out.getvalue().splitlines()]
    assert shown[-3:] == ["bot> one two three four five", "     six seven", f"     {row}"]
