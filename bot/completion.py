"""What an unfinished command could become: its next word, or one of its typed options."""

from __future__ import annotations

from adapters.contract import Invocation, Option, OptionKind, Suggestion
from bot.asked import standing_in
from bot.commands import registry
from bot.commands.registry import Command
from bot.gifts import gift_name
from bot.kinds import kind_name
from bot.naming import inert
from bot.wording import Words
from economy.catalogue import catalogue
from economy.rules.permissions import Right, may
from economy.service import Economy
from economy.settings import SETTINGS, Feature
from economy.values import receipt_id
from economy.views import Reader

COMPLETIONS_MAX = 25


async def completions(economy: Economy, invocation: Invocation) -> list[str]:
    """What the last word could become, best first. Without words the command's own name is completed.

    Members come as `@name`, commands without a slash. The last word is empty where a new one begins.
    """
    reader = await economy.reads.reader(invocation.place, invocation.person.identity)
    if not invocation.words:
        return _best(_command_names(reader, invocation), invocation.command)
    *before, last = invocation.words
    typed = last if isinstance(last, str) else ""
    name, depth = invocation.command.casefold(), 0
    found = _group(name, reader, invocation) if not before else []
    if before and isinstance(before[0], str) and f"{name} {before[0].casefold()}" in registry.commands():
        name, depth = f"{name} {before[0].casefold()}", 1
    command = registry.commands().get(name)
    if command is not None:
        for option in _options_at(command, len(before) - depth):
            found += await _values(economy, invocation, reader, option)
    return _best(found, typed)


def _options_at(command: Command, position: int) -> list[Option]:
    """What the word at a position may be: options before it may have been left out, and receivers may be several."""
    found: list[Option] = []
    required = 0
    takes_several = False
    for number, option in enumerate(command.spec.options):
        takes_several |= option.kind is OptionKind.RECEIVERS
        if required <= position and (number >= position or takes_several):
            found.append(option)
        required += option.required
    return found


def _command_names(reader: Reader, invocation: Invocation) -> list[str]:
    """The first words of all commands that are on and that this person may give."""
    return [
        found.partition(" ")[0]
        for found, command in registry.commands().items()
        if _is_open(command, reader, invocation)
    ]


def _group(name: str, reader: Reader, invocation: Invocation) -> list[str]:
    return [
        found.partition(" ")[2]
        for found, command in registry.commands().items()
        if found.startswith(f"{name} ") and _is_open(command, reader, invocation)
    ]


def _is_open(command: Command, reader: Reader, invocation: Invocation) -> bool:
    spec = command.spec
    on = spec.feature is None or reader.settings.feature_on(Feature(spec.feature))
    return on and (spec.right is None or may(reader.roles | standing_in(invocation, reader), Right(spec.right)))


async def _values(economy: Economy, invocation: Invocation, reader: Reader, option: Option) -> list[str]:
    match option.kind:
        case OptionKind.MEMBER | OptionKind.RECEIVERS | OptionKind.TARGETS:
            return [f"@{named.name}" for named in await economy.reads.names(invocation.place)]
        case OptionKind.AMOUNT:
            return ["all", "half"]
        case OptionKind.CHOICE:
            return list(option.choices)
        case OptionKind.GIFT:
            return [gift.slug for gift in catalogue(reader.community_flags)]
        case OptionKind.SETTING:
            return list(SETTINGS)
        case _:
            return []


def _best(found: list[str], typed: str) -> list[str]:
    """Those that begin with what was typed, then those that hold it; each once."""
    wanted = typed.casefold().lstrip("@")
    once = list(dict.fromkeys(found))
    begin = [text for text in once if text.casefold().lstrip("@").startswith(wanted)]
    hold = [text for text in once if wanted in text.casefold() and text not in begin]
    return [*begin, *hold][:COMPLETIONS_MAX]


# --- typed options ------------------------------------------------------------------------------------------

LABEL_LENGTH_MAX = 100
SINCE = ("1h", "2h", "1d", "7d", "30d")


async def suggestions(economy: Economy, invocation: Invocation, option: str) -> list[Suggestion]:
    """What an option of a typed command could be, best first: whatever holds what was typed of it so far."""
    reader = await economy.reads.reader(invocation.place, invocation.person.identity)
    command = registry.commands().get(invocation.command.casefold())
    if command is None or not _is_open(command, reader, invocation):
        return []
    wanted = next((each for each in command.spec.options if each.name == option), None)
    if wanted is None:
        return []
    words = Words(invocation.locale, reader.settings, now=economy.clock.now())
    given = (invocation.options or {}).get(option)
    typed = given.casefold().strip() if isinstance(given, str) else ""
    found = await _suggested(economy, invocation, reader, command, wanted, words)
    fits = [each for each in found if typed in each.value.casefold() or typed in each.label.casefold()]
    fits.sort(key=lambda each: not each.value.casefold().startswith(typed))
    return fits[:COMPLETIONS_MAX]


async def _suggested(
    economy: Economy, invocation: Invocation, reader: Reader, command: Command, option: Option, words: Words
) -> list[Suggestion]:
    match option.kind:
        case OptionKind.GIFT:
            return await _gifts(economy, reader, words)
        case OptionKind.RECEIPT:
            return await _receipts(economy, reader, words)
        case OptionKind.SETTING:
            return [_labelled(name, f"{name}: {words.text(setting.doc)}") for name, setting in SETTINGS.items()]
        case OptionKind.TIME:
            return [Suggestion(each, each) for each in SINCE]
        case OptionKind.TEXT if command.spec.name == "help":
            return [
                _labelled(name, f"/{name}: {words.text(each.spec.help)}")
                for name, each in registry.commands().items()
                if name == each.spec.name and _is_open(each, reader, invocation)
            ]
        case _:
            return [Suggestion(each, each) for each in await _values(economy, invocation, reader, option)]


async def _gifts(economy: Economy, reader: Reader, words: Words) -> list[Suggestion]:
    """What the balance affords first, each half by price."""
    spendable = 0
    if reader.community_id is not None and reader.member_id is not None:
        wallet = await economy.reads.balance(reader.community_id, reader.member_id, economy.clock.now())
        spendable = wallet.coin + wallet.bonus
    gifts = sorted(catalogue(reader.community_flags), key=lambda gift: (gift.price > spendable, gift.price))
    return [
        _labelled(gift.slug, f"{gift.emoji} {gift_name(gift.slug, words)} ({words.coins(gift.price)})")
        for gift in gifts
    ]


async def _receipts(economy: Economy, reader: Reader, words: Words) -> list[Suggestion]:
    """One's own latest entries, with what they were."""
    if reader.community_id is None or reader.member_id is None:
        return []
    page = await economy.reads.history(reader.community_id, reader.member_id, size=COMPLETIONS_MAX)
    shown = await economy.reads.shown(
        reader.community_id, sorted({member for row in page.rows for member in row.counterparts})
    )
    found: dict[str, Suggestion] = {}
    for row in page.rows:
        names = ", ".join(inert(shown[member].name) for member in row.counterparts if member in shown)
        number = receipt_id(row.number)
        label = f"{number}: {kind_name(row.kind, words)} {words.signed(row.amount)} {names}".rstrip()
        found.setdefault(number, _labelled(number, label))
    return list(found.values())


def _labelled(value: str, label: str) -> Suggestion:
    return Suggestion(value, label if len(label) <= LABEL_LENGTH_MAX else f"{label[: LABEL_LENGTH_MAX - 1]}…")
