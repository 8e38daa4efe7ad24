"""What Telegram's menu shows: the commands of every day, more to who administers, in each language there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
)

from adapters.contract import CommandSpec, Visibility
from adapters.telegram.rendering import Written, short

DESCRIPTION_UNITS_MAX: Final = 100
COMMANDS_MAX: Final = 100
CODE_LENGTH: Final = 2
SOURCE: Final = "en"
"""What whoever has another language than we have texts in sees."""

HelpOf = Callable[[CommandSpec, str], str]


def menus(specs: Iterable[CommandSpec], help_of: HelpOf, locale: str) -> list[tuple[BotCommandScope, list[BotCommand]]]:
    """Each scope's commands. In groups, those with private answers are seen by nobody else."""
    known = list(specs)
    everyday = [spec for spec in known if spec.in_menu and " " not in spec.name]
    staff = [spec for spec in known if spec.right is not None]
    return [
        (BotCommandScopeAllPrivateChats(), _commands(everyday, help_of, locale)),
        (BotCommandScopeAllGroupChats(), _commands(everyday, help_of, locale, in_group=True)),
        (BotCommandScopeAllChatAdministrators(), _commands([*everyday, *staff], help_of, locale, in_group=True)),
    ]


def _commands(
    specs: Iterable[CommandSpec], help_of: HelpOf, locale: str, *, in_group: bool = False
) -> list[BotCommand]:
    """A command once, by its first word: Telegram's names have no spaces."""
    first: dict[str, CommandSpec] = {}
    for spec in specs:
        first.setdefault(spec.name.partition(" ")[0], spec)
    return [
        BotCommand(
            name,
            short([Written("", help_of(spec, locale))], DESCRIPTION_UNITS_MAX),
            api_kwargs={"is_ephemeral": True} if in_group and spec.visibility is Visibility.PRIVATE else None,
        )
        for name, spec in list(first.items())[:COMMANDS_MAX]
    ]


async def put_up(bot: Bot, specs: Iterable[CommandSpec], help_of: HelpOf, languages: Iterable[str]) -> None:
    """Sets the menus that are not so already. Raises TelegramError."""
    for scope, code, commands in await _stale(bot, specs, help_of, languages):
        await bot.set_my_commands(commands, scope, code)


async def are_up(bot: Bot, specs: Iterable[CommandSpec], help_of: HelpOf, languages: Iterable[str]) -> bool:
    """Whether the menus are those of this release. Raises TelegramError."""
    return not await _stale(bot, specs, help_of, languages)


async def _stale(
    bot: Bot, specs: Iterable[CommandSpec], help_of: HelpOf, languages: Iterable[str]
) -> list[tuple[BotCommandScope, str, list[BotCommand]]]:
    known = list(specs)
    found = []
    for code, locale in {"": SOURCE, **_codes(languages)}.items():
        for scope, commands in menus(known, help_of, locale):
            there = await bot.get_my_commands(scope, code)
            if [_compared(command) for command in there] != [_compared(command) for command in commands]:
                found.append((scope, code, commands))
    return found


def _codes(languages: Iterable[str]) -> dict[str, str]:
    """Locales by Telegram's codes, which are languages of two letters: it knows no regions. The language by itself goes
    before that of a region."""
    found: dict[str, str] = {}
    for locale in sorted(languages, key=len):
        language = locale.partition("_")[0]
        if len(language) == CODE_LENGTH:
            found.setdefault(language, locale)
    return found


def _compared(command: BotCommand) -> tuple[str, str, bool]:
    return command.command, command.description, bool(command.api_kwargs.get("is_ephemeral"))
