"""A line with a command -> the words of an `Invocation`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from pathlib import Path
from urllib.parse import quote

from adapters.console.world import World, native_id
from adapters.contract import (
    ATTACHMENT_BYTES_MAX,
    Attachment,
    CommandSpec,
    Mention,
    Option,
    OptionKind,
    RoleMention,
    Unseen,
    Word,
)

_WHITE = " \t\n\r\x0b\x0c"
_WHITE_RUN = re.compile(rf"[{_WHITE}]+")
_FILE = "file:"


class AttachmentProblem(Exception):
    """A file named in a message that cannot be sent. Says why in one sentence."""


def is_command(text: str) -> bool:
    return text.startswith("/")


def cut(text: str) -> list[str]:
    """`text` cut at ASCII white space; other white space belongs to words."""
    return [word for word in _WHITE_RUN.split(text) if word]


def spoken(
    text: str, world: World, *, specs: Iterable[CommandSpec], folders: Sequence[Path]
) -> tuple[str, tuple[Word, ...]]:
    """The command and its words, mentions resolved.

    `file:PATH` is an attachment where the command takes files; PATH is looked for in `folders`, in their order.
    `option:@name` becomes two words where the option is a member. Raises AttachmentProblem.
    """
    command, *rest = cut(text.removeprefix("/")) or [""]
    if text[1:2] in _WHITE:
        # `/ tip` names no command.
        command, rest = "", cut(text[1:])
    options = options_of(command, specs)
    members = {option.name for option in options if option.kind is OptionKind.MEMBER}
    with_files = any(option.kind is OptionKind.TARGETS for option in options)
    apart = (part for word in rest for part in _apart(word, members))
    return command, tuple(_word(part, world, folders if with_files else None) for part in apart)


def _apart(word: str, members: Set[str]) -> tuple[str, ...]:
    """`actor:@ana` as an option's name and a mention, where a member is what the option takes."""
    name, sign, value = word.partition(":")
    return (f"{name}:", value) if sign and value.startswith("@") and name.casefold() in members else (word,)


def options_of(command: str, specs: Iterable[CommandSpec]) -> list[Option]:
    """All options of `command`, or of its group."""
    return [
        option
        for spec in specs
        if command.casefold() in {name.partition(" ")[0] for name in (spec.name, *spec.aliases)}
        for option in spec.options
    ]


def _word(word: str, world: World, folders: Sequence[Path] | None) -> Word:
    if word.startswith("@") and len(word) > 1:
        role = world.role(word[1:])
        if world.is_unseen(word[1:]):
            return Unseen(word[1:], handle(word[1:]))
        return Mention(world.mentioned(word[1:])) if role is None else RoleMention(role)
    if folders is not None and word.startswith(_FILE) and word != _FILE:
        return attach(word.removeprefix(_FILE), folders)
    return word


def handle(name: str) -> str:
    """By what somebody is named as long as nobody has seen them."""
    return f"@{quote(native_id(name), safe='')}"


def attach(path: str, folders: Sequence[Path]) -> Attachment:
    """The file at `path`. Raises AttachmentProblem where it is missing, unreadable or too large."""
    for folder in folders:
        try:
            with (folder / path).open("rb") as file:
                content = file.read(ATTACHMENT_BYTES_MAX + 1)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as problem:
            raise AttachmentProblem(f"The file {path} cannot be read.") from problem
        if len(content) > ATTACHMENT_BYTES_MAX:
            raise AttachmentProblem(f"The file {path} is too large: send at most {ATTACHMENT_BYTES_MAX:,} bytes.")
        return Attachment(Path(path).name, content, native_id)
    raise AttachmentProblem(f"There is no file {path}.")
