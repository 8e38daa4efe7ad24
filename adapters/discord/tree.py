"""Command specs -> what Discord is told of them, and back: what a used command means. Pure.

Discord knows two levels of names at most, and a command that has others below it cannot be used itself: a spec whose
name others begin with is called `<name> show` there. Everything is made for servers alone; in private nobody's coins
are meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any, Final, assert_never

from msgspec import Struct

from adapters.contract import CommandSpec, Option, OptionKind, Visibility, translatable

Payload = dict[str, Any]
Translated = Callable[[str], Mapping[str, str]]
"""A text in every other language there is, by its tag."""

BASE: Final = "show"
"""What a command is called that has others below it."""
PRIVATE: Final = "private"
FILE: Final = "file"
PEOPLE_MAX: Final = 5
"""How many receivers a slash command has room for; a command by mention takes more."""

COMMANDS_MAX: Final = 100
OPTIONS_MAX: Final = 25
CHOICES_MAX: Final = 25
DESCRIPTION_MAX: Final = 100
COMMAND_LENGTH_MAX: Final = 8_000
"""All names, descriptions and values of one command together."""

NAME_MAX: Final = 32
# Letters of any script, without capitals, and what joins them.
_LOCAL_NAME = re.compile(r"[-_'\w]{1,32}")
_NAME = re.compile(r"[-_a-z0-9]{1,32}")
# Tags of ours that Discord writes otherwise, and those that it knows.
_LOCALES: Final = {"es": ("es-ES", "es-419"), "pt": ("pt-BR",), "sv": ("sv-SE",), "zh": ("zh-CN",)}
_KNOWN_LOCALES: Final = frozenset(
    [
        "id",
        "da",
        "de",
        "en-GB",
        "en-US",
        "es-ES",
        "es-419",
        "fr",
        "hr",
        "it",
        "lt",
        "hu",
        "nl",
        "no",
        "pl",
        "pt-BR",
        "ro",
        "fi",
        "sv-SE",
        "vi",
        "tr",
        "cs",
        "el",
        "bg",
        "ru",
        "uk",
        "hi",
        "th",
        "zh-CN",
        "ja",
        "zh-TW",
        "ko",
    ]
)
MODERATE_MEMBERS: Final = 1 << 40
MANAGE_GUILD: Final = 1 << 5
# Whoever may not do this on the server does not see the command, unless its owner says otherwise in the server's
# settings. The rules decide who may, always.
_SEEN_WITH: Final = {
    "settings": MANAGE_GUILD,
    "catalogue": MANAGE_GUILD,
    "appoint": MANAGE_GUILD,
    "appoint_operator": MANAGE_GUILD,
    "freeze_all": MANAGE_GUILD,
}


class Kind(IntEnum):
    """Discord's types of options."""

    SUBCOMMAND = 1
    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    USER = 6
    CHANNEL = 7
    ROLE = 8
    MENTIONABLE = 9
    ATTACHMENT = 11


class Slot(Struct, frozen=True):
    """One option on Discord, and which of the spec's it is part of."""

    name: str
    kind: Kind
    option: Option


class Leaf(Struct, frozen=True):
    """A command on Discord: its name there in one or two words, its spec, and its slots by their names."""

    path: tuple[str, ...]
    spec: CommandSpec
    slots: dict[str, Slot]


class Tree:
    """All commands as Discord has them."""

    def __init__(self, specs: Sequence[CommandSpec], translated: Translated = lambda _: {}) -> None:
        self.translated = translated
        names = {spec.name for spec in specs}
        groups = {name.partition(" ")[0] for name in names if " " in name}
        self.leaves = {(leaf := _leaf(spec, groups)).path: leaf for spec in specs}
        if len(self.leaves) != len(specs):
            raise ValueError(f"a command below another cannot be called {BASE}")

    def find(self, path: Sequence[str]) -> Leaf | None:
        """The command of that name; None for one of an older release."""
        return self.leaves.get(tuple(path))

    def payload(self) -> list[Payload]:
        """The slash commands as Discord is told of them."""
        tops: dict[str, list[Leaf]] = {}
        for leaf in self.leaves.values():
            tops.setdefault(leaf.path[0], []).append(leaf)
        return self._names([self._top(name, leaves) for name, leaves in sorted(tops.items())])

    def _top(self, name: str, leaves: list[Leaf]) -> Payload:
        seen_with = {_SEEN_WITH.get(leaf.spec.right, MODERATE_MEMBERS) if leaf.spec.right else None for leaf in leaves}
        top: Payload = {
            "type": 1,
            "name": _named(name),
            "contexts": [0],
            "integration_types": [0],
            "default_member_permissions": min(filter(None, seen_with)) if None not in seen_with else None,
        }
        if len(leaves[0].path) == 1:
            return top | self._described(leaves[0].spec.help) | {"options": self._options(leaves[0])}
        subcommands = [
            {"type": Kind.SUBCOMMAND.value, "name": _named(leaf.path[1])}
            | self._described(leaf.spec.help)
            | {"options": self._options(leaf)}
            for leaf in sorted(leaves, key=lambda leaf: (leaf.path[1] != BASE, leaf.path[1]))
        ]
        base = next((leaf for leaf in leaves if leaf.path[1] == BASE), leaves[0])
        return top | self._described(base.spec.help) | {"options": self._names(subcommands)}

    def _options(self, leaf: Leaf) -> list[Payload]:
        slots = sorted(leaf.slots.values(), key=lambda slot: slot.name != slot.option.name)
        options = [self._option(slot) for slot in slots]
        if leaf.spec.visibility is Visibility.PUBLIC:
            described = self._described(translatable("answer so that only you see it"))
            options.append({"type": Kind.BOOLEAN.value, "name": PRIVATE, "required": False} | described)
        # Discord wants those that are needed first.
        return self._names(sorted(options, key=lambda option: not option["required"]))

    def _option(self, slot: Slot) -> Payload:
        option = slot.option
        told: Payload = {
            "type": slot.kind.value,
            "name": _named(slot.name),
            "required": option.required and slot.name == option.name and option.kind is not OptionKind.TARGETS,
        }
        told |= self._described(option.help if slot.name == option.name else _further(slot))
        match slot.kind:
            case Kind.INTEGER:
                told |= {"min_value": option.least or 0}
                told |= {} if option.most is None else {"max_value": option.most}
            case Kind.STRING if 0 < len(option.choices) <= CHOICES_MAX:
                told["choices"] = [self._choice(choice) for choice in option.choices]
            case Kind.STRING:
                told["autocomplete"] = _is_suggested(option)
                told |= {} if option.longest is None else {"max_length": option.longest}
            case _:
                pass
        return told

    def _choice(self, choice: str) -> Payload:
        return {"name": choice, "value": choice} | self._localised("name", choice)

    def _described(self, text: str) -> Payload:
        return {"description": _cut(text)} | self._localised("description", text)

    def _localised(self, what: str, text: str) -> Payload:
        return localised(what, self.translated(text), DESCRIPTION_MAX)

    def _names(self, told: list[Payload]) -> list[Payload]:
        """Commands, or the options of one, with their names in other languages, as far as Discord takes these: nothing
        is called as another beside it is."""
        taken: dict[str, set[str]] = {}
        for each in told:
            names: dict[str, str] = {}
            for tag, said in _by_locale(self.translated(each["name"])).items():
                name = said.strip().lower().replace(" ", "-")
                others = taken.setdefault(tag, {other["name"] for other in told if other is not each})
                if _LOCAL_NAME.fullmatch(name) and name not in others:
                    others.add(name)
                    names[tag] = name
            if names:
                each["name_localizations"] = names
        return told


