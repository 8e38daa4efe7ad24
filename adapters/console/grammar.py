"""The language of transcripts, line by line: what one means. `script` puts the lines together.

ana> /tip @bo 50               ana says this in the place
ana (private)> /balance        ana says this to the bot alone
bot> ana tipped bo 50 coins.   the reply that the message before must get; one such line per line of it
! owner ana                    and the other commands of `_COMMANDS`
# comment
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

from adapters.console.clock import parse_moment, parse_shift
from economy.service import Role

AGAIN_MAX = 10_000
COMMAND_SIGN = "/"


class ScriptError(Exception):
    """A script that cannot be played: one sentence, and the line it is about."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(f"line {line}: {sentence}")
        self.line = line
        self.sentence = sentence


# --- steps ----------------------------------------------------------------------------------------------------------


class Step(Struct, frozen=True, kw_only=True):
    """One line of a script: its number, counted from 1, and its text as written."""

    line: int
    source: str


class Message(Step, frozen=True, kw_only=True):
    """A step that the bot may answer. `expected`: the lines of the answer, None where any will do."""

    expected: tuple[str, ...] | None = None


class Say(Message, frozen=True, kw_only=True):
    speaker: str
    private: bool
    text: str


class Again(Message, frozen=True, kw_only=True):
    """The last message is delivered again."""

    times: int


class Press(Message, frozen=True, kw_only=True):
    label: str
    presser: str


class React(Message, frozen=True, kw_only=True):
    """`reactor` puts an emoji under the latest message of `author`."""

    emoji: str
    author: str
    reactor: str


class Unseen(Step, frozen=True, kw_only=True):
    """`@name` is from here on how somebody can be named whom nobody has seen, until they speak."""

    name: str


class Appoint(Step, frozen=True, kw_only=True):
    roles: tuple[Role, ...]
    name: str


class Join(Step, frozen=True, kw_only=True):
    name: str
    is_bot: bool


class Leave(Step, frozen=True, kw_only=True):
    name: str


class Move(Step, frozen=True, kw_only=True):
    """From here on people speak in `place`."""

    place: str


class SetClock(Step, frozen=True, kw_only=True):
    at: datetime


class ShiftClock(Step, frozen=True, kw_only=True):
    by: timedelta


class Restart(Step, frozen=True, kw_only=True):
    pass


class Remark(Step, frozen=True, kw_only=True):
    """A comment or an empty line."""


InBlock = Say | Again | Press | React | Remark


class Together(Step, frozen=True, kw_only=True):
    """Messages and remarks; the messages are delivered at the same moment. `end`: the closing line as written."""

    steps: tuple[InBlock, ...]
    end: str


Change = Appoint | Join | Leave | Move | Unseen
"""What the platform itself knows to have happened."""

Event = Change | SetClock | ShiftClock | Restart | Remark
"""What happens without a message."""

Command = Again | Press | React | Appoint | Join | Leave | Move | Unseen | SetClock | ShiftClock | Restart
AnyStep = Say | Press | Again | React | Together | Event


class Expectation(Struct, frozen=True):
    """One line of the reply that the message before must get."""

    text: str


class Bracket(Struct, frozen=True):
    """Where `! together` begins or ends."""

    opens: bool


# --- one line -------------------------------------------------------------------------------------------------------

_SAID = re.compile(r"(?P<speaker>.+?)(?P<private> \(private\))?>(?: (?P<text>.*))?", re.DOTALL)
_PRESS = re.compile(r'"(?P<label>.+)" as (?P<name>.+)', re.DOTALL)
_REACT = re.compile(r'"(?P<emoji>.+)" to (?P<author>.+?) as (?P<name>.+)', re.DOTALL)
_COUNT = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)

Arguments = tuple[int, str, str]
"""Number and text of a line, and what stands behind its command."""


def parse_line(line: int, source: str) -> Say | Remark | Command | Expectation | Bracket:
    """What one line means by itself. Raises ScriptError."""
    text = source.strip(" \t\r")
    if not text or text.startswith("#"):
        return Remark(line=line, source=source)
    if text.startswith("!"):
        return parse_command(line, source)
    if text == "bot>" or text.startswith("bot> "):
        return Expectation(text[5:].rstrip())
    return parse_said(line, source)


def parse_said(line: int, source: str) -> Say:
    found = _SAID.fullmatch(source.strip(" \t\r"))
    speaker = found["speaker"].strip() if found else ""
    if found is None or not speaker or speaker.startswith(COMMAND_SIGN):
        raise ScriptError(
            line, 'this is none of `NAME> text`, `bot> text`, `! command` and `# comment`; write "ana> hello", say.'
        )
    return Say(line=line, source=source, speaker=speaker, private=bool(found["private"]), text=found["text"] or "")


