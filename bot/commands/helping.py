"""`/help`: what this reader can do here, and how each command is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from adapters.contract import CommandSpec, FieldValue, Line, Listing, Node, Plain, Reply, Strong
from bot.asked import Asked
from bot.commands.registry import command, commands, specs
from bot.meanings import usage
from bot.nearest import nearest
from bot.options import Rest
from bot.refusal_texts import roles_named
from bot.telling import Telling
from bot.wording import Words
from economy.refusals import Code
from economy.rules.permissions import Right, roles_with
from economy.settings import Feature

MENU = ("tip", "gift", "daily", "balance", "top", "help", "settings")
"""What menus show, in this order: the commands of every day."""


@command(name="help", examples=("help", "help tip"), in_menu=True)
async def give_help(asked: Asked, command: Annotated[Rest | None, "which command to explain"] = None) -> Reply:
    """See what you can do here, and how to write it."""
    if command is None:
        return asked.reply(_overview(asked))
    name = " ".join(command.lower().lstrip("/").split())
    found = commands().get(name)
    if found is not None:
        _must_be_on(asked, found.spec)
        return asked.reply(_explained(asked, found.spec))
    group = [spec for spec in _shown(asked) if spec.name.startswith(f"{name} ")]
    if not group:
        meant = nearest(name, [spec.name for spec in _shown(asked)])
        asked.refuse(Code.UNKNOWN_COMMAND, nearest=", ".join(f"/{near}" for near in meant))
    return asked.reply(_group(asked, group))


def _shown(asked: Asked) -> list[CommandSpec]:
    """What this reader can use here: its feature is on, and its right is theirs."""
    return [spec for spec in specs() if _is_on(asked, spec) and (spec.right is None or asked.may(Right(spec.right)))]


def _is_on(asked: Asked, spec: CommandSpec) -> bool:
    return spec.feature is None or asked.reader.settings.feature_on(Feature(spec.feature))


def _must_be_on(asked: Asked, spec: CommandSpec) -> None:
    if not _is_on(asked, spec):
        asked.refuse(Code.FEATURE_OFF, feature=spec.feature)


def _overview(asked: Asked) -> Telling:
    words, shown = asked.words, _shown(asked)
    by_name = {spec.name: spec for spec in shown}
    menu = [by_name[name] for name in MENU if name in by_name]
    everyone = _first_words(spec for spec in shown if spec.right is None and spec not in menu)
    staff = _first_words(spec for spec in shown if spec.right is not None)
    nodes: list[Node] = [
        words.line("Here is what you can do:"),
        Listing(tuple(_item(f"/{spec.name}", words.text(spec.help)) for spec in menu)),
        words.line("There is more: {commands}.", commands=_listed(everyone)),
    ]
    if staff:
        nodes.append(words.line("And for running this community: {commands}.", commands=_listed(staff)))
    nodes.append(words.line("/help with a name says how to write it, such as /help {example}.", example=menu[0].name))
    names: list[FieldValue] = [spec.name for spec in shown]
    return Telling(nodes=tuple(nodes), fields={"commands": names})


def _first_words(found: Iterable[CommandSpec]) -> list[str]:
    return list(dict.fromkeys(spec.name.partition(" ")[0] for spec in found))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"/{name}" for name in names)


def _item(what: str, words: str) -> Line:
    return Line((Strong(what), Plain(f" – {words}")))


def _explained(asked: Asked, spec: CommandSpec) -> Telling:
    words = asked.words
    nodes: list[Node] = [Line((Strong(usage(spec)),)), Line((Plain(words.text(spec.help)),))]
    if options := [option for option in spec.options if option.help]:
        nodes.append(Listing(tuple(_item(option.name, words.text(option.help)) for option in options)))
    if spec.examples:
        nodes.append(words.line("For example:"))
        nodes.append(Listing(tuple(Line((Plain(f"/{example}"),)) for example in spec.examples)))
    if spec.aliases:
        nodes.append(words.line("It also answers to {aliases}.", aliases=_listed(spec.aliases)))
    if spec.right is not None:
        nodes.append(words.line("It is for {roles}.", roles=allowed(Right(spec.right), words)))
    if inner := [other for other in _shown(asked) if other.name.startswith(f"{spec.name} ")]:
        nodes.append(words.line("There is more of it:"))
        nodes.append(_list_of(inner, words))
    fields: dict[str, FieldValue] = {
        "name": spec.name,
        "usage": usage(spec),
        "examples": [*spec.examples],
        "aliases": [*spec.aliases],
    }
    return Telling(nodes=tuple(nodes), fields=fields)


def _group(asked: Asked, group: list[CommandSpec]) -> Telling:
    names: list[FieldValue] = [spec.name for spec in group]
    return Telling(nodes=(_list_of(group, asked.words),), fields={"commands": names})


def _list_of(found: Iterable[CommandSpec], words: Words) -> Listing:
    return Listing(tuple(_item(usage(spec), words.text(spec.help)) for spec in found))


def allowed(right: Right, words: Words) -> str:
    """Who has a right, for a sentence: `owners or treasurers`."""
    return roles_named(roles_with(right), words)