def localised(what: str, said: Mapping[str, str], most: int) -> Payload:
    """A text in the languages that Discord knows."""
    known = {tag: _cut(text, most) for tag, text in _by_locale(said).items()}
    return {f"{what}_localizations": known} if known else {}


def _by_locale(said: Mapping[str, str]) -> dict[str, str]:
    """What is said in the languages that Discord knows, by its own tags; that of a region before its language's."""
    found: dict[str, str] = {}
    for tag in sorted(said, key=len):
        theirs = tag.replace("_", "-")
        found |= dict.fromkeys(_LOCALES.get(theirs, (theirs,)), said[tag])
    return {tag: text for tag, text in found.items() if tag in _KNOWN_LOCALES}


def _leaf(spec: CommandSpec, groups: Iterable[str]) -> Leaf:
    first, _, second = spec.name.partition(" ")
    if second:
        path: tuple[str, ...] = (first, second)
    else:
        path = (first, BASE) if first in groups else (first,)
    return Leaf(path, spec, {slot.name: slot for option in spec.options for slot in _slots(option)})


def _slots(option: Option) -> list[Slot]:
    match option.kind:
        case OptionKind.MEMBER:
            kind = Kind.USER
        case OptionKind.RECEIVERS:
            further = [Slot(f"{option.name}_{number}", Kind.USER, option) for number in range(2, PEOPLE_MAX + 1)]
            return [Slot(option.name, Kind.MENTIONABLE, option), *further]
        case OptionKind.TARGETS:
            return [Slot(option.name, Kind.MENTIONABLE, option), Slot(FILE, Kind.ATTACHMENT, option)]
        case OptionKind.GROUP:
            kind = Kind.ROLE
        case OptionKind.CHANNEL:
            kind = Kind.CHANNEL
        case OptionKind.COINS | OptionKind.COUNT | OptionKind.PAGE:
            kind = Kind.INTEGER
        case (
            OptionKind.AMOUNT
            | OptionKind.GIFT
            | OptionKind.CHOICE
            | OptionKind.RECEIPT
            | OptionKind.SETTING
            | OptionKind.TIME
            | OptionKind.WORD
            | OptionKind.TEXT
        ):
            kind = Kind.STRING
        case never:
            assert_never(never)
    return [Slot(option.name, kind, option)]


def _further(slot: Slot) -> str:
    if slot.kind is Kind.ATTACHMENT:
        return translatable("a file of rows instead: member,amount")
    return translatable("one more")


def _is_suggested(option: Option) -> bool:
    """Whether what is typed can be completed; plain words and notes cannot."""
    if option.kind is OptionKind.TEXT:
        return option.name == "command"
    return option.kind is not OptionKind.WORD


def _named(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"Discord takes no command or option called {name}")
    return name


def _cut(text: str, most: int = DESCRIPTION_MAX) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def is_same(ours: object, theirs: object) -> bool:
    """Whether Discord has what we would tell it: it adds to payloads, and leaves out what is as it would be anyway."""
    match ours:
        case dict():
            return isinstance(theirs, dict) and all(is_same(value, theirs.get(key)) for key, value in ours.items())
        case list():
            others = theirs or []
            return (
                isinstance(others, list)
                and len(ours) == len(others)
                and all(is_same(one, other) for one, other in zip(ours, others, strict=True))
            )
        case None | False:
            return not theirs
        case int():
            # What we write as a number comes back as digits, where it may be large.
            return str(ours) == str(theirs)
        case _:
            return ours == theirs


def in_sync(ours: list[Any], theirs: list[Any]) -> bool:
    """Whether Discord has these commands, all of them and no others."""
    there = {(command["name"], command.get("type", 1)): command for command in theirs}
    return len(ours) == len(there) and all(
        is_same(command, there.get((command["name"], command["type"]))) for command in ours
    )
