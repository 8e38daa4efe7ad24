"""How an interaction is answered: directly if that is quick, after a placeholder if not, and somewhere else if its
token has died.

Discord waits three seconds for a first answer, which fixes whether everyone sees it; then fifteen minutes for more.
Whatever happens here, the money has moved already or has not: nothing is done twice by being told twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import discord
import structlog

from adapters.contract import Reply, Visibility
from adapters.discord.rendering import CONTENT_MAX, Sheet, from_place, rendered
from adapters.discord.sending import (
    ALREADY_ANSWERED,
    GONE,
    NO_DIRECT_MESSAGES,
    NOBODY,
    BrokenLine,
    Ready,
    changed,
    new,
)

DEFER_AFTER_S: Final = 1.5
"""Half of what Discord waits."""
TRIES: Final = 3
RETRY_AFTER_S: Final = 0.25

_log = structlog.get_logger("adapters.discord")


class Answering:
    """One interaction on its way to its answer.

    `visibility` is what the placeholder gets if the answer takes long. `changes`: the interaction is a press whose
    answer may take the place of the message with the button; its placeholder is not seen. `wrap` is put around
    the data of the answer's buttons, as by `rendered`: in a direct message they say which place they mean.
    """

    def __init__(
        self,
        interaction: discord.Interaction[Any],
        visibility: Visibility,
        *,
        changes: bool = False,
        wrap: str = "{}",
        defer_after_s: float = DEFER_AFTER_S,
    ) -> None:
        self._interaction = interaction
        self._visibility = visibility
        self._changes = changes
        self._wrap = wrap
        self._deferring: asyncio.Task[bool] | None = None
        self.is_taken = False
        """Whether somebody else has answered: the same interaction came twice, and nothing was shown by this one."""
        self._timer = asyncio.get_running_loop().call_later(defer_after_s, self._defer_now)

    def _defer_now(self) -> None:
        self._deferring = asyncio.get_running_loop().create_task(self._defer(), name="defer")

    async def _defer(self) -> bool:
        """Acknowledges. False where somebody else has."""
        is_private = self._visibility is Visibility.PRIVATE
        return await self._first(
            lambda: self._interaction.response.defer(ephemeral=is_private, thinking=not self._changes)
        )

    async def _first(self, answer: Callable[[], Awaitable[object]]) -> bool:
        """Gives the first answer. False where another process, or this one, has given it before. A broken line is
        tried again: Discord takes one first answer, however often it gets it."""
        for attempt in range(1, TRIES + 1):
            try:
                await answer()
            except discord.HTTPException as error:
                if error.code == ALREADY_ANSWERED:
                    # After an answer that broke off it was this one that arrived.
                    return attempt > 1
                if not isinstance(error, discord.DiscordServerError) or attempt == TRIES:
                    raise
            except BrokenLine:
                if attempt == TRIES:
                    raise
            else:
                return True
            await asyncio.sleep(RETRY_AFTER_S * attempt)
        raise AssertionError("the last try returns or raises")

    # --- the answer ------------------------------------------------------------------------------------------------

    async def give(self, reply: Reply, *, in_place: bool = False) -> int | None:
        """Answers. `in_place`: instead of the message whose button was pressed. Answers the id of the public message
        that was made, where there is one; never raises."""
        self._timer.cancel()
        try:
            return await self._give(reply, in_place=in_place)
        except discord.HTTPException as error:
            if error.code not in GONE and error.status not in (401, 404):
                _log.warning("not answered", act=str(self._interaction.id), status=error.status, code=error.code)
            return await self._elsewhere(reply)
        except BrokenLine as error:
            _log.warning("not answered", act=str(self._interaction.id), error=type(error).__name__)
            return await self._elsewhere(reply)

    async def _give(self, reply: Reply, *, in_place: bool) -> int | None:
        if self._deferring is not None and not await self._deferring:
            self.is_taken = True
            return None
        if in_place:
            await self._change(reply)
            return None
        if self._deferring is None:
            return await self._directly(reply)
        return await self._after_placeholder(reply)

    async def _directly(self, reply: Reply) -> int | None:
        is_private = reply.visibility is Visibility.PRIVATE
        made: list[discord.InteractionCallbackResponse[Any]] = []

        async def send() -> None:
            made.append(
                await self._interaction.response.send_message(ephemeral=is_private, **new(self._rendered(reply)))
            )

        if not await self._first(send) or is_private or not made:
            return None
        return made[0].message_id

    async def _change(self, reply: Reply) -> None:
        """The answer instead of the message with the button."""
        if self._deferring is None:
            self.is_taken = not await self._first(
                lambda: self._interaction.response.edit_message(**changed(self._sheet(reply)))
            )
        else:
            await self._interaction.edit_original_response(**changed(self._sheet(reply)))

    def _sheet(self, reply: Reply) -> Sheet:
        message = self._interaction.message
        return self._rendered(reply, layout=message is not None and message.flags.components_v2)

    def _rendered(self, reply: Reply, *, layout: bool = False) -> Sheet:
        return rendered(reply, layout=layout, wrap=self._wrap)

    @property
    def _is_acknowledged(self) -> bool:
        """Whether it was this one that gave the first answer."""
        task = self._deferring
        return task is not None and task.done() and task.exception() is None and task.result()

    async def _after_placeholder(self, reply: Reply) -> int | None:
        is_private = reply.visibility is Visibility.PRIVATE
        if self._changes or reply.visibility is not self._visibility:
            if not self._changes:
                # What everyone sees cannot become private: the placeholder goes, and the answer follows by itself.
                await self._interaction.delete_original_response()
            followed = await self._interaction.followup.send(
                ephemeral=is_private, wait=True, **new(self._rendered(reply))
            )
            return None if is_private else followed.id
        message = await self._interaction.edit_original_response(**changed(self._rendered(reply)))
        return None if is_private else message.id

    async def replace_question(self, reply: Reply) -> int | None:
        """Answers publicly a question that was asked in private: the question goes."""
        self._timer.cancel()
        if self._deferring is None:
            self._defer_now()
        message_id = await self.give(reply)
        if not self._is_acknowledged:
            return message_id
        try:
            await self._interaction.delete_original_response()
        except (discord.HTTPException, *BrokenLine) as error:
            _log.info("question left", act=str(self._interaction.id), error=type(error).__name__)
        return message_id

    async def acknowledge(self) -> None:
        """Takes note of a press that needs no answer where it was made; never raises."""
        self._timer.cancel()
        try:
            if self._deferring is None:
                await self._defer()
            else:
                await self._deferring
        except (discord.HTTPException, *BrokenLine) as error:
            _log.info("press not acknowledged", act=str(self._interaction.id), error=type(error).__name__)

    async def add(self, reply: Reply) -> None:
        """Adds the answer to the message whose button was pressed, and takes its buttons away; never raises."""
        self._timer.cancel()
        message = self._interaction.message
        if message is None:
            return
        said = rendered(reply)
        told: dict[str, Any] = {"view": Ready([], is_layout=False), "allowed_mentions": NOBODY}
        told["content"] = f"{message.content}\n{said.content}"[:CONTENT_MAX]
        try:
            if self._deferring is None:
                await self._first(lambda: self._interaction.response.edit_message(**told))
            elif await self._deferring:
                await self._interaction.edit_original_response(**told)
        except (discord.HTTPException, *BrokenLine) as error:
            _log.info("answer lost", act=str(self._interaction.id), error=type(error).__name__)

    # --- when the token is dead -------------------------------------------------------------------------------------

    async def _elsewhere(self, reply: Reply) -> int | None:
        """What came of it is told in the channel if it is for everyone, else in a direct message. Whoever takes none
        finds it in `/history`."""
        interaction = self._interaction
        try:
            if reply.visibility is Visibility.PRIVATE:
                wrap = from_place(interaction.guild_id) if interaction.guild_id else self._wrap
                await interaction.user.send(**new(rendered(reply, wrap=wrap)))
                return None
            if interaction.channel_id is None:
                return None
            channel = interaction.client.get_partial_messageable(interaction.channel_id, guild_id=interaction.guild_id)
            message: discord.Message = await channel.send(nonce=interaction.id, **new(self._rendered(reply)))
            return message.id
        except discord.HTTPException as error:
            if error.code != NO_DIRECT_MESSAGES:
                _log.info("answer lost", act=str(interaction.id), status=error.status, code=error.code)
        except BrokenLine as error:
            _log.info("answer lost", act=str(interaction.id), error=type(error).__name__)
        return None
