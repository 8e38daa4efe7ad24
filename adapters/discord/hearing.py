"""What Discord says of people and of what they did -> the contract's words. Nobody's name is ever asked for: each
interaction carries those of everyone whom it names."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import discord
import structlog
from msgspec import Struct

from adapters.contract import ATTACHMENT_BYTES_MAX, Attachment, Channel, Group, Hint, Mention, OptionKind, Word
from adapters.discord.sending import BrokenLine
from adapters.discord.settings import PLATFORM
from adapters.discord.tree import PRIVATE, Kind, Leaf, Slot
from economy.service import Identity, Place, Role, Sighting

MEMBERS_WITHIN_S: Final = 10.0
"""How long Discord may take to tell who is in a server."""

_USER = re.compile(r"<@!?([0-9]{1,20})>")

Payload = Mapping[str, Any]

_log = structlog.get_logger("adapters.discord")


class HeardError(Exception):
    """Something was sent that cannot be taken; the hint says why."""

    def __init__(self, hint: Hint) -> None:
        super().__init__(str(hint))
        self.hint = hint


class Facts(Struct, frozen=True):
    """Who acts, where, and what Discord itself says of them there at this moment."""

    person: Sighting
    place: Place
    standing: frozenset[Role]
    held: frozenset[str]
    channel: str | None
    locale: str
    place_name: str = ""


def place_of(guild_id: int) -> Place:
    return Place(PLATFORM, str(guild_id))


def identity_of(user_id: int | str) -> Identity:
    return Identity(PLATFORM, str(user_id))


def sighting_of(user: discord.User | discord.Member, *, present: bool | None = None) -> Sighting:
    """Somebody as Discord describes them; a member is in the server."""
    is_there = isinstance(user, discord.Member) if present is None else present
    return Sighting(identity_of(user.id), user.display_name, user.bot, present=is_there)


def locale_of(locale: discord.Locale | str | None) -> str:
    """A locale's tag as we write them: `pt-BR` -> `pt_BR`; all that is English is `en`, in which our texts are."""
    language, _, region = str(locale or "en").partition("-")
    return f"{language}_{region}" if region and language != "en" else language


def facts_of(
    guild: discord.Guild | None,
    guild_id: int,
    user: discord.User | discord.Member,
    *,
    is_administrator: bool,
    operators: frozenset[int],
    channel_id: int | None,
    locale: str,
) -> Facts:
    """What is true of whoever acts, told by Discord with the act itself: nothing older is believed."""
    standing = set()
    if user.id in operators:
        standing.add(Role.OPERATOR)
    held = frozenset(str(role.id) for role in user.roles) if isinstance(user, discord.Member) else frozenset[str]()
    if guild is not None and guild.owner_id == user.id:
        standing.add(Role.OWNER)
    elif is_administrator:
        standing.add(Role.ADMINISTRATOR)
    return Facts(
        person=sighting_of(user),
        place=place_of(guild_id),
        standing=frozenset(standing),
        held=held,
        channel=None if channel_id is None else str(channel_id),
        locale=locale,
        place_name="" if guild is None else guild.name or "",
    )


# --- options --------------------------------------------------------------------------------------------------------


class Used(Struct, frozen=True):
    """A command as it was used: its options as Discord sent them, by the names they have there."""

    path: tuple[str, ...]
    values: dict[str, Any]
    is_private: bool
    focused: str | None = None


def used(data: Payload) -> Used:
    """Which command an interaction's data names, and what was filled in."""
    path = [str(data["name"])]
    options: Sequence[Payload] = data.get("options") or ()
    while len(options) == 1 and options[0]["type"] == Kind.SUBCOMMAND:
        path.append(str(options[0]["name"]))
        options = options[0].get("options") or ()
    values = {str(option["name"]): option.get("value") for option in options}
    focused = next((str(option["name"]) for option in options if option.get("focused")), None)
    return Used(tuple(path), values, bool(values.pop(PRIVATE, False)), focused)


class Resolved:
    """The people, roles, channels and files that an interaction names."""

    def __init__(self, data: Payload, guild: discord.Guild | None) -> None:
        self._found: Mapping[str, Mapping[str, Any]] = data.get("resolved") or {}
        self._guild = guild

    def person(self, user_id: str) -> Sighting | None:
        """With the name they have on the server; whoever is not a member is not there."""
        user = self._found.get("users", {}).get(user_id)
        if user is None:
            return None
        member = self._found.get("members", {}).get(user_id)
        name = (member or {}).get("nick") or user.get("global_name") or user["username"]
        return Sighting(identity_of(user_id), str(name), bool(user.get("bot")), present=member is not None)

    def role(self, role_id: str) -> Payload | None:
        return self._found.get("roles", {}).get(role_id)

    def channel(self, channel_id: str) -> Channel:
        found = self._found.get("channels", {}).get(channel_id, {})
        return Channel(channel_id, str(found.get("name") or channel_id))

    def file(self, attachment_id: str) -> Payload | None:
        return self._found.get("attachments", {}).get(attachment_id)


async def options_of(
    leaf: Leaf, values: Mapping[str, Any], resolved: Resolved, guild: discord.Guild | None, http: discord.Client
) -> dict[str, Word | tuple[Word, ...]]:
    """The options of a spec for what was filled in. Raises HeardError for a file that cannot be taken."""
    found: dict[str, list[Word]] = {}
    for name, value in values.items():
        slot = leaf.slots.get(name)
        if slot is not None and value is not None:
            found.setdefault(slot.option.name, []).append(await _word(slot, value, resolved, guild, http))
    return {name: words[0] if len(words) == 1 else tuple(words) for name, words in found.items()}


