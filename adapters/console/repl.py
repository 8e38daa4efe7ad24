"""Talking to the bot in a terminal, as anyone."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.styles import Style
from rich.console import Console

from adapters.console.completion import ConsoleCompleter, Speaker
from adapters.console.courier import Courier, Opener, Parcel
from adapters.console.example import EXAMPLE, INTRODUCTION, SPEAKER
from adapters.console.grammar import (
    Again,
    Appoint,
    Expectation,
    Join,
    Leave,
    Move,
    Press,
    React,
    Restart,
    Say,
    ScriptError,
    Unseen,
    parse_line,
)
from adapters.console.own import OWN, help_lines
from adapters.console.rendering import inert
from adapters.console.screen import Screen
from adapters.console.script import parse_script
from adapters.console.shelf import Shelf
from adapters.console.words import cut, is_command
from adapters.console.world import World

_STYLE = Style.from_dict({"name": "bold ansicyan", "private": "ansimagenta", "bottom-toolbar": "noreverse ansigray"})


@dataclass(frozen=True, slots=True)
class Room:
    """What a talk needs from outside.

    `run` is a random token, of which the native ids of this run's messages are made. `is_new`: nobody has ever spoken
    on this store. `history` is the file that keeps what was typed, None for none. Files that people attach are looked
    for in `files`, and those that the bot sends are put there.
    """

    open_conversation: Opener
    run: str
    is_new: bool
    history: Path | None = None
    files: Path = Path()


async def run_interactive(room: Room, console: Console | None = None) -> int:
    """Talks until whoever sits there leaves. Answers the exit status."""
    async with AsyncExitStack() as opened:
        talk = Talk(room, opened, Screen(console or Console(highlight=False), Shelf(room.files)))
        await talk.open()
        await talk.begin()
        await talk.go_on()
    return 0


class Talk:
    """One sitting at the console."""

    def __init__(self, room: Room, opened: AsyncExitStack, screen: Screen) -> None:
        self._room = room
        self._opened = opened
        self._screen = screen
        self._world = World()
        self._courier = Courier(self._world, run=room.run, folders=(room.files,))
        self._history = kept_history(room.history)
        self._speaker = Speaker(last_speaker(self._history))
        self._last: Parcel | None = None
        self._was_silent = False

    async def open(self) -> None:
        """Opens the conversation on the room's store."""
        self._courier.conversation = await self._opened.enter_async_context(self._room.open_conversation())

    # --- the first minute

    async def begin(self) -> None:
        """Says where one is, and on a new store asks how to begin."""
        self._screen.note("Florin's console. /help shows what the bot can do, /console what else you can do here.")
        if self._room.is_new:
            await self._begin_anew()
        else:
            self._screen.note(f"You speak as {self._speaker.name}. /as NAME changes that.")

    async def _begin_anew(self) -> None:
        answer = await self._ask("Nobody has been here yet. Set up a small example community to try things in? [Y/n] ")
        if answer.casefold() in {"", "y", "yes"}:
            for step in parse_script(EXAMPLE):
                if isinstance(step, Say):
                    await self._courier.deliver(self._courier.said(step.speaker, step.text))
                elif isinstance(step, Appoint | Join):
                    await self._courier.happens(step)
            self._speaker.name = SPEAKER
            self._screen.notes(INTRODUCTION)
            return
        self._speaker.name = await self._ask(f"Then you are its owner. What is your name? [{SPEAKER}] ") or SPEAKER
        self._history.append_string(f"/as {self._speaker.name}")
        await self._take(f"! owner {self._speaker.name}")

    async def _ask(self, question: str) -> str:
        """The answer to a question of the console's own; a command is none."""
        while is_command(answer := await ask(question)):
            self._screen.problem("That is a command, which can wait: answer this first, or press Enter.")
        return answer

    # --- line by line

    async def go_on(self) -> None:
        """Reads and carries out lines until one of them leaves."""
        session: PromptSession[str] = PromptSession(
            history=self._history,
            auto_suggest=AutoSuggestFromHistory(),
            completer=ConsoleCompleter(self._courier, self._world, self._speaker),
            complete_while_typing=True,
            style=_STYLE,
            bottom_toolbar=self._toolbar,
        )
        while True:
            try:
                typed = await session.prompt_async(self._prompt)
            except KeyboardInterrupt:
                self._screen.note("/quit leaves.")
                continue
            except EOFError:
                return
            # What is pasted may be several lines.
            for line in typed.split("\n"):
                if not await self._take(line):
                    return

    def _prompt(self) -> StyleAndTextTuples:
        private = [("class:private", " (private)")] if self._speaker.private else []
        return [("class:name", inert(self._speaker.name)), *private, ("", "> ")]

    def _toolbar(self) -> str:
        return f"{inert(self._world.place.native_id)}   /help   /console   /as NAME   /private   /quit"

    async def _take(self, line: str) -> bool:
        """Carries out one line. False where it leaves."""
        text = line.strip(" \t\r")
        command, _, rest = text.removeprefix("/").partition(" ")
        if is_command(text) and command.casefold() in OWN:
            return await self._own(command.casefold(), rest.strip())
        if text.startswith("!"):
            await self._script_line(text)
        elif text:
            await self._say(text)
        return True

    async def _say(self, text: str) -> None:
        name, private = self._speaker.name, self._speaker.private
        if (pasted := pasted_line(text)) is not None:
            # A line of a transcript, for which nobody should have to change the speaker first.
            if isinstance(pasted, Expectation):
                return
            name, text, private = pasted.speaker, pasted.text, pasted.private
        await self._deliver(self._courier.said(name, text, private=private))
        if [word.casefold() for word in cut(text)] == ["/help"]:
            self._list_own()
        elif not is_command(text) and not private and not self._was_silent:
            self._was_silent = True
            self._screen.note(
                f"{name} said so in {self._world.place.native_id}. The bot answers commands alone, such as /help."
            )

    async def _deliver(self, parcel: Parcel) -> None:
        self._last = parcel
        reply = await self._courier.deliver(parcel)
        if reply is not None:
            self._courier.show(parcel, reply)
            self._screen.reply(reply, reader=parcel.person.name, private=parcel.private)

    # --- the console's own commands

    async def _own(self, command: str, rest: str) -> bool:
        match command:
            case "quit":
                return False
            case "as":
                self._speak_as(rest)
            case "private":
                self._speak_privately(rest)
            case "press":
                await self._press(self._speaker.name, rest)
            case "place":
                self._go(rest)
            case _:
                self._list_own()
        return True

    def _list_own(self) -> None:
        self._screen.note("In this console there are also:")
        for line in help_lines():
            self._screen.note(line)

    def _speak_as(self, name: str) -> None:
        name = name.removeprefix("@")
        if not name:
            self._screen.problem("As whom? Write /as NAME.")
            return
        if is_command(name):
            self._screen.problem("A name cannot begin with a slash, as commands do.")
            return
        self._speaker.name = self._world.person(name).name

    def _speak_privately(self, word: str) -> None:
        if word.casefold() not in {"", "on", "off"}:
            self._screen.problem("Write /private on or /private off.")
            return
        self._speaker.private = not self._speaker.private if not word else word.casefold() == "on"

    def _go(self, place: str) -> None:
        if not place:
            self._screen.problem("Where to? Write /place NAME.")
            return
        self._world.move(place)

    async def _press(self, name: str, which: str) -> None:
        labels = [inert(button.label) for button in self._courier.pressable(name)]
        if not labels:
            self._screen.problem(f"{name} sees no button.")
            return
        parcel = None
        if which.isascii() and which.isdigit():
            parcel = self._courier.pressed_at(name, int(which[:3]))
        elif which:
            parcel = self._courier.pressed(name, which)
        if parcel is None:
            shown = "  ".join(f"[{number}: {label}]" for number, label in enumerate(labels, start=1))
            self._screen.problem(f"Press one of these by number or label: {shown}")
            return
        await self._deliver(parcel)

    async def _react(self, name: str, emoji: str, author: str) -> None:
        parcel = self._courier.reacted(name, emoji, author)
        if parcel is None:
            self._screen.problem(f"{author} has said nothing yet that one could react to.")
            return
        await self._deliver(parcel)

    # --- lines of scripts

    async def _script_line(self, text: str) -> None:
        """What a line with `!` says, as far as it makes sense outside a script."""
        try:
            step = parse_line(1, text)
        except ScriptError as problem:
            self._screen.problem(problem.sentence)
            return
        match step:
            case Appoint() | Join() | Leave() | Move() | Unseen():
                if no := await self._courier.happens(step):
                    self._screen.reply(no, reader=self._speaker.name, private=True)
                else:
                    self._screen.note("Done.")
            case Press(label=label, presser=presser):
                await self._press(presser, label)
            case React(emoji=emoji, author=author, reactor=reactor):
                await self._react(reactor, emoji, author)
            case Again(times=times) if self._last is not None:
                for _ in range(times):
                    await self._deliver(self._last)
            case Restart():
                await self._opened.aclose()
                await self.open()
                self._screen.note("Closed and opened again.")
            case _:
                self._screen.problem(f"`{text}` has no use here, only in scripts.")


async def ask(question: str) -> str:
    """The answer to a question of the console's own, not kept in the history."""
    try:
        return (await PromptSession[str]().prompt_async(question)).strip()
    except (EOFError, KeyboardInterrupt):
        return ""


def kept_history(path: Path | None) -> History:
    if path is None:
        return InMemoryHistory()
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileHistory(path)


def last_speaker(history: History) -> str:
    """Whoever was spoken as last, in earlier sittings too."""
    for line in history.load_history_strings():
        command, _, name = line.partition(" ")
        if command == "/as" and (name := name.strip().removeprefix("@")) and not is_command(name):
            return name
    return SPEAKER


def pasted_line(text: str) -> Say | Expectation | None:
    """A line out of a transcript: a command with its speaker before it, or a reply. None for other words."""
    try:
        step = parse_line(1, text)
    except ScriptError:
        return None
    if isinstance(step, Expectation) or (isinstance(step, Say) and is_command(step.text)):
        return step
    return None
