"""Words and typed options -> what a command function gets. Pure: the moment is an argument.

Words are bound to options in order. An optional option that the next word cannot be is skipped; `name:value` and
`name=value` set an optional one directly; a text takes all that is left. Whatever does not fit is refused, with
how the command is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.contract import Channel, Group, Invocation, Mention, OptionKind, Word
from bot.commands.registry import Command, Parameter
from bot.meanings import ID_PREFIX, Meanings, names_someone
from bot.options import Targets
from economy.refusals import Code
from economy.values import Sighting

_MEANT_AS = {Group: OptionKind.GROUP, Channel: OptionKind.CHANNEL}

_NO_NAMES = frozenset({"all", "half", "each", "split"})
"""Words that may follow where somebody should have been named."""


def parse(command: Command, invocation: Invocation, now: datetime, time_zone: str) -> dict[str, Any]:
    """The arguments for a command's function, by name; options that were left out are missing.

    Raises `Refused`: `invalid_amount`, `unknown_member`, `unknown_receipt`, `ambiguous`, or `invalid_argument` with
    `usage`.
    """
    binder = _Binder(command, invocation, now, time_zone)
    if invocation.options is not None:
        return binder.typed(invocation.options)
    return binder.spoken(invocation.words)


class _Binder:
    def __init__(self, command: Command, invocation: Invocation, now: datetime, time_zone: str) -> None:
        self._command = command
        self._replied_to = invocation.replied_to
        self._meanings = Meanings(command.spec, invocation, now, time_zone)
        self._values: dict[str, Any] = {}
        self._words: list[Word] = []

    def typed(self, options: Mapping[str, Word | tuple[Word, ...]]) -> dict[str, Any]:
        """Each option by its name, as a door with typed options gives them."""
        for parameter in self._command.parameters:
            given = options.get(parameter.option.name)
            match given:
                case None | ():
                    self._leave_out(parameter)
                case tuple() if parameter.option.kind is OptionKind.RECEIVERS:
                    self._values[parameter.option.name] = self._meanings.receivers(parameter.option, given)
                case (word,):
                    self._values[parameter.option.name] = self._meanings.value(parameter, word)
                case tuple():
                    self._meanings.refuse("several", Code.AMBIGUOUS, option=parameter.option.name)
                case word:
                    self._values[parameter.option.name] = self._meanings.value(parameter, word)
        self._must_agree()
        return self._values

    def spoken(self, words: Sequence[Word]) -> dict[str, Any]:
        """All words, in order."""
        self._words = list(words)
        for parameter in self._command.parameters:
            self._take_named()
            if parameter.option.name not in self._values:
                self._bind(parameter)
        self._take_named()
        if self._words:
            options = [parameter.option for parameter in self._command.parameters]
            left_out = [option for option in options if option.name not in self._values]
            self._meanings.refuse_left_over(self._words[0], left_out)
        self._must_agree()
        return self._values

    # --- by name ------------------------------------------------------------------------------------------------

    def _take_named(self) -> None:
        """Takes `name:value` words from the front, as long as they name an optional option that has no value."""
        while self._words and isinstance(word := self._words[0], str):
            name, sign, value = word.partition(":" if ":" in word else "=")
            parameter = self._optional(name.lower()) if sign else None
            if parameter is None or parameter.option.name in self._values:
                return
            self._words.pop(0)
            given: Word = value or self._next_word(parameter)
            if parameter.option.kind is OptionKind.MEMBER and isinstance(given, str) and given.startswith("@"):
                # A door that does not look into words leaves `actor:@ana` whole: the name stands for the id.
                given = ID_PREFIX + given[1:]
            self._values[parameter.option.name] = self._meanings.value(parameter, given)

    def _optional(self, name: str) -> Parameter | None:
        """The optional option called so; a text is never named, as it takes all that is left."""
        for parameter in self._command.parameters:
            option = parameter.option
            if option.name == name and not option.required and option.kind is not OptionKind.TEXT:
                return parameter
        return None

    def _next_word(self, parameter: Parameter) -> Word:
        """`actor: @ana` comes as two words where the door resolves the second."""
        if not self._words:
            self._meanings.miss(parameter.option)
        return self._words.pop(0)

    # --- in order -----------------------------------------------------------------------------------------------

    def _bind(self, parameter: Parameter) -> None:
        option = parameter.option
        match option.kind:
            case OptionKind.TEXT if self._words:
                self._values[option.name] = self._meanings.text(parameter, self._words)
                self._words = []
            case OptionKind.RECEIVERS:
                self._bind_receivers(parameter)
            case OptionKind.MEMBER | OptionKind.TARGETS:
                self._bind_person(parameter)
            case _ if self._words and (option.required or self._is_meant(parameter, self._words[0])):
                self._values[option.name] = self._meanings.value(parameter, self._words.pop(0))
            case _:
                self._leave_out(parameter)

    def _is_meant(self, parameter: Parameter, word: Word) -> bool:
        """Whether a word is meant as this optional option; one that is meant and wrong is refused for it."""
        if not isinstance(word, str):
            return _MEANT_AS.get(type(word)) is parameter.option.kind
        match parameter.option.kind:
            case OptionKind.CHOICE:
                return word.lower() in parameter.option.choices
            case OptionKind.PAGE:
                return word.isascii() and word.isdigit()
            case OptionKind.COUNT:
                return word[:1] in ("x", "X") and not word[1:2].isalpha() and len(word) > 1
            case OptionKind.RECEIPT | OptionKind.TIME:
                return word[:1].isdigit()
            case OptionKind.COINS:
                # Whatever stands where an amount stands is meant as one; a file's rows have their own.
                return not self._has_file()
            case _:
                return True

    def _bind_receivers(self, parameter: Parameter) -> None:
        named: list[Word] = []
        while self._words and names_someone(self._words[0]):
            named.append(self._words.pop(0))
        if not named and self._replied_to is not None:
            named = [Mention(self._replied_to)]
        if not named:
            self._must_not_be_a_bare_name(parameter)
            self._leave_out(parameter)
            return
        receivers = self._meanings.receivers(parameter.option, named)
        self._must_answer_the_same(receivers.people)
        self._values[parameter.option.name] = receivers

    def _bind_person(self, parameter: Parameter) -> None:
        option = parameter.option
        if self._words and (option.kind is OptionKind.TARGETS or names_someone(self._words[0])):
            found = self._meanings.value(parameter, self._words.pop(0))
            if self._words and isinstance(self._words[0], Mention) and not self._another_follows(parameter):
                self._meanings.refuse("several", Code.AMBIGUOUS, option=option.name)
            if option.required and isinstance(found, Sighting):
                self._must_answer_the_same((found,))
            self._values[option.name] = found
        elif option.required and option.kind is OptionKind.MEMBER and self._replied_to is not None:
            self._values[option.name] = self._replied_to
        else:
            self._must_not_be_a_bare_name(parameter)
            self._leave_out(parameter)

    def _must_not_be_a_bare_name(self, parameter: Parameter) -> None:
        """Tells whoever left out the @ so, where somebody has to be named."""
        word = self._words[0] if self._words and parameter.option.required else None
        if isinstance(word, str) and word[:1].isalpha() and word.lower() not in _NO_NAMES:
            self._meanings.refuse("not_a_member", option=parameter.option.name)

    def _another_follows(self, parameter: Parameter) -> bool:
        following = self._command.parameters[self._command.parameters.index(parameter) + 1 :]
        return bool(following) and following[0].option.kind is OptionKind.MEMBER

    def _must_answer_the_same(self, named: Sequence[Sighting]) -> None:
        """A reply to one person that names another could mean either. Nobody means a bot whose message they answer."""
        if self._replied_to is None or self._replied_to.is_bot:
            return
        if any(person.identity != self._replied_to.identity for person in named):
            self._meanings.refuse("reply", Code.AMBIGUOUS)

    # --- what is left out ----------------------------------------------------------------------------------------

    def _leave_out(self, parameter: Parameter) -> None:
        if parameter.option.required:
            self._meanings.miss(parameter.option)

    def _has_file(self) -> bool:
        return any(isinstance(value, Targets) and value.from_file for value in self._values.values())

    def _must_agree(self) -> None:
        """What a file says of amounts, the command must not say again; without a file it must."""
        targets = next((value for value in self._values.values() if isinstance(value, Targets)), None)
        coins = next((p.option for p in self._command.parameters if p.option.kind is OptionKind.COINS), None)
        if targets is None or coins is None:
            return
        if targets.from_file and coins.name in self._values:
            self._meanings.refuse("too_many")
        if not targets.from_file and coins.name not in self._values:
            self._meanings.miss(coins)
