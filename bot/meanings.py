"""What one word means as an option of a kind. Pure: the moment is an argument."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NoReturn

from adapters.contract import (
    Attachment,
    Channel,
    CommandSpec,
    Group,
    Invocation,
    Mention,
    Option,
    OptionKind,
    RoleMention,
    Unseen,
    Word,
)
from bot.amounts import parse_amount, parse_coins
from bot.commands.registry import Parameter
from bot.options import PAGE_MAX, Count, GiftName, Page, Receivers, SettingName, Targets, longest
from bot.refused import refuse_asked
from bot.rows import rows_of
from bot.times import parse_since
from economy.catalogue import DEFAULT_GIFTS
from economy.refusals import Code, Value
from economy.values import (
    COINS_MAX,
    AmountWord,
    Coins,
    EntryNumber,
    Identity,
    Note,
    Sighting,
    parse_receipt_id,
    plain_text,
)

ID_PREFIX = "id:"
"""Names a member by native id: `id:123`."""

HOLDERS_MAX = 5_000
"""The most holders of a platform's role that one command can mean."""

_COUNT = re.compile(r"x[-+.]?[0-9]", re.ASCII | re.IGNORECASE)

_GIFT_NAMES = {
    name: gift.slug for gift in DEFAULT_GIFTS for name in (gift.slug, gift.emoji, gift.emoji.replace("\ufe0f", ""))
}


def usage(spec: CommandSpec) -> str:
    """How a command is written: `/tip <to> [each|split] <amount> [note]`."""
    parts = [f"/{spec.name}"]
    for option in spec.options:
        name = "|".join(option.choices) if 0 < len(option.choices) <= 3 else option.name
        if option.kind is OptionKind.COUNT:
            name = "xN"
        parts.append(f"<{name}>" if option.required else f"[{name}]")
    return " ".join(parts)


def names_someone(word: Word) -> bool:
    """Whether a word stands for a member or a role, known or not."""
    match word:
        case Mention() | RoleMention() | Group() | Unseen():
            return True
        case str():
            return word.startswith("@") or (word.lower().startswith(ID_PREFIX) and len(word) > len(ID_PREFIX))
        case Attachment() | Channel():
            return False


