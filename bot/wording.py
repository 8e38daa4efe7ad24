"""Words: texts in the reader's language, with amounts, names and times formatted for them.

The source texts are English. `line`, `lines`, `text` and `texts` are what extraction looks for, so their first
arguments are literals; placeholders stand in braces.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from string import Formatter

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_skeleton, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from adapters.contract import Line, Name, Plain, Span, Strong
from bot.naming import NOBODY, inert, isolated, shown_text
from economy.settings import Settings
from economy.values import Identity, MemberId, zone
from economy.views import Shown

SOURCE_LOCALE = "en"
"""What the texts in the code are written in."""

LOCALES = Path(__file__).parent / "locales"
NAMES_MAX = 10
"""The most names that one sentence lists."""

UNLINKED = Identity("", "")
"""Nobody whom a door could link a name to."""

Value = str | int | Span | Sequence[Span]


@lru_cache(maxsize=256)
def locale_of(tag: str) -> str:
    """A locale that there is data for, nearest to what a platform calls it: `en-US` -> `en_US`, nonsense -> `en`."""
    try:
        return str(Locale.parse(tag.replace("-", "_")[:35]))
    except (UnknownLocaleError, ValueError, TypeError):
        return SOURCE_LOCALE


@lru_cache(maxsize=64)
def translations(locale: str, folder: Path) -> NullTranslations:
    """The catalogue for a locale or its language, compiled as it is read; source texts where there is none."""
    for name in (locale, locale.partition("_")[0]):
        path = folder / f"{name}.po"
        if path.is_file():
            with path.open("rb") as source:
                catalogue = read_po(source, locale=name)
            compiled = io.BytesIO()
            write_mo(compiled, catalogue)
            compiled.seek(0)
            return GNUTranslations(compiled)
    return NullTranslations()


def languages() -> tuple[str, ...]:
    """The tags of all languages that there is a catalogue for, beside the source's: `de`, `pt_BR`."""
    return _languages(LOCALES)


def is_spoken(tag: str) -> bool:
    """Whether there are texts in a language, or in what its region speaks."""
    return not {tag, tag.partition("_")[0]}.isdisjoint((SOURCE_LOCALE, *languages()))


@lru_cache(maxsize=4)
def _languages(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in folder.glob("*.po")))


def translations_of(text: str) -> dict[str, str]:
    """A text in every other language there is a translation for, by its tag."""
    found = {tag: Words(tag, Settings()).text(text) for tag in languages()}
    return {tag: said for tag, said in found.items() if said != text}


@lru_cache(maxsize=16_384)
def number(value: int, locale: str = SOURCE_LOCALE) -> str:
    """A whole number with the locale's sign between thousands, in ASCII digits, so that it can be typed back."""
    return format_decimal(value, "#,##0", locale=locale, numbering_system="latn")


