"""How a refusal reads: what was refused, the rule with its numbers, and what to do; and its fields for scripts.

The sentences themselves are in `refusal_texts`, one for each code and rule.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapters.contract import FieldValue
from bot.naming import inert
from bot.refusal_texts import Told, sentence
from bot.telling import Telling
from bot.wording import Words
from economy.refusals import Refusal, Value
from economy.values import MemberId

_TYPED = ("name", "gift")
"""Fields that hold what a person typed or is called."""


def refused(refusal: Refusal, words: Words) -> Telling:
    """A refusal for people and for scripts; `words` know the members it names."""
    told = Told(refusal, words)
    lines = [sentence(told)]
    if row := told.number("row"):
        lines.append(words.line("That is row {row} of the file. Nothing was changed.", row=row))
    if use := told.own("usage"):
        lines.append(words.line("Like this: {usage}", usage=use))
    return Telling(nodes=tuple(lines), fields=_fields(refusal.fields, words))


def _fields(fields: Mapping[str, Value], words: Words) -> dict[str, FieldValue]:
    """The refusal's fields with members by name: their ids stay inside."""
    shown: dict[str, FieldValue] = {}
    for name, value in fields.items():
        if name.endswith("_id"):
            shown[name.removesuffix("_id")] = words.field(MemberId(value)) if type(value) is int else None
        else:
            shown[name] = inert(value) if name in _TYPED and isinstance(value, str) else value
    return shown
