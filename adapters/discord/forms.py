"""Menus on members and messages, and the forms that they open. Pure.

A form names whom it is about in a list that is filled in already, so that Discord says who that is when it comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import discord
from msgspec import Struct

from adapters.contract import CommandSpec, Option, OptionKind, Suggestion, translatable
from adapters.discord.tree import Leaf, Payload, Translated, Tree, localised

MENUS_MAX: Final = 5
"""For members and for messages each."""
_USER_MENU, _MESSAGE_MENU = 2, 3
_TEXT_INPUT, _STRING_SELECT, _USER_SELECT, _LABEL = 4, 3, 5, 18
FORM: Final = "f:"
"""Begins the id of a form; the name of its command follows."""
MENU_NAME_MAX: Final = 32
LABEL_MAX: Final = 45
TITLE_MAX: Final = 45
SELECT_MAX: Final = 25


class Menu(Struct, frozen=True):
    """An entry in the menu of a member or of a message, and the command whose form it opens."""

    name: str
    kind: int
    command: str


MENUS: Final = (
    Menu(translatable("Tip this member"), _USER_MENU, "tip"),
    Menu(translatable("Send a gift"), _USER_MENU, "gift"),
    Menu(translatable("Tip the author"), _MESSAGE_MENU, "tip"),
)
_ASKED: Final = {"tip": ("to", "amount", "note"), "gift": ("gift", "to", "count", "message")}
"""What each form asks for, in this order."""


def menu_payload(specs: Iterable[CommandSpec], translated: Translated = lambda _: {}) -> list[Payload]:
    """The menus as Discord is told of them: those whose command there is."""
    names = {spec.name for spec in specs}
    return [
        {"type": menu.kind, "name": menu.name, "contexts": [0], "integration_types": [0]}
        | localised("name", translated(menu.name), MENU_NAME_MAX)
        for menu in MENUS
        if menu.command in names
    ]


def menu_of(name: str, kind: int) -> Menu | None:
    """None for a menu of an older release."""
    return next((menu for menu in MENUS if menu.name == name and menu.kind == kind), None)


class Form(discord.ui.Modal):
    """A form that is what it is; what is sent back is heard by its id, after any number of restarts."""

    def __init__(self, payload: dict[str, Any]) -> None:
        super().__init__(title=payload["title"], timeout=None, custom_id=payload["custom_id"])
        self._ready = payload

    def to_dict(self) -> dict[str, Any]:
        return self._ready

    def is_finished(self) -> bool:
        return True


def form_payload(
    menu: Menu, leaf: Leaf, user_id: str, gifts: Sequence[Suggestion], translated: Translated, tag: str
) -> dict[str, Any]:
    """The form of a command, for one member: its labels are the options' own words, in the reader's language."""

    def words(text: str) -> str:
        found = translated(text)
        return found.get(tag) or next((said for known, said in found.items() if known.partition("_")[0] == tag), text)

    options = {option.name: option for option in leaf.spec.options}
    fields = [_field(options[name], user_id, gifts, words) for name in _ASKED[menu.command] if name in options]
    return {"title": words(menu.name)[:TITLE_MAX], "custom_id": f"{FORM}{menu.command}", "components": fields}


def _field(option: Option, user_id: str, gifts: Sequence[Suggestion], words: Any) -> dict[str, Any]:
    inner: dict[str, Any] = {"custom_id": option.name, "required": option.required}
    match option.kind:
        case OptionKind.MEMBER | OptionKind.RECEIVERS:
            default = {"id": user_id, "type": "user"}
            inner |= {"type": _USER_SELECT, "default_values": [default], "min_values": 1}
            inner |= {"max_values": SELECT_MAX if option.kind is OptionKind.RECEIVERS else 1}
        case OptionKind.GIFT if gifts:
            choices = [{"label": gift.label, "value": gift.value} for gift in gifts[:SELECT_MAX]]
            inner |= {"type": _STRING_SELECT, "options": choices, "min_values": 1, "max_values": 1}
        case _:
            inner |= {"type": _TEXT_INPUT, "style": 1}
            inner |= {} if option.longest is None else {"max_length": option.longest}
    label = words(option.name).replace("_", " ").capitalize()
    help_text = words(option.help)[:100]
    return {"type": _LABEL, "label": label[:LABEL_MAX], "description": help_text, "component": inner}


def filled_in(data: Mapping[str, Any], tree: Tree) -> tuple[Leaf, dict[str, list[str]]] | None:
    """The command of a form that was sent back, and what stands in its fields; None for one of an older release."""
    leaf = tree.find((str(data["custom_id"]).removeprefix(FORM),))
    if leaf is None or leaf.spec.name not in _ASKED:
        return None
    values: dict[str, list[str]] = {}
    for label in data.get("components") or ():
        field = label.get("component") or {}
        given = field.get("values") or ([field["value"]] if field.get("value") else [])
        values[str(field.get("custom_id"))] = [str(value) for value in given]
    return leaf, {name: given for name, given in values.items() if given}