class Words:
    """What wording needs: the reader's locale, the community's settings, the names of those spoken of."""

    def __init__(
        self,
        locale: str,
        settings: Settings,
        shown: Mapping[MemberId, Shown] | None = None,
        *,
        now: datetime | None = None,
        folder: Path | None = None,
    ) -> None:
        self.locale = locale_of(locale)
        self.settings = settings
        self.shown: Mapping[MemberId, Shown] = shown or {}
        self.now = now
        self._folder = folder or LOCALES

    @cached_property
    def _catalogue(self) -> NullTranslations:
        return translations(self.locale, self._folder)

    # --- sentences ------------------------------------------------------------------------------------------

    def text(self, message: str, **values: str | int) -> str:
        """A text of words alone."""
        return self._fill(self._catalogue.gettext(message), values)

    def texts(self, one: str, many: str, count: int, **values: str | int) -> str:
        """A text whose form depends on `count`, which fills `{n}`."""
        return self._fill(self._catalogue.ngettext(one, many, count), {"n": count, **values})

    def line(self, message: str, **values: Value) -> Line:
        """A line; values may be names and other spans, or several."""
        return self._line(self._catalogue.gettext(message), values)

    def lines(self, one: str, many: str, count: int, **values: Value) -> Line:
        """A line whose form depends on `count`, which fills `{n}`."""
        return self._line(self._catalogue.ngettext(one, many, count), {"n": count, **values})

    def _fill(self, message: str, values: Mapping[str, str | int]) -> str:
        if not values:
            return message
        return message.format_map({name: self._plain(value) for name, value in values.items()})

    def _line(self, message: str, values: Mapping[str, Value]) -> Line:
        if not values:
            return Line((Plain(message),))
        spans: list[Span] = []
        for before, name, _, _ in Formatter().parse(message):
            if before:
                spans.append(Plain(before))
            if name is not None:
                spans.extend(self._spans(values[name]))
        return Line(joined(spans))

    def _spans(self, value: Value) -> Sequence[Span]:
        match value:
            case str() | int():
                return (Plain(self._plain(value)),)
            case Plain() | Strong() | Name():
                return (value,)
            case _:
                return value

    def _plain(self, value: str | int) -> str:
        return value if isinstance(value, str) else self.number(value)

    # --- amounts --------------------------------------------------------------------------------------------

    def number(self, value: int) -> str:
        return number(int(value), self.locale)

    def decimal(self, value: str) -> str:
        """A decimal number, as `2.5`, with the locale's sign."""
        return format_decimal(Decimal(value), locale=self.locale, numbering_system="latn")

    def signed(self, value: int) -> str:
        """`+50`, `-50`, `0`."""
        return f"+{self.number(value)}" if value > 0 else self.number(value)

    def percent(self, share_bp: int) -> str:
        """A share given in basis points: `50%`, `12.5%`."""
        return format_percent(Decimal(share_bp) / 10_000, "#,##0.##%", locale=self.locale, numbering_system="latn")

    def coins(self, amount: int) -> str:
        """An amount with the currency's name: `1 coin`, `1,000 coins`, `50 Diamonds`."""
        own = self._own_currency(amount)
        return f"{self.number(amount)} {own}" if own else self.texts("{n} coin", "{n} coins", amount)

    def bought(self, amount: int) -> str:
        """`320 bought coins`: for where some are free."""
        if own := self._own_currency(amount):
            return self.texts("{n} bought {currency}", "{n} bought {currency}", amount, currency=own)
        return self.texts("{n} bought coin", "{n} bought coins", amount)

    def _own_currency(self, amount: int) -> str:
        """The owner's own word for that many: one for 1, one for everything else. Empty where coins are coins."""
        one, many = self.settings.currency_one, self.settings.currency_many
        return "" if (one, many) == ("coin", "coins") else isolated(inert(one if amount == 1 else many))

    def score(self, amount: int) -> str:
        """An amount for a column: the symbol, where there is one, and the number."""
        return f"{self.settings.currency_symbol}{self.number(amount)}"

    # --- names ----------------------------------------------------------------------------------------------

    def name(self, member: MemberId) -> Name:
        """A member's name for a sentence, made inert."""
        found = self.shown.get(member)
        return Name(self.text(NOBODY)) if found is None else Name(shown_text(found), found.identity)

    def called(self, name: str) -> str:
        """A name for a sentence, as a door gave it."""
        return isolated(inert(name))

    def field(self, member: MemberId) -> str:
        """A member's name for `fields`: inert, and nothing around it."""
        found = self.shown.get(member)
        return NOBODY if found is None else inert(found.name)

    def people(self, members: Sequence[MemberId]) -> Sequence[Span]:
        """`bo`, `bo and cy`, `bo, cy and dee`, or the first names and how many more."""
        if len(members) > NAMES_MAX:
            more = len(members) - NAMES_MAX
            rest: Span = Plain(self.texts("{n} more", "{n} more", more))
            names: list[Span] = [*map(self.name, members[:NAMES_MAX]), rest]
        else:
            names = list(map(self.name, members))
        if len(names) == 1:
            return names
        first: list[Span] = [names[0]]
        for name in names[1:-1]:
            first += [Plain(self.text(", ")), name]
        return self.line("{first} and {last}", first=first, last=names[-1]).spans

    def lookalikes(self, members: Sequence[MemberId]) -> list[Line]:
        """A warning for each member who looks like the owner or a creator and is someone else."""
        return [
            self.line("Careful: {name} only looks like someone known here. Is this who you mean?", name=self.name(id))
            for id in members
            if (found := self.shown.get(id)) is not None and found.suffix
        ]

    # --- words of others ------------------------------------------------------------------------------------

    def said(self, text: str) -> str:
        """What somebody wrote, made plain when it was stored, kept from turning around what stands beside it."""
        return isolated(text)

    def quote(self, text: str) -> Line:
        """What somebody wrote, in quotes, on a line of its own."""
        return Line((Plain(f'"{isolated(text)}"'),))

    # --- times ----------------------------------------------------------------------------------------------

    def day(self, day: date) -> str:
        """`3 May`."""
        if self.locale == SOURCE_LOCALE:
            return format_date(day, "d MMMM", locale=self.locale)
        return format_skeleton("MMMMd", day, locale=self.locale)

    def moment(self, at: datetime) -> str:
        """A time in the community's zone: `3 May 2026, 14:05`."""
        return format_datetime(at, "d MMM y, HH:mm", tzinfo=zone(self.settings.time_zone), locale=self.locale)

    def until(self, at: datetime) -> str:
        """How long it is until `at`: `in 5 hours`. Never a time that has passed."""
        left = max(0, int((at - self.now).total_seconds())) if self.now else 0
        return format_timedelta(max(left, 1), add_direction=True, threshold=0.99, locale=self.locale)

    def span(self, seconds: int) -> str:
        """A length of time, exactly: `1 minute`, `90 seconds`, `2 hours`."""
        for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
            if seconds % length == 0 and seconds >= length:
                return format_unit(seconds // length, f"duration-{unit}", locale=self.locale)
        return format_unit(seconds, "duration-second", locale=self.locale)


def unnamed(member: MemberId, words: Words) -> Shown:
    """Somebody who acts in the name of a place, as everyone but moderators is to see them."""
    return Shown(member, words.text("a moderator"), UNLINKED)


def joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The same words with neighbouring plain spans made one."""
    merged: list[Span] = []
    for span in spans:
        last = merged[-1] if merged else None
        if isinstance(span, Plain) and isinstance(last, Plain):
            merged[-1] = Plain(last.text + span.text)
        else:
            merged.append(span)
    return tuple(merged)


def plain(line: Line) -> str:
    """A line's words alone."""
    return "".join(span.text for span in line.spans)
