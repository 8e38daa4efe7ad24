"""A conversation that writes down what reaches it, and answers what a test tells it to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest

from adapters.console.clock import StandingClock
from adapters.console.courier import Opener
from adapters.console.shelf import Shelf
from adapters.console.transcript import Stage, run_script
from adapters.contract import (
    Button,
    CommandSpec,
    Conversation,
    Hint,
    Invocation,
    Line,
    Option,
    OptionKind,
    Plain,
    Pressed,
    Reply,
    Suggestion,
    Visibility,
)
from economy.service import Identity, Place, Role, Sighting

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def say(*lines: str, visibility: Visibility = Visibility.PUBLIC, **rest) -> Reply:
    nodes = tuple(Line((Plain(line),)) for line in lines)
    return Reply(**{"command": "tip", "outcome": "tip", "visibility": visibility, "nodes": nodes, **rest})


@pytest.fixture
def saying() -> Callable[..., Reply]:
    """Makes a reply of lines."""
    return say


@pytest.fixture
def asking() -> Reply:
    """Asks ana in private to confirm."""
    button = Button(label="Confirm", data="o:nonce", presser=Identity("console", "ana"))
    return say("Sure?", visibility=Visibility.PRIVATE, outcome="confirm", buttons=(button,))


@dataclass
class Attentive:
    """Answers each command by its name from `answers`, or repeats it; keeps everything that it was told. `no` is what
    it answers to who comes, goes or is given a role."""

    answers: dict[str, Reply] = field(default_factory=dict)
    said: list[Invocation] = field(default_factory=list)
    unfinished: list[Invocation] = field(default_factory=list)
    pressed: list[Pressed] = field(default_factory=list)
    told: list[tuple] = field(default_factory=list)
    no: Reply | None = None
    opened: int = 0
    is_open: bool = False
    completions: list[str] = field(default_factory=list)
    before_answering: Callable[[], Awaitable[object]] | None = None

    async def say(self, invocation: Invocation) -> Reply:
        self.said.append(invocation)
        if self.before_answering is not None:
            await self.before_answering()
        return self.answers.get(invocation.command) or say(f"{invocation.person.name} said {invocation.command}")

    async def press(self, pressed: Pressed) -> Reply:
        self.pressed.append(pressed)
        return say(f"{pressed.person.name} pressed {pressed.data}")

    async def heard(self, place: Place, person: Sighting, act: str) -> None:
        self.told.append(("heard", place, person, act))

    async def came(self, place: Place, person: Sighting, act: str) -> Reply | None:
        self.told.append(("came", place, person, act))
        return self.no

    async def went(self, place: Place, person: Sighting, act: str) -> Reply | None:
        self.told.append(("went", place, person, act))
        return self.no

    async def arrived(self, place: Place, person: Sighting, known_as: tuple[str, ...], act: str) -> Reply | None:
        return None

    async def is_waited_for(self, person: Sighting, known_as: tuple[str, ...]) -> bool:
        return False

    async def reacted(self, place: Place, person: Sighting, author: Sighting, emoji: str, act: str) -> Reply | None:
        self.told.append(("reacted", place, person, author, emoji, act))
        return self.no

    async def uses_reactions(self, place: Place) -> bool:
        return False

    async def appoint(
        self, place: Place, person: Sighting, role: Role, act: str, standing: frozenset[Role]
    ) -> Reply | None:
        self.told.append(("appoint", place, person, act, role, standing))
        return self.no

    async def complete(self, invocation: Invocation) -> list[str]:
        self.unfinished.append(invocation)
        return self.completions

    async def suggest(self, invocation: Invocation, option: str) -> list[Suggestion]:
        self.unfinished.append(invocation)
        return [Suggestion(found, found) for found in self.completions]

    def hint(self, hint: Hint, locale: str, **values: str) -> Reply:
        return say(str(hint), visibility=Visibility.PRIVATE, outcome="hint")

    def languages(self) -> tuple[str, ...]:
        return ()

    def translated(self, text: str) -> dict[str, str]:
        return {}

    def specs(self) -> tuple[CommandSpec, ...]:
        targets = Option(name="to", kind=OptionKind.TARGETS, required=True)
        actor = Option(name="actor", kind=OptionKind.MEMBER, required=False)
        return (
            CommandSpec(name="tip", topic="tipping", help="Send coins.", aliases=("give",)),
            CommandSpec(name="coins add", topic="adjusting", help="Give coins.", options=(targets,)),
            CommandSpec(name="audit", topic="audit", help="Look back.", options=(actor,)),
        )

    def help_of(self, spec: CommandSpec, locale: str) -> str:
        return spec.help

    async def homes(self, person: Identity) -> list[Place]:
        return []

    async def moved(self, old: Place, new: Place) -> bool:
        return False


@pytest.fixture
def bot() -> Attentive:
    return Attentive()


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock(NOON)


@pytest.fixture
def opener(bot: Attentive) -> Opener:
    @asynccontextmanager
    async def open_conversation() -> AsyncIterator[Conversation]:
        bot.opened += 1
        bot.is_open = True
        yield bot
        bot.is_open = False

    return open_conversation


@dataclass
class Played:
    status: int
    out: str
    err: str


@pytest.fixture
def play(opener: Opener, clock: StandingClock, tmp_path: Path) -> Callable:
    """Plays a script before the attentive bot."""

    async def run(script: str, *, as_json: bool = False, run_id: str = "run", shelf: Shelf | None = None) -> Played:
        out, err = StringIO(), StringIO()
        stage = Stage(
            open_conversation=opener,
            clock=clock,
            run=run_id,
            out=out,
            err=err,
            as_json=as_json,
            shelf=shelf,
            folders=(tmp_path,),
        )
        status = await run_script(script, stage)
        return Played(status, out.getvalue(), err.getvalue())

    return run
