"""Sheets -> messages, through the library, and what its errors mean."""

from __future__ import annotations

import io
import json
from typing import Any, Final

import aiohttp
import discord

from adapters.discord.rendering import Component, Sheet

ALREADY_ANSWERED: Final = 40060
UNKNOWN_INTERACTION: Final = 10062
UNKNOWN_WEBHOOK: Final = 10015
UNKNOWN_MESSAGE: Final = 10008
INVALID_TOKEN: Final = 50027
NO_DIRECT_MESSAGES: Final = 50007

GONE: Final = frozenset({UNKNOWN_INTERACTION, UNKNOWN_WEBHOOK, INVALID_TOKEN, UNKNOWN_MESSAGE})
"""Codes of an interaction that can be answered no more: its token died, or its answer was removed."""

BrokenLine = (
    aiohttp.ClientError,
    discord.DiscordServerError,
    TimeoutError,
    ConnectionError,
    json.JSONDecodeError,  # an answer that was cut off
)
"""Errors after which nobody knows whether a request was carried out."""


class Ready(discord.ui.LayoutView):
    """Components that are what they are. Whoever presses them is heard by their ids, so the library keeps none of
    them, and they work after any number of restarts."""

    def __init__(self, components: list[Component], *, is_layout: bool) -> None:
        # What the library would set up here serves views that wait for presses, at a third of a message's cost.
        self._ready = components
        self._is_ready_layout = is_layout

    def to_components(self) -> list[dict[str, Any]]:
        return self._ready

    def has_components_v2(self) -> bool:
        return self._is_ready_layout

    def is_dispatchable(self) -> bool:
        return False

    def is_finished(self) -> bool:
        return True


NOBODY: Final = discord.AllowedMentions.none()


def pinging(sheet: Sheet) -> discord.AllowedMentions:
    """Whom a message may tell of itself: nobody but those it addresses."""
    if not sheet.pings:
        return NOBODY
    people = [discord.Object(each) for each in sheet.pings]
    return discord.AllowedMentions(everyone=False, roles=False, users=people, replied_user=False)


def files_of(sheet: Sheet) -> list[discord.File]:
    return [
        discord.File(io.BytesIO(upload.content), upload.name, description=upload.words[:1_024] or None)
        for upload in sheet.uploads
    ]


def new(sheet: Sheet) -> dict[str, Any]:
    """The arguments that make a new message of a sheet."""
    told: dict[str, Any] = {"allowed_mentions": pinging(sheet)}
    if sheet.content is not None:
        told["content"] = sheet.content
    if sheet.components:
        told["view"] = Ready(sheet.components, is_layout=sheet.is_layout)
    if sheet.uploads:
        told["files"] = files_of(sheet)
    return told


def changed(sheet: Sheet) -> dict[str, Any]:
    """The arguments that turn a message into a sheet: nothing of what it was remains."""
    return {
        "content": sheet.content,
        "view": Ready(sheet.components, is_layout=sheet.is_layout),
        "attachments": files_of(sheet),
        "allowed_mentions": NOBODY,
    }
