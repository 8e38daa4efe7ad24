"""What translators get beside the sentences of the code: commands, their options, and what can be set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import IO

from bot.commands.registry import specs
from economy.settings import SETTINGS

Found = tuple[int, None, str, list[str]]


def extract(
    _file: IO[bytes], _keywords: Collection[str], _tags: Collection[str], options: Mapping[str, str]
) -> Iterator[Found]:
    """As Babel asks for it, whatever file it is called for: line, no function, text and comments. No options."""
    del options
    for text in sorted(texts()):
        yield 1, None, text, []


def texts() -> set[str]:
    """Every text of a spec or of a setting that people see."""
    found = {setting.doc for setting in SETTINGS.values()}
    for spec in specs():
        found |= {spec.help, *spec.name.split(" ")}
        for option in spec.options:
            found |= {option.name, option.help, *option.choices}
    return found - {""}
