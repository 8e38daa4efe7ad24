"""What doors tell on their own behalf: where no command is reached, and where an answer cannot be given."""

from __future__ import annotations

from typing import assert_never

from adapters.contract import Hint, Line, Reply, Visibility
from bot.wording import Words
from economy.settings import Settings


def hinted(hint: Hint, locale: str, **values: str) -> Reply:
    """A hint as a private reply. `values`: `channel` for CANNOT_POST, `needed` for what is missing there."""
    words = Words(locale, Settings())
    return Reply(
        command=None,
        outcome="hint",
        visibility=Visibility.PRIVATE,
        nodes=(_line(hint, words, {name: words.called(value) for name, value in values.items()}),),
        fields={"hint": str(hint)},
    )


def _line(hint: Hint, words: Words, values: dict[str, str]) -> Line:
    match hint:
        case Hint.ONLY_IN_PLACES:
            return words.line("Coins belong to a community: write this where it meets.")
        case Hint.NOT_INSTALLED:
            return words.line("I am not in this community, so there are no coins here. Its owner can add me.")
        case Hint.NOT_FOR_OTHERS:
            return words.line("Coins belong to people: write as yourself, not as a channel or by another program.")
        case Hint.FILE_TOO_LARGE:
            return words.line("This file is too large. At most 1 MB is read; nothing was changed.")
        case Hint.FILE_UNREADABLE:
            return words.line("This file could not be read. Nothing was changed; send it again.")
        case Hint.NO_PRIVATE_MESSAGE:
            return words.line("The answer is for you alone, and you take no messages of mine. Use the slash command.")
        case Hint.CANNOT_POST:
            return words.line("I cannot write to {channel}. There I need: {needed}.", **values)
        case never:
            assert_never(never)
