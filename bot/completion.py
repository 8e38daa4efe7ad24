"""What an unfinished command could become."""

from __future__ import annotations

from adapters.contract import Invocation, Option, OptionKind
from bot.commands import registry
from bot.commands.registry import Command
from economy.catalogue import catalogue
from economy.rules.permissions import Right, may
from economy.service import Economy
from economy.settings import SETTINGS, Feature
from economy.views import Reader

COMPLETIONS_MAX = 25


async def completions(economy: Economy, invocation: Invocation) -> list[str]:
    """What the last word could become, best first. Without words the command's own name is completed.

    Members come as `@name`, commands without a slash. The last word is empty where a new one begins.
    """
    reader = await economy.reads.reader(invocation.place, invocation.person.identity)
    if not invocation.words:
        return _best(_command_names(reader, invocation), invocation.command)
    *before, last = invocation.words
    typed = last if isinstance(last, str) else ""
    name, depth = invocation.command.casefold(), 0
    found = _group(name, reader, invocation) if not before else []
    if before and isinstance(before[0], str) and f"{name} {before[0].casefold()}" in registry.commands():
        name, depth = f"{name} {before[0].casefold()}", 1
    command = registry.commands().get(name)
    if command is not None:
        for option in _options_at(command, len(before) - depth):
            found += await _values(economy, invocation, reader, option)
    return _best(found, typed)


def _options_at(command: Command, position: int) -> list[Option]:
    """What the word at a position may be: options before it may have been left out, and receivers may be several."""
    found: list[Option] = []
    required = 0
    takes_several = False
    for number, option in enumerate(command.spec.options):
        takes_several |= option.kind is OptionKind.RECEIVERS
        if required <= position and (number >= position or takes_several):
            found.append(option)
        required += option.required
    return found


def _command_names(reader: Reader, invocation: Invocation) -> list[str]:
    """The first words of all commands that are on and that this person may give."""
    return [
        found.partition(" ")[0]
        for found, command in registry.commands().items()
        if _is_open(command, reader, invocation)
    ]


def _group(name: str, reader: Reader, invocation: Invocation) -> list[str]:
    return [
        found.partition(" ")[2]
        for found, command in registry.commands().items()
        if found.startswith(f"{name} ") and _is_open(command, reader, invocation)
    ]


def _is_open(command: Command, reader: Reader, invocation: Invocation) -> bool:
    spec = command.spec
    on = spec.feature is None or reader.settings.feature_on(Feature(spec.feature))
    return on and (spec.right is None or may(reader.roles | invocation.standing, Right(spec.right)))


async def _values(economy: Economy, invocation: Invocation, reader: Reader, option: Option) -> list[str]:
    match option.kind:
        case OptionKind.MEMBER | OptionKind.RECEIVERS | OptionKind.TARGETS:
            return [f"@{named.name}" for named in await economy.reads.names(invocation.place)]
        case OptionKind.AMOUNT:
            return ["all", "half"]
        case OptionKind.CHOICE:
            return list(option.choices)
        case OptionKind.GIFT:
            return [gift.slug for gift in catalogue(reader.community_flags)]
        case OptionKind.SETTING:
            return list(SETTINGS)
        case _:
            return []


def _best(found: list[str], typed: str) -> list[str]:
    """Those that begin with what was typed, then those that hold it; each once."""
    wanted = typed.casefold().lstrip("@")
    once = list(dict.fromkeys(found))
    begin = [text for text in once if text.casefold().lstrip("@").startswith(wanted)]
    hold = [text for text in once if wanted in text.casefold() and text not in begin]
    return [*begin, *hold][:COMPLETIONS_MAX]
