"""What Discord checks by hand of messages and commands, beyond its published schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tests.adapters.discord.state import LAYOUT

NAME = re.compile(r"^[-_'\w]{1,32}$")


class Refusal(Exception):
    """Discord answers no."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def invalid(message: str) -> Refusal:
    return Refusal(400, 50035, f"Invalid Form Body: {message}")


def nested(components: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every component, those inside others too."""
    for component in components:
        yield component
        yield from nested(component.get("components") or ())
        inner = component.get("accessory") or component.get("component")
        if inner:
            yield from nested([inner])


def check_message(body: dict[str, Any], files: set[str], *, was_layout: bool = False, is_edit: bool = False) -> None:
    """Raises Refusal for a message that Discord does not take."""
    flags = body.get("flags") or 0
    pings = len((body.get("allowed_mentions") or {}).get("users") or ())
    if pings > 100:
        raise invalid(f"{pings} people in allowed_mentions")
    components = body.get("components") or []
    everything = list(nested(components))
    is_something = bool(files or is_edit)
    if flags & LAYOUT or was_layout:
        _check_layout(body, everything, is_something=is_something)
    else:
        _check_plain(body, components, everything, is_something=is_something)
    if len(everything) > 40:
        raise invalid(f"{len(everything)} components")
    custom_ids = [each["custom_id"] for each in everything if "custom_id" in each]
    if len(custom_ids) != len(set(custom_ids)):
        raise invalid("a custom_id stands twice")
    for each in everything:
        _check_component(each, files)
    shown = {each["file"]["url"] for each in everything if each["type"] == 13}
    shown |= {item["media"]["url"] for each in everything if each["type"] == 12 for item in each["items"]}
    if flags & LAYOUT and {f"attachment://{name}" for name in files} - shown:
        raise invalid("a file that no component shows")


def _check_layout(body: dict[str, Any], everything: list[dict[str, Any]], *, is_something: bool) -> None:
    if body.get("content") or body.get("embeds"):
        raise invalid("content beside components v2")
    texts = sum(len(each["content"]) for each in everything if each["type"] == 10)
    if texts > 4000:
        raise invalid(f"components hold {texts} characters")
    if not everything and not is_something:
        raise Refusal(400, 50006, "Cannot send an empty message")


def _check_plain(
    body: dict[str, Any], components: list[dict[str, Any]], everything: list[dict[str, Any]], *, is_something: bool
) -> None:
    content = body.get("content")
    if any(each["type"] not in (1, 2) for each in everything):
        raise invalid("components v2 without their flag")
    if content is not None and len(content) > 2000:
        raise invalid("content is too long")
    if not (content or body.get("embeds") or is_something):
        raise Refusal(400, 50006, "Cannot send an empty message")
    if len(components) > 5:
        raise invalid("too many rows")


def _check_component(component: dict[str, Any], files: set[str]) -> None:
    match component["type"]:
        case 1:
            if not 1 <= len(component["components"]) <= 5:
                raise invalid("a row has 1 to 5 buttons")
        case 2:
            if not 1 <= len(component.get("label") or "") <= 80 or not 1 <= len(component["custom_id"]) <= 100:
                raise invalid("a button's label or custom_id")
        case 10:
            if not 1 <= len(component["content"]) <= 4000:
                raise invalid("a text's length")
        case 12:
            for item in component["items"]:
                _must_be_sent(item["media"]["url"], files)
                if not 1 <= len(item.get("description") or "x") <= 1024:
                    raise invalid("a picture's description")
        case 13:
            _must_be_sent(component["file"]["url"], files)
        case 17:
            pass
        case other:
            raise invalid(f"a component of type {other} in a message")


def _must_be_sent(url: str, files: set[str]) -> None:
    if url.removeprefix("attachment://") not in files:
        raise invalid(f"{url} was not sent")


def check_commands(commands: list[dict[str, Any]]) -> None:
    """Raises Refusal for commands that Discord does not take."""
    for kind, most in ((1, 100), (2, 15), (3, 15)):
        names = [command["name"] for command in commands if command.get("type", 1) == kind]
        if len(names) > most or len(names) != len(set(names)):
            raise invalid(f"{len(names)} commands of type {kind}")
    for command in commands:
        if command.get("type", 1) != 1:
            if command.get("description") or command.get("options"):
                raise invalid("a menu with a description or options")
            continue
        _check_command(command, depth=0)
        if _length(command) > 8000:
            raise invalid(f"{command['name']} is longer than 8000")


def _check_command(command: dict[str, Any], *, depth: int) -> None:
    if not NAME.match(command["name"]) or command["name"] != command["name"].lower():
        raise invalid(f"the name {command['name']}")
    if not 1 <= len(command["description"]) <= 100:
        raise invalid(f"the description of {command['name']}")
    options = command.get("options") or []
    names = [option["name"] for option in options]
    if len(options) > 25 or len(names) != len(set(names)):
        raise invalid(f"the options of {command['name']}")
    required = [bool(option.get("required")) for option in options]
    if required != sorted(required, reverse=True):
        raise invalid(f"{command['name']}: an optional one before one that is needed")
    for option in options:
        if option["type"] in (1, 2) and depth >= 1:
            raise invalid("at most one level of groups")
        _check_command(option, depth=depth + 1)
        if len(option.get("choices") or ()) > 25:
            raise invalid("choices")
        if option.get("choices") and option.get("autocomplete"):
            raise invalid("choices and autocomplete")


def _length(command: dict[str, Any]) -> int:
    own = len(command["name"]) + len(command["description"])
    choices = sum(len(choice["name"]) + len(str(choice["value"])) for choice in command.get("choices") or ())
    return own + choices + sum(_length(option) for option in command.get("options") or ())


def check_form(form: dict[str, Any]) -> None:
    """Raises Refusal for a form that Discord does not take."""
    if not 1 <= len(form["title"]) <= 45 or not 1 <= len(form["custom_id"]) <= 100:
        raise invalid("a form's title or custom_id")
    if not 1 <= len(form["components"]) <= 5:
        raise invalid("a form has 1 to 5 fields")
    for label in form["components"]:
        if label["type"] != 18 or not 1 <= len(label["label"]) <= 45 or len(label.get("description") or "") > 100:
            raise invalid("a label")
        inner = label["component"]
        if inner["type"] == 3:
            options = inner["options"]
            values = [option["value"] for option in options]
            if not 1 <= len(options) <= 25 or len(values) != len(set(values)):
                raise invalid("the options of a list")
            if any(not 1 <= len(option["label"]) <= 100 for option in options):
                raise invalid("the label of an option")
