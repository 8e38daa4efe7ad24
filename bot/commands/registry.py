"""Where commands, the telling of receipts and the wording of questions are registered, and read back.

A command is one typed async function. Its signature is its options, the first line of its docstring its help:

    @command(aliases=("give", "pay"), visibility=Visibility.PUBLIC, feature=Feature.TIPPING, examples=("tip @bo 50",))
    async def tip(
        asked: Asked,
        to: Annotated[Receivers, "who gets it"],
        *,
        how: Annotated[Literal["each", "split"], "whether each gets the amount, or they share it"] = "each",
        amount: Annotated[AmountWord, "how much: 50, 1,000, 2.5k, all or half"],
        note: Annotated[Note, "a few words with it"] = NO_NOTE,
    ) -> Reply:
        '''Send coins from your wallet to one or more members.'''

`name` is given where it is not the function's: `@command(name="coins add")`. Options after `*` may stand in any
order of optional and required.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from msgspec import Struct

from adapters.contract import Channel, CommandSpec, Group, Option, OptionKind, Reply, Visibility
from bot.options import PAGE_MAX, Count, GiftName, Page, Receivers, Rest, SettingName, Targets, longest
from bot.telling import Done, Telling
from bot.wording import Words
from economy.ledger import Receipt
from economy.rules.permissions import Right
from economy.settings import Feature
from economy.values import COINS_MAX, AmountWord, Coins, EntryNumber, Note, Reason, Sighting

BOUNDS: dict[OptionKind, tuple[int, int]] = {
    OptionKind.COINS: (0, COINS_MAX),
    OptionKind.COUNT: (1, COINS_MAX),
    OptionKind.PAGE: (1, PAGE_MAX),
}
"""The least and the most of options that are numbers and nothing else."""

R = TypeVar("R", bound=Receipt)
Run = Callable[..., Awaitable[Reply]]
RunT = TypeVar("RunT", bound=Run)
Teller = Callable[[R, Done, Words], Telling]
TellerT = TypeVar("TellerT", bound=Callable[..., Telling])

KIND_OF: dict[object, OptionKind] = {
    Sighting: OptionKind.MEMBER,
    Receivers: OptionKind.RECEIVERS,
    Targets: OptionKind.TARGETS,
    AmountWord: OptionKind.AMOUNT,
    Coins: OptionKind.COINS,
    Count: OptionKind.COUNT,
    Page: OptionKind.PAGE,
    GiftName: OptionKind.GIFT,
    EntryNumber: OptionKind.RECEIPT,
    SettingName: OptionKind.SETTING,
    datetime: OptionKind.TIME,
    Group: OptionKind.GROUP,
    Channel: OptionKind.CHANNEL,
    str: OptionKind.WORD,
    Note: OptionKind.TEXT,
    Reason: OptionKind.TEXT,
    Rest: OptionKind.TEXT,
}


class Parameter(Struct, frozen=True):
    """A command's option together with the type that its function wants."""

    option: Option
    type: Any


class Command(Struct, frozen=True):
    """A command: what doors see of it, and the function that carries it out."""

    spec: CommandSpec
    parameters: tuple[Parameter, ...]
    run: Run

    @property
    def word(self) -> str:
        """The first word of its name: what replies call it."""
        return self.spec.name.partition(" ")[0]


class _Tell(Struct, frozen=True):
    teller: Callable[..., Telling]
    visibility: Visibility | None


_commands: dict[str, Command] = {}
_tellers: dict[type[Receipt], _Tell] = {}
_askers: dict[type[Receipt], Callable[..., Telling]] = {}


def command(
    *,
    name: str = "",
    aliases: tuple[str, ...] = (),
    visibility: Visibility = Visibility.PRIVATE,
    feature: Feature | None = None,
    right: Right | None = None,
    examples: tuple[str, ...] = (),
    in_menu: bool = False,
) -> Callable[[RunT], RunT]:
    """Registers a command. `examples` are command lines without the slash."""

    def register(run: RunT) -> RunT:
        called = name or run.__name__
        parameters = _parameters(run)
        spec = CommandSpec(
            name=called,
            topic=run.__module__.rpartition(".")[2],
            help=(inspect.getdoc(run) or "").partition("\n")[0],
            options=tuple(parameter.option for parameter in parameters),
            aliases=aliases,
            visibility=visibility,
            right=right,
            feature=feature,
            examples=examples,
            in_menu=in_menu,
        )
        for taken in (called, *aliases):
            if taken in _commands:
                raise ValueError(f"two commands are called {taken}")
            _commands[taken] = Command(spec, parameters, run)
        return run

    return register


