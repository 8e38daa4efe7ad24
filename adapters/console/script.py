"""A script's text -> its steps: lines put together, or refused. Nothing runs here."""

from __future__ import annotations

from msgspec.structs import replace

from adapters.console.grammar import (
    Again,
    AnyStep,
    Bracket,
    Command,
    Expectation,
    InBlock,
    Message,
    Remark,
    Say,
    ScriptError,
    Together,
    parse_line,
)


def parse_script(text: str) -> tuple[AnyStep, ...]:
    """All steps of a script. Raises ScriptError at the first line that cannot be played."""
    assembly = _Assembly()
    # At line feeds alone: names may hold what else Python takes for the end of a line.
    for line, source in enumerate(text.removeprefix("\ufeff").removesuffix("\n").split("\n"), start=1):
        assembly.take(line, source)
    return assembly.finish()


class _Assembly:
    """Puts lines together: expected replies with their messages, blocks with what stands in them."""

    def __init__(self) -> None:
        self._outer: list[AnyStep] = []
        self._block: list[InBlock] = []
        self._opening: Remark | None = None
        self._answering = False
        self._expected_at = 0
        self._spoken = False

    def take(self, line: int, source: str) -> None:
        match parse_line(line, source):
            case Expectation(text):
                self._expect(line, text)
            case Bracket(opens=True):
                self._open(line, source)
            case Bracket():
                self._close(line, source)
            case step:
                self._add(step)

    def finish(self) -> tuple[AnyStep, ...]:
        if self._opening is not None:
            raise ScriptError(self._opening.line, "`! together` has no `! end`.")
        return tuple(self._outer)

    def _add(self, step: Say | Remark | Command) -> None:
        if isinstance(step, Again) and not self._spoken:
            raise ScriptError(step.line, "there is no message yet that could be delivered again.")
        if self._opening is None:
            self._outer.append(step)
        elif isinstance(step, InBlock):
            self._block.append(step)
        else:
            raise ScriptError(step.line, "between `! together` and `! end` stand messages, and nothing else.")
        if not isinstance(step, Remark):
            self._answering = isinstance(step, Message)
            self._spoken |= self._answering

    def _expect(self, line: int, text: str) -> None:
        steps: list[AnyStep] | list[InBlock] = self._outer if self._opening is None else self._block
        at = next((at for at in reversed(range(len(steps))) if not isinstance(steps[at], Remark)), None)
        message = None if at is None else steps[at]
        if at is None or not self._answering or not isinstance(message, Message):
            raise ScriptError(line, "`bot>` stands after the message that it answers, and there is none here.")
        if message.expected is not None and self._expected_at != line - 1:
            raise ScriptError(line, f"the message of line {message.line} has its expected reply already.")
        steps[at] = replace(message, expected=(*(message.expected or ()), text))
        self._expected_at = line

    def _open(self, line: int, source: str) -> None:
        if self._opening is not None:
            raise ScriptError(line, f"the block that line {self._opening.line} begins has no `! end` yet.")
        self._opening = Remark(line=line, source=source)
        self._block = []
        self._answering = False

    def _close(self, line: int, source: str) -> None:
        if self._opening is None:
            raise ScriptError(line, "there is no `! together` that could end here.")
        begun = self._opening
        self._outer.append(Together(line=begun.line, source=begun.source, steps=tuple(self._block), end=source))
        self._opening = None
        self._answering = False
