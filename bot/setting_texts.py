"""Settings in words: their values, and what they can be."""

from __future__ import annotations

from bot.naming import inert, isolated
from bot.wording import SOURCE_LOCALE, Words, languages
from economy.refusals import Value
from economy.settings import Kind, Setting


def shown_value(setting: Setting, value: Value, words: Words) -> str:
    """A setting's value as people read it: `60 seconds`, `50%`, `on`."""
    if isinstance(value, bool):
        return words.text("on") if value else words.text("off")
    if not isinstance(value, int):
        return isolated(inert(value)) if value else words.text("nothing")
    match setting.unit:
        case "coins":
            return words.coins(value)
        case "seconds":
            return words.texts("{n} second", "{n} seconds", value)
        case "days":
            return words.texts("{n} day", "{n} days", value)
        case _:
            return _bare(setting, value, words)


def bounds(setting: Setting, words: Words) -> str:
    """A sentence: what the setting can be."""
    match setting.kind:
        case Kind.NUMBER | Kind.PERCENT:
            return words.text(
                "It can be from {least} to {most}.",
                least=_bare(setting, setting.least, words),
                most=shown_value(setting, setting.most, words),
            )
        case Kind.CHOICE:
            return words.text("It can be one of: {choices}.", choices=", ".join(setting.choices))
        case Kind.SWITCH:
            return words.text("It can be on or off.")
        case Kind.TEXT if setting.least == 0:
            return words.text("It can be a text of at most {most} characters, or `reset` for none.", most=setting.most)
        case Kind.TEXT:
            return words.text("It can be a text of at most {most} characters.", most=setting.most)
        case Kind.LANGUAGE:
            known = ", ".join((SOURCE_LOCALE, *languages()))
            return words.text("It can be a language, by its tag. There are texts in: {languages}.", languages=known)
        case Kind.EMOJI:
            return words.text("It can be one emoji that everybody has, none of a server's own.")
        case Kind.TIME_ZONE:
            return words.text("It can be a time zone such as Europe/Berlin or America/New_York.")


def _bare(setting: Setting, value: int, words: Words) -> str:
    return words.percent(value) if setting.kind is Kind.PERCENT else words.number(value)