class Meanings:
    """Turns words of one invocation into values; refuses those that have no such meaning."""

    def __init__(self, spec: CommandSpec, invocation: Invocation, now: datetime, time_zone: str) -> None:
        self._spec = spec
        self._invocation = invocation
        self._now = now
        self._time_zone = time_zone
        self._of_word: dict[OptionKind, Callable[[Option, str], Any]] = {
            OptionKind.AMOUNT: self._amount,
            OptionKind.COINS: self._coins,
            OptionKind.COUNT: self._count,
            OptionKind.PAGE: self._page,
            OptionKind.GIFT: self._gift,
            OptionKind.SETTING: self._setting,
            OptionKind.RECEIPT: self._receipt,
            OptionKind.TIME: self._time,
            OptionKind.WORD: self._word,
        }

    def value(self, parameter: Parameter, word: Word) -> Any:
        """The value of a parameter that takes one word."""
        option = parameter.option
        match option.kind:
            case OptionKind.MEMBER:
                return self.person(option, word)
            case OptionKind.TARGETS:
                return self._targets(option, word)
            case OptionKind.RECEIVERS:
                return self.receivers(option, [word])
            case OptionKind.TEXT:
                return self.text(parameter, [word])
            case OptionKind.CHOICE:
                return self._choice(parameter, self._one_word(option, word))
            case OptionKind.GROUP:
                return word if isinstance(word, Group) else self.refuse("not_a_group", option=option.name)
            case OptionKind.CHANNEL:
                return word if isinstance(word, Channel) else self.refuse("not_a_channel", option=option.name)
            case _:
                return self._of_word[option.kind](option, self._one_word(option, word))

    def refuse(self, rule: str, code: Code = Code.INVALID_ARGUMENT, **fields: Value) -> NoReturn:
        """Refuses and says how the command is written."""
        refuse_asked(code, rule=rule, usage=usage(self._spec), **fields)

    def refuse_left_over(self, word: Word, left_out: Sequence[Option]) -> NoReturn:
        """Refuses what no option took, for the first of those `left_out` that it may have been meant as."""
        if not isinstance(word, str):
            self.refuse("too_many")
        for option in left_out:
            match option.kind:
                case OptionKind.CHOICE if word.lower() not in option.choices:
                    self.refuse("choice", option=option.name, choices=",".join(option.choices))
                case OptionKind.MEMBER:
                    self.refuse("not_a_member", option=option.name)
                case OptionKind.PAGE:
                    self.refuse("page", option=option.name)
                case _:
                    continue
        self.refuse("too_many")

    def miss(self, option: Option) -> NoReturn:
        """Refuses as an option is missing, and says in words what it is: the first part of its help."""
        self.refuse("missing", option=option.name, needed=re.split(r"[:;]", option.help)[0])

    # --- numbers and words ------------------------------------------------------------------------------------

    def _one_word(self, option: Option, word: Word) -> str:
        if isinstance(word, str):
            return word
        if option.kind in (OptionKind.AMOUNT, OptionKind.COINS, OptionKind.COUNT):
            refuse_asked(Code.INVALID_AMOUNT, limit=COINS_MAX)
        if option.kind is OptionKind.GIFT:
            self.refuse("gift_first", option=option.name)
        return self.refuse("not_a_word", option=option.name)

    def _amount(self, option: Option, text: str) -> AmountWord:
        return parse_amount(text, self._invocation.locale)

    def _coins(self, option: Option, text: str) -> Coins:
        return parse_coins(text, self._invocation.locale)

    def _count(self, option: Option, text: str) -> Count:
        bare = text[1:] if text[:1] in ("x", "X") else text
        return Count(int(parse_coins(bare, self._invocation.locale, least=1)))

    def _page(self, option: Option, text: str) -> Page:
        if text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= PAGE_MAX:
            return Page(int(text))
        return self.refuse("page", option=option.name)

    def _gift(self, option: Option, text: str) -> GiftName:
        typed = text.casefold()
        return GiftName(_GIFT_NAMES.get(typed, typed))

    def _setting(self, option: Option, text: str) -> SettingName:
        return SettingName(text.casefold().replace("-", "_"))

    def _receipt(self, option: Option, text: str) -> EntryNumber:
        number = parse_receipt_id(text)
        return refuse_asked(Code.UNKNOWN_RECEIPT) if number is None else number

    def _time(self, option: Option, text: str) -> datetime:
        at = parse_since(text, self._now, self._time_zone)
        return self.refuse("time", option=option.name) if at is None else at

    def _word(self, option: Option, text: str) -> str:
        return text

    def _choice(self, parameter: Parameter, text: str) -> Any:
        chosen, choices = text.lower(), parameter.option.choices
        if chosen not in choices:
            self.refuse("choice", option=parameter.option.name, choices=",".join(choices))
        # A StrEnum is a type and makes its member; a Literal is its text.
        return parameter.type(chosen) if isinstance(parameter.type, type) else chosen

    # --- people -------------------------------------------------------------------------------------------------

    def person(self, option: Option, word: Word) -> Sighting:
        """The person whom a mention or `id:123` names."""
        match word:
            case Mention(person=person):
                return person
            case str() if word.lower().startswith(ID_PREFIX) and len(word) > len(ID_PREFIX):
                native_id = word[len(ID_PREFIX) :]
                return Sighting(Identity(self._invocation.person.identity.platform, native_id), native_id)
            case Unseen(name=name):
                return refuse_asked(Code.UNKNOWN_MEMBER, rule="unseen", name=name)
            case str() if word.startswith("@"):
                return refuse_asked(Code.UNKNOWN_MEMBER, name=word[1:])
            case _:
                return self.refuse("not_a_member", option=option.name)

    def receivers(self, option: Option, named: Sequence[Word]) -> Receivers:
        """People, each once, or one role."""
        people: dict[Identity, Sighting] = {}
        unseen = {word.key: word for word in named if isinstance(word, Unseen)}
        for word in named:
            if isinstance(word, Unseen):
                continue
            if isinstance(word, RoleMention | Group):
                if len(named) > 1:
                    self.refuse("role_and_members", Code.AMBIGUOUS)
                if isinstance(word, Group):
                    return Receivers(self._holders(word), group=word.name)
                return Receivers(role=word.role)
            person = self.person(option, word)
            if person.identity in people:
                self.refuse("twice", Code.AMBIGUOUS, name=person.name)
            people[person.identity] = person
        return Receivers(tuple(people.values()), unseen=tuple(unseen.values()))

    def _holders(self, group: Group) -> tuple[Sighting, ...]:
        """Who holds a role of the platform's own; bots left out, as they have no wallet."""
        if group.holders is None:
            self.refuse("holders_unknown", name=group.name)
        holders = tuple(holder for holder in group.holders if not holder.is_bot)
        if not holders:
            refuse_asked(Code.UNKNOWN_MEMBER, rule="nobody_in_role", role=group.name)
        if len(holders) > HOLDERS_MAX:
            refuse_asked(Code.LIMIT_EXCEEDED, rule="receivers", limit=HOLDERS_MAX)
        return holders

    def _targets(self, option: Option, word: Word) -> Targets:
        match word:
            case RoleMention(role=role):
                return Targets(role=role)
            case Group() as group:
                return Targets(holders=self._holders(group))
            case Attachment() as file:
                platform = self._invocation.person.identity.platform
                return Targets(rows=rows_of(file, platform, self._invocation.locale))
            case _:
                return Targets(person=self.person(option, word))

    # --- texts --------------------------------------------------------------------------------------------------

    def text(self, parameter: Parameter, words: Sequence[Word]) -> Any:
        """All these words as one text."""
        text = plain_text(" ".join(self._as_written(word) for word in words))
        if parameter.type is Note:
            self._must_be_a_note(text)
        most = longest(parameter.type)
        if len(text) > most:
            self.refuse("too_long", option=parameter.option.name, limit=most)
        return parameter.type(text)

    def _must_be_a_note(self, text: str) -> None:
        """What looks like a second amount or a count, or a word that belongs before the first, is no note."""
        if _COUNT.match(text) and any(option.kind is OptionKind.COUNT for option in self._spec.options):
            self.refuse("count", Code.INVALID_AMOUNT)
        if all(option.kind is not OptionKind.AMOUNT for option in self._spec.options):
            return
        if text[:1].isdigit():
            refuse_asked(Code.INVALID_AMOUNT, rule="note")
        if text.lower() in ("each", "split"):
            self.refuse("before_amount")

    def _as_written(self, word: Word) -> str:
        match word:
            case str():
                return word
            case Mention(person=person):
                return f"@{person.name}"
            case Unseen(name=name):
                return f"@{name}"
            case RoleMention(role=role):
                return f"@{role}"
            case Group(name=name):
                return f"@{name}"
            case Channel(name=name):
                return f"#{name}"
            case Attachment():
                return self.refuse("not_a_word", option="text")