def parse_command(line: int, source: str) -> Command | Bracket:
    """A line that begins with `!`. Raises ScriptError."""
    word, _, rest = source.strip(" \t\r").removeprefix("!").strip().partition(" ")
    if (command := _COMMANDS.get(word)) is None:
        raise ScriptError(line, f"there is no command `! {word}`; there are {', '.join(_COMMANDS)}.")
    return command((line, source, rest.strip()))


def _again(of: Arguments) -> Again:
    line, source, rest = of
    if rest and (not _COUNT.fullmatch(rest) or int(rest) > AGAIN_MAX):
        raise ScriptError(line, f"`! again` takes a number of times from 1 to {AGAIN_MAX}, or nothing.")
    return Again(line=line, source=source, times=int(rest or 1))


def _press(of: Arguments) -> Press:
    line, source, rest = of
    if (found := _PRESS.fullmatch(rest)) is None:
        raise ScriptError(line, 'write `! press "LABEL" as NAME`.')
    return Press(line=line, source=source, label=found["label"].strip(), presser=found["name"].strip())


def _react(of: Arguments) -> React:
    line, source, rest = of
    if (found := _REACT.fullmatch(rest)) is None:
        raise ScriptError(line, 'write `! react "EMOJI" to AUTHOR as NAME`.')
    emoji, author, reactor = (found[name].strip() for name in ("emoji", "author", "name"))
    return React(line=line, source=source, emoji=emoji, author=author, reactor=reactor)


def _unseen(of: Arguments) -> Unseen:
    return Unseen(line=of[0], source=of[1], name=_name(of).removeprefix("@"))


def _clock(of: Arguments) -> SetClock | ShiftClock:
    line, source, rest = of
    if (at := parse_moment(rest)) is not None:
        return SetClock(line=line, source=source, at=at)
    if (by := parse_shift(rest)) is not None:
        return ShiftClock(line=line, source=source, by=by)
    raise ScriptError(line, "`! clock` takes a time such as 2026-01-05T12:00Z, or a step such as +2d, +90m or +1h30m.")


def _join(of: Arguments) -> Join:
    return Join(line=of[0], source=of[1], name=_name(of), is_bot=False)


def _bot(of: Arguments) -> Join:
    return Join(line=of[0], source=of[1], name=_name(of), is_bot=True)


def _leave(of: Arguments) -> Leave:
    return Leave(line=of[0], source=of[1], name=_name(of))


def _place(of: Arguments) -> Move:
    return Move(line=of[0], source=of[1], place=_name(of))


def _restart(of: Arguments) -> Restart:
    _nothing(of)
    return Restart(line=of[0], source=of[1])


def _bracket(*, opens: bool) -> Callable[[Arguments], Bracket]:
    def read(of: Arguments) -> Bracket:
        _nothing(of)
        return Bracket(opens)

    return read


def _appoint(*roles: Role) -> Callable[[Arguments], Appoint]:
    def read(of: Arguments) -> Appoint:
        return Appoint(line=of[0], source=of[1], roles=roles, name=_name(of))

    return read


def _name(of: Arguments) -> str:
    line, _, rest = of
    if not rest:
        raise ScriptError(line, "a name is missing here.")
    if rest.startswith(COMMAND_SIGN):
        raise ScriptError(line, f"a name cannot begin with {COMMAND_SIGN}, as commands do.")
    return rest


def _nothing(of: Arguments) -> None:
    line, _, rest = of
    if rest:
        raise ScriptError(line, f"nothing may stand behind this command, and here stands `{rest}`.")


_COMMANDS: dict[str, Callable[[Arguments], Command | Bracket]] = {
    "owner": _appoint(Role.OWNER, Role.OPERATOR),
    "treasurer": _appoint(Role.TREASURER),
    "moderator": _appoint(Role.MODERATOR),
    "auditor": _appoint(Role.AUDITOR),
    "creator": _appoint(Role.CREATOR),
    "join": _join,
    "leave": _leave,
    "bot": _bot,
    "place": _place,
    "clock": _clock,
    "again": _again,
    "press": _press,
    "react": _react,
    "unseen": _unseen,
    "together": _bracket(opens=True),
    "end": _bracket(opens=False),
    "restart": _restart,
}

SCRIPT_COMMANDS = tuple(_COMMANDS)
