"""What `florin doctor` says of the bot on Discord. Pure."""

from __future__ import annotations

from typing import Final

from adapters.discord.found import DiscordState, invite_link
from bot.findings import Finding, State, ownership
from bot.logs import escaped

GUILDS_NAMED_MAX: Final = 10
"""How many servers that lack something are named."""


def examined_on_discord(found: DiscordState, known: str | None = None) -> tuple[Finding, ...]:
    """What there is to say of it; `known` is the application that the store is for, if it is for one."""
    if found.problem is not None:
        return (Finding("discord", State.WRONG, found.problem),)
    link = invite_link(found.application_id)
    return (
        Finding("discord", State.OK, f"the token is that of {found.name}, application {found.application_id}"),
        *ownership("discord", str(found.application_id), known),
        *_interactions(found),
        _intents(found),
        _commands(found),
        *_guilds(found, link),
    )


def _interactions(found: DiscordState) -> tuple[Finding, ...]:
    if not found.interactions_go_elsewhere:
        return ()
    words = "an interactions endpoint is set in the developer portal, so commands do not arrive here: empty that field"
    return (Finding("discord interactions", State.WRONG, words),)


def _intents(found: DiscordState) -> Finding:
    if found.wants_members_intent and not found.has_members_intent:
        words = (
            "FLORIN_DISCORD__MEMBERS_INTENT is on, and Discord does not give it: switch the Server Members Intent on in"
            " the developer portal, or unset the variable"
        )
        return Finding("discord intents", State.WRONG, words)
    if not found.wants_members_intent:
        words = "none that need leave; who leaves is noticed when Discord next says so, and roles cannot be tipped"
        return Finding("discord intents", State.OK, words)
    return Finding("discord intents", State.OK, "the members intent, which Discord gives")


def _commands(found: DiscordState) -> Finding:
    if found.commands_in_sync:
        return Finding("discord commands", State.OK, "Discord has the commands of this release")
    words = "Discord has others than this release; `florin run` tells it when it starts"
    return Finding("discord commands", State.WARNING, words)


def _guilds(found: DiscordState, link: str) -> tuple[Finding, ...]:
    if not found.guilds:
        return (Finding("discord servers", State.WARNING, f"it is in no server yet; add it with {link}"),)
    lacking = [guild for guild in found.guilds if guild.lacking]
    if not lacking:
        return (Finding("discord servers", State.OK, f"it may do what it needs in all {len(found.guilds)}"),)
    told = [
        Finding("discord servers", State.WRONG, f"{escaped(guild.name)} lacks {', '.join(guild.lacking)}")
        for guild in lacking[:GUILDS_NAMED_MAX]
    ]
    if len(lacking) > GUILDS_NAMED_MAX:
        told.append(Finding("discord servers", State.WRONG, f"and {len(lacking) - GUILDS_NAMED_MAX} more"))
    return (*told, Finding("discord servers", State.WARNING, f"its owner can add it again with all of it: {link}"))
