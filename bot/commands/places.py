"""`/channels` and `/roles map`: what the channels and roles of a platform are for, and how that reads."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from adapters.contract import Channel, FieldValue, Group, Reply
from bot.asked import Asked
from bot.commands.configuring import role_name
from bot.commands.registry import command, tells
from bot.telling import Done, Telling
from bot.wording import Words
from economy.rules.permissions import Right
from economy.rules.places import (
    ChannelSet,
    ChannelUse,
    MapRole,
    Notices,
    RoleMapped,
    TellIn,
    UseChannel,
    channels_used,
    notice_channels,
)
from economy.values import Role


class MappedRole(StrEnum):
    """The roles that a platform's role can stand for, in the words of people."""

    OWNER = Role.OWNER.value
    TREASURER = Role.TREASURER.value
    MODERATOR = Role.MODERATOR.value
    AUDITOR = Role.AUDITOR.value


# --- roles ----------------------------------------------------------------------------------------------------------


@command(name="roles map", right=Right.APPOINT, examples=("roles map @Mods moderator",))
async def map_role(
    asked: Asked,
    group: Annotated[Group, "which role of this platform"],
    role: Annotated[MappedRole, "what its holders are here, as long as they hold it"],
) -> Reply:
    """Let everyone who holds a role on this platform be staff here."""
    return await asked.submit(MapRole(by=asked.by, group=group.native_id, name=group.name, role=Role(role)))


@command(name="roles unmap", right=Right.APPOINT, examples=("roles unmap @Mods",))
async def unmap_role(asked: Asked, group: Annotated[Group, "which role of this platform"]) -> Reply:
    """Let a role on this platform mean nothing here again."""
    return await asked.submit(MapRole(by=asked.by, group=group.native_id, name=group.name, role=None))


@tells(RoleMapped)
def role_mapped(receipt: RoleMapped, done: Done, words: Words) -> Telling:
    group = words.called(receipt.group)
    if receipt.role is None:
        line = words.line("The role {group} means nothing here any more.", group=group)
    else:
        line = words.line("Whoever holds {group} is {role} here.", group=group, role=role_name(receipt.role, words))
    role: FieldValue = None if receipt.role is None else str(receipt.role)
    return Telling(nodes=(line,), fields={"group": receipt.group, "role": role})


# --- channels -------------------------------------------------------------------------------------------------------


@command(right=Right.SETTINGS)
async def channels(asked: Asked) -> Reply:
    """See what the channels here are for."""
    asked.must_be_allowed(Right.SETTINGS)
    words, flags = asked.words, asked.reader.community_flags
    lines = [
        words.line("#{channel}: {use}", channel=words.called(name), use=use_name(use, words))
        for use, name in channels_used(flags)
    ]
    told: dict[str, FieldValue] = {}
    for notices in Notices:
        named = [name for _, _, _, name in notice_channels(flags, notices)]
        told[str(notices)] = [*named]
        lines += [
            words.line("#{channel}: {use}", channel=words.called(name), use=notices_name(notices, words))
            for name in named
        ]
    if not lines:
        lines = [words.line("Commands are answered in every channel. /channels set changes that for one.")]
    uses: list[FieldValue] = [[str(use), name] for use, name in channels_used(flags)]
    return asked.reply(Telling(nodes=tuple(lines), fields={"uses": uses, **told}))


@command(name="channels set", right=Right.SETTINGS, examples=("channels set #chat private",))
async def set_channel(
    asked: Asked,
    channel: Annotated[Channel, "which channel"],
    use: Annotated[ChannelUse, "all commands, answers that only the asker sees, or none"],
) -> Reply:
    """Say what commands are answered in a channel."""
    return await asked.submit(UseChannel(by=asked.by, channel=channel.native_id, name=channel.name, use=use))


@command(name="channels announcements", right=Right.SETTINGS, examples=("channels announcements #gifts",))
async def announcements(
    asked: Asked, channel: Annotated[Channel | None, "where large gifts are announced; nowhere if left out"] = None
) -> Reply:
    """Announce large gifts in a channel; from how many coins on, the setting announce_from says."""
    return await _tell_in(asked, Notices.ANNOUNCEMENTS, channel)


@command(name="channels log", right=Right.SETTINGS, examples=("channels log #staff",))
async def log(
    asked: Asked, channel: Annotated[Channel | None, "where all that staff does is told; nowhere if left out"] = None
) -> Reply:
    """Tell in a channel what staff does: corrections, undos, freezes, settings and roles."""
    return await _tell_in(asked, Notices.LOG, channel)


async def _tell_in(asked: Asked, notices: Notices, channel: Channel | None) -> Reply:
    return await asked.submit(
        TellIn(
            by=asked.by,
            place=asked.invocation.place.native_id,
            notices=notices,
            channel=None if channel is None else channel.native_id,
            name="" if channel is None else channel.name,
        )
    )


@tells(ChannelSet)
def channel_set(receipt: ChannelSet, done: Done, words: Words) -> Telling:
    name = words.called(receipt.name or "")
    if receipt.notices is not None:
        use = notices_name(receipt.notices, words)
        if receipt.name is None:
            line = words.line("Told nowhere any more: {use}.", use=use)
        else:
            line = words.line("From now on in #{channel}: {use}.", channel=name, use=use)
    else:
        line = words.line(
            "From now on in #{channel}: {use}.",
            channel=name,
            use=use_name(receipt.use or ChannelUse.COMMANDS, words),
        )
    fields: dict[str, FieldValue] = {
        "channel": receipt.name,
        "use": None if receipt.use is None else str(receipt.use),
        "notices": None if receipt.notices is None else str(receipt.notices),
    }
    return Telling(nodes=(line,), fields=fields)


def use_name(use: ChannelUse, words: Words) -> str:
    """What commands are answered."""
    match use:
        case ChannelUse.COMMANDS:
            return words.text("all commands")
        case ChannelUse.PRIVATE:
            return words.text("answers that only the asker sees")
        case ChannelUse.NONE:
            return words.text("no commands")


def notices_name(notices: Notices, words: Words) -> str:
    """What is told unasked."""
    match notices:
        case Notices.ANNOUNCEMENTS:
            return words.text("announcements")
        case Notices.LOG:
            return words.text("what staff does")