async def _word(
    slot: Slot, value: object, resolved: Resolved, guild: discord.Guild | None, client: discord.Client
) -> Word:
    text = str(value)
    match slot.kind:
        case Kind.USER | Kind.MENTIONABLE | Kind.ROLE:
            if (person := resolved.person(text)) is not None:
                return Mention(person)
            if (role := resolved.role(text)) is not None:
                wants_holders = slot.option.kind is not OptionKind.GROUP
                return await group_of(int(text), str(role["name"]), guild, client, with_holders=wants_holders)
            return Mention(Sighting(identity_of(text), text, present=False))
        case Kind.CHANNEL:
            return resolved.channel(text)
        case Kind.ATTACHMENT:
            return await attached(resolved.file(text) or {}, client)
        case _:
            return text


async def group_of(
    role_id: int,
    name: str,
    guild: discord.Guild | None,
    client: discord.Client,
    *,
    with_holders: bool,
    within_s: float = MEMBERS_WITHIN_S,
) -> Group:
    """A role of the server's. Who holds it is asked of Discord now, where the members intent is on; without it
    nobody tells, and neither does a Discord that does not answer."""
    holders = None
    if with_holders and guild is not None and client.intents.members:
        members = await _members_of(guild, within_s)
        if members is not None:
            holders = tuple(
                sighting_of(member)
                for member in members
                if role_id == guild.id or any(role.id == role_id for role in member.roles)
            )
    return Group(str(role_id), name, holders)


async def _members_of(guild: discord.Guild, within_s: float) -> list[discord.Member] | None:
    """Everyone in the server, asked of Discord now; None where it does not tell."""
    try:
        async with asyncio.timeout(within_s):
            return await guild.chunk(cache=False) or []
    except (discord.ConnectionClosed, *BrokenLine) as error:
        _log.info("members not told", guild=guild.id, error=type(error).__name__)
        # The library would have whoever asks next wait for this answer as well, and ask no more.
        guild._state._chunk_requests.pop(guild.id, None)
        return None


async def attached(file: Payload, client: discord.Client) -> Attachment:
    """A file, read. Raises HeardError, for one that is too large before it is read."""
    if not file:
        raise HeardError(Hint.FILE_UNREADABLE)
    if int(file.get("size") or 0) > ATTACHMENT_BYTES_MAX:
        raise HeardError(Hint.FILE_TOO_LARGE)
    try:
        content = await client.http.get_from_cdn(str(file["url"]))
    except (discord.HTTPException, OSError, *BrokenLine) as error:
        raise HeardError(Hint.FILE_UNREADABLE) from error
    if len(content) > ATTACHMENT_BYTES_MAX:
        raise HeardError(Hint.FILE_TOO_LARGE)
    return Attachment(str(file["filename"]), content, native_id_in_file)


def native_id_in_file(text: str) -> str:
    """How a member is written in a file: by id, bare or as a mention."""
    found = _USER.fullmatch(text) or _USER.fullmatch(f"<@{text.strip('<@!>')}>")
    return found[1] if found else text


# --- messages -------------------------------------------------------------------------------------------------------

_CUT = re.compile(r"[ \t\n\r\x0b\x0c]+")
_TOKEN = re.compile(r"<(@!?|@&|#)([0-9]{1,20})>")


def addressed(message: discord.Message, me: int) -> str | None:
    """What is said to the bot by a message that begins by mentioning it; None for any other."""
    text = message.content.lstrip()
    for mention in (f"<@{me}>", f"<@!{me}>"):
        if text.startswith(mention):
            return text.removeprefix(mention).strip()
    return None


def cut(text: str) -> list[str]:
    """`text` cut at ASCII white space, a mention always a word of its own."""
    apart = re.sub(r"(?<=\S)(<(?:@[!&]?|#)[0-9]{1,20}>)", r" \1", text)
    return [word for word in _CUT.split(re.sub(r"(<(?:@[!&]?|#)[0-9]{1,20}>)(?=\S)", r"\1 ", apart)) if word]


async def words_of(words: Iterable[str], message: discord.Message, client: discord.Client) -> list[Word]:
    """The words of a message, those whom it mentions as Discord resolved them. A channel that the message's server does
    not have stays a bare word."""
    people = {user.id: user for user in message.mentions}
    roles = {role.id: role for role in message.role_mentions}
    found: list[Word] = []
    for word in words:
        token = _TOKEN.fullmatch(word)
        number = int(token[2]) if token else 0
        if token is None:
            found.append(word)
        elif token[1] == "#":
            # Anybody can write the number of a channel elsewhere, so only this server's own are channels here.
            channel = message.guild.get_channel_or_thread(number) if message.guild else None
            found.append(word if channel is None else Channel(token[2], channel.name))
        elif token[1] == "@&":
            name = roles[number].name if number in roles else token[2]
            found.append(await group_of(number, name, message.guild, client, with_holders=True))
        elif number in people:
            found.append(Mention(sighting_of(people[number])))
        else:
            found.append(Mention(Sighting(identity_of(number), token[2], present=False)))
    return found


def replied_to(message: discord.Message) -> Sighting | None:
    """Whose message this one answers. Discord says that they are there only where the answer mentions them."""
    answered = message.reference.resolved if message.reference is not None else None
    if not isinstance(answered, discord.Message):
        return None
    member = next((user for user in message.mentions if user.id == answered.author.id), answered.author)
    return Sighting(
        identity_of(member.id),
        member.display_name,
        member.bot,
        present=True if isinstance(member, discord.Member) else None,
    )
