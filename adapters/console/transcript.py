"""Plays a script: what people say goes to the conversation, and each reply is compared with what is expected."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO, assert_never

from rich.filesize import decimal

from adapters.console.blanks import Blanks
from adapters.console.clock import StandingClock
from adapters.console.courier import Courier, Opener, Parcel
from adapters.console.grammar import (
    Again,
    AnyStep,
    Appoint,
    Event,
    InBlock,
    Join,
    Leave,
    Message,
    Move,
    Press,
    React,
    Remark,
    Restart,
    Say,
    ScriptError,
    SetClock,
    ShiftClock,
    Together,
    Unseen,
)
from adapters.console.rendering import inert, labels, plain, record
from adapters.console.script import parse_script
from adapters.console.shelf import Shelf
from adapters.console.world import World
from adapters.contract import File, Reply

DONE, DIFFERENT, UNREADABLE = 0, 1, 2
"""Exit statuses: all as expected; a reply was not; the script cannot be played."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a script is played with.

    `run` is a random token, of which the native ids of this run's messages are made. `file:PATH` in a message is
    looked for in `folders`, in their order. The bot's files are kept on `shelf`; None keeps none.
    """

    open_conversation: Opener
    clock: StandingClock
    run: str
    out: TextIO
    err: TextIO
    as_json: bool = False
    shelf: Shelf | None = None
    folders: Sequence[Path] = (Path(),)


async def run_script(text: str, stage: Stage) -> int:
    """Plays the script `text` and answers the exit status. Nothing runs if any line cannot be read."""
    try:
        steps = parse_script(text)
        async with AsyncExitStack() as opened:
            performance = Performance(stage, opened)
            await performance.open()
            for step in steps:
                await performance.play(step)
    except ScriptError as problem:
        stage.err.write(f"{inert(str(problem))}\n")
        return UNREADABLE
    return DIFFERENT if performance.differs else DONE


@dataclass(frozen=True, slots=True)
class Delivery:
    """A parcel that a step sends `times` times at once."""

    step: Message
    parcel: Parcel
    times: int = 1


class Performance:
    """One run of a script."""

    def __init__(self, stage: Stage, opened: AsyncExitStack) -> None:
        self._stage = stage
        self._opened = opened
        self._world = World()
        self._courier = Courier(self._world, run=stage.run, folders=stage.folders)
        self._last: Parcel | None = None
        self._blanks = Blanks()
        self.differs = False

    async def open(self) -> None:
        """Opens the conversation on the stage's store."""
        self._courier.conversation = await self._opened.enter_async_context(self._stage.open_conversation())

    async def play(self, step: AnyStep) -> None:
        """Carries out one step. Raises ScriptError where it asks for what is not there."""
        match step:
            case Say() | Press() | Again() | React():
                await self._message(step)
            case Together():
                await self._together(step)
            case _:
                self._echo(step.source)
                await self._event(step)

    async def _event(self, step: Event) -> None:
        match step:
            case Remark():
                pass
            case Appoint() | Join() | Leave() | Move() | Unseen():
                if no := await self._courier.happens(step):
                    raise ScriptError(step.line, " ".join(plain(no).split("\n")))
            case SetClock(at=at):
                self._stage.clock.set(at)
            case ShiftClock():
                self._shift(step)
            case Restart():
                await self._opened.aclose()
                await self.open()
            case never:
                assert_never(never)

    def _shift(self, step: ShiftClock) -> None:
        try:
            self._stage.clock.forward(step.by)
        except OverflowError:
            raise ScriptError(step.line, "the clock cannot go beyond the year 9999.") from None

    # --- messages

    async def _message(self, step: InBlock) -> None:
        self._echo(step.source)
        for delivery in self._deliveries([step]):
            # One after the other: here `again` is what a platform does that lost our answer.
            for _ in range(delivery.times):
                self._answered(delivery, [await self._courier.deliver(delivery.parcel)])

    async def _together(self, together: Together) -> None:
        self._echo(together.source)
        deliveries = self._deliveries(together.steps)
        parcels = [delivery.parcel for delivery in deliveries for _ in range(delivery.times)]
        replies = iter(await asyncio.gather(*map(self._courier.deliver, parcels)))
        answers = {delivery.step.line: (delivery, list(islice(replies, delivery.times))) for delivery in deliveries}
        for step in together.steps:
            self._echo(step.source)
            if step.line in answers:
                self._answered(*answers[step.line])
        self._echo(together.end)

    def _deliveries(self, steps: Iterable[InBlock]) -> list[Delivery]:
        """What the steps send, decided before anything of it is answered."""
        return [self._delivery(step) for step in steps if not isinstance(step, Remark)]

    def _delivery(self, step: Say | Press | Again | React) -> Delivery:
        if isinstance(step, Again):
            if self._last is None:
                raise ScriptError(step.line, "there is no message yet that could be delivered again.")
            return Delivery(step, self._last, step.times)
        match step:
            case Say():
                parcel = self._said(step)
            case Press():
                parcel = self._pressed(step)
            case React():
                parcel = self._reacted(step)
        self._last = parcel
        return Delivery(step, parcel)

    def _said(self, step: Say) -> Parcel:
        return self._courier.said(step.speaker, self._blanks.filled(step.text), private=step.private)

    def _pressed(self, step: Press) -> Parcel:
        parcel = self._courier.pressed(step.presser, step.label)
        if parcel is None:
            raise ScriptError(step.line, f'{step.presser} sees no button "{step.label}".')
        return parcel

    def _reacted(self, step: React) -> Parcel:
        parcel = self._courier.reacted(step.reactor, step.emoji, step.author)
        if parcel is None:
            raise ScriptError(step.line, f"{step.author} has said nothing yet that one could react to.")
        return parcel

    # --- what is seen of it

    def _answered(self, delivery: Delivery, replies: Iterable[Reply | None]) -> None:
        """Shows the replies to one step, and compares each with what the step expects."""
        for reply in replies:
            if reply is not None:
                self._courier.show(delivery.parcel, reply)
                self._show(delivery, reply)
            self._compare(delivery.step, reply)

    def _show(self, delivery: Delivery, reply: Reply) -> None:
        kept = [(file.name, self._stage.shelf.keep(file)) for file in files_of(reply)] if self._stage.shelf else []
        parcel = delivery.parcel
        if self._stage.as_json:
            place = None if parcel.private else parcel.place.native_id
            self._write(record(delivery.step.line, parcel.person.name, place, reply))
            return
        for line in plain(reply).split("\n"):
            self._write(f"bot> {line}".rstrip())
        for name, path in kept:
            self._write(f"# {inert(name)} ({decimal(path.stat().st_size)}) is saved as {path}")
        if reply.buttons:
            self._write("# " + " ".join(f"[{label}]" for label in labels(reply)))

    def _compare(self, step: Message, reply: Reply | None) -> None:
        if step.expected is None:
            return
        answered = [] if reply is None else [line.rstrip() for line in plain(reply).split("\n")]
        expected = self._blanks.expected(step.expected, answered)
        if answered != expected:
            self.differs = True
            for line in difference(step.line, expected, answered):
                self._write(line, to=self._stage.err if self._stage.as_json else self._stage.out)

    def _echo(self, source: str) -> None:
        if not self._stage.as_json:
            self._write(inert(source.rstrip()))

    def _write(self, line: str, *, to: TextIO | None = None) -> None:
        stream = to or self._stage.out
        stream.write(f"{line}\n")
        stream.flush()


def difference(line: int, wanted: Sequence[str], answered: Sequence[str]) -> Iterator[str]:
    """A unified diff of what a message should have been answered, and what it was."""
    expected, actual = f"expected for line {line}", "answered" if answered else "answered nothing"
    return difflib.unified_diff(wanted, answered, expected, actual, lineterm="", n=1_000)


def files_of(reply: Reply) -> list[File]:
    return [node for node in reply.nodes if isinstance(node, File)]