def tells(receipt: type[Receipt], *, visibility: Visibility | None = None) -> Callable[[TellerT], TellerT]:
    """Registers how a receipt reads: a function of (receipt, done, words). Its visibility is the command's unless
    given."""

    def register(teller: TellerT) -> TellerT:
        _tellers[receipt] = _Tell(teller, visibility)
        return teller

    return register


def asks(receipt: type[Receipt]) -> Callable[[TellerT], TellerT]:
    """Registers how the question reads that comes before such a receipt; `done.why` says why it is asked."""

    def register(asker: TellerT) -> TellerT:
        _askers[receipt] = asker
        return asker

    return register


# --- reading back -------------------------------------------------------------------------------------------


@cache
def _load() -> None:
    package = importlib.import_module("bot.commands")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"bot.commands.{module.name}")


def commands() -> dict[str, Command]:
    """Every command by its name and each alias."""
    _load()
    return _commands


def commands_of(word: str) -> list[Command]:
    """The commands whose names begin with a word: the one called so first, else those of its group."""
    own = commands().get(word)
    group = [found for name, found in commands().items() if name.startswith(f"{word} ")]
    return [own, *group] if own is not None else group


def specs() -> tuple[CommandSpec, ...]:
    """Every command once, by name."""
    return tuple(sorted({id(found.spec): found.spec for found in commands().values()}.values(), key=_by_name))


def teller_of(receipt: type[Receipt]) -> tuple[Callable[..., Telling], Visibility | None]:
    """How a receipt reads. Raises KeyError for one that no topic tells: a test knows them all."""
    _load()
    found = _tellers[receipt]
    return found.teller, found.visibility


def asker_of(receipt: type[Receipt]) -> Callable[..., Telling]:
    """How its question reads. Raises KeyError where no rule asks."""
    _load()
    return _askers[receipt]


def _by_name(spec: CommandSpec) -> str:
    return spec.name


# --- reading signatures -------------------------------------------------------------------------------------


def _parameters(run: Run) -> tuple[Parameter, ...]:
    hints = get_type_hints(run, include_extras=True)
    found = []
    for parameter in list(inspect.signature(run).parameters.values())[1:]:
        kind, words = _documented(hints[parameter.name])
        bare = _without_none(kind)
        required = parameter.default is inspect.Parameter.empty
        option_kind = _kind_of(bare)
        least, most = BOUNDS.get(option_kind, (None, None))
        option = Option(
            name=parameter.name,
            kind=option_kind,
            required=required,
            help=words,
            choices=choices_of(bare),
            longest=longest(bare) if option_kind is OptionKind.TEXT else None,
            least=least,
            most=most,
        )
        found.append(Parameter(option, bare))
    return tuple(found)


def _documented(hint: Any) -> tuple[Any, str]:
    if get_origin(hint) is Annotated:
        kind, words = get_args(hint)[:2]
        return kind, str(words)
    return hint, ""


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (UnionType, typing.Union):
        bare = [argument for argument in get_args(hint) if argument is not NoneType]
        if len(bare) == 1:
            return bare[0]
    return hint


def _kind_of(hint: Any) -> OptionKind:
    if get_origin(hint) is Literal or (isinstance(hint, type) and issubclass(hint, StrEnum)):
        return OptionKind.CHOICE
    return KIND_OF[hint]


def choices_of(hint: Any) -> tuple[str, ...]:
    """What a choice may be, as people write it; empty for other options."""
    if get_origin(hint) is Literal:
        return tuple(str(choice) for choice in get_args(hint))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return tuple(str(choice) for choice in hint)
    return ()
