"""What the server answers the bot: a method of `Answers` for each of the Bot API's that the bot uses."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from typing import Any

from tests.support.telegram_html import UnreadableHtml, read_html
from tests.support.telegram_world import BOT_ID, BotApiError, Group, Shown, World


class Answers(World):
    """`_get_me` answers getMe, and so on: each gets the fields, read, and the files."""

    def _get_me(self, *_: Any) -> dict:
        return self.bot_user() | {
            "can_join_groups": True,
            "can_read_all_group_messages": self.sees_all,
            "supports_inline_queries": True,
        }

    async def _get_updates(self, fields: dict, _files: dict) -> list[dict]:
        if self.webhook.get("url"):
            raise BotApiError(409, "Conflict: can't use getUpdates method while webhook is active")
        if self._fetching is not None and not self._fetching.done():
            self._fetching.cancel("another")
        offset = fields.get("offset")
        if offset is not None:
            while self._queue and self._queue[0]["update_id"] < offset:
                self._confirmed.add(self._queue.popleft()["update_id"])
            await self._notify()
        self._fetching = asyncio.current_task()
        try:
            async with asyncio.timeout(min(fields.get("timeout", 0), 2) or 0.001), self._changed:
                await self._changed.wait_for(lambda: bool(self._queue))
        except TimeoutError:
            pass
        except asyncio.CancelledError as cut:
            if cut.args != ("another",):
                raise
            raise BotApiError(409, "Conflict: terminated by other getUpdates request") from None
        finally:
            if self._fetching is asyncio.current_task():
                self._fetching = None
        wanted = fields.get("allowed_updates")
        return [
            update
            for update in list(self._queue)[: fields.get("limit", 100)]
            if wanted is None or any(kind in update for kind in wanted) or self._skip(update)
        ]

    def _skip(self, update: dict) -> bool:
        """An update of a kind that was not asked for never comes."""
        self._queue.remove(update)
        self._confirmed.add(update["update_id"])
        return False

    def _set_webhook(self, fields: dict, _files: dict) -> bool:
        self.webhook = fields
        waiting, self._queue = list(self._queue), deque()
        for update in waiting:
            self.deliver(update)
        return True

    def _delete_webhook(self, *_: Any) -> bool:
        self.webhook = {}
        return True

    def _get_webhook_info(self, *_: Any) -> dict:
        pending = len(self._queue)
        return {"url": self.webhook.get("url", ""), "has_custom_certificate": False, "pending_update_count": pending}

    def _get_my_commands(self, fields: dict, _files: dict) -> list[dict]:
        return self.menus.get((fields.get("scope", {}).get("type", "default"), fields.get("language_code", "")), [])

    def _set_my_commands(self, fields: dict, _files: dict) -> bool:
        for command in fields["commands"]:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]) or not 1 <= len(command["description"]) <= 256:
                self.problems.append(f"no command for a menu: {command}")
        self.menus[fields["scope"]["type"], fields.get("language_code", "")] = fields["commands"]
        return True

    def _get_chat_administrators(self, fields: dict, _files: dict) -> list[dict]:
        group = self._reachable_group(fields["chat_id"])
        return [
            self._member(self.bot_user() if user_id == BOT_ID else self.by_id(user_id).user(), status, group)
            for user_id, status in group.members.items()
            if status in ("creator", "administrator")
        ]

    def _get_chat_member(self, fields: dict, _files: dict) -> dict:
        group = self._reachable_group(fields["chat_id"])
        status = group.members.get(fields["user_id"])
        if status is None:
            raise BotApiError(400, "Bad Request: user not found")
        user = self.bot_user() if fields["user_id"] == BOT_ID else self.by_id(fields["user_id"]).user()
        return self._member(user, status, group)

    def _get_chat(self, fields: dict, _files: dict) -> dict:
        group = self._reachable_group(fields["chat_id"])
        kinds = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
        accepted = dict.fromkeys(kinds, True)
        return group.chat() | {"accent_color_id": 1, "max_reaction_count": 11, "accepted_gift_types": accepted}

    def _get_file(self, fields: dict, _files: dict) -> dict:
        size = len(self.files[fields["file_id"]])
        return {
            "file_id": fields["file_id"],
            "file_unique_id": fields["file_id"],
            "file_size": size,
            "file_path": fields["file_id"],
        }

    def _reachable_group(self, chat_id: int) -> Group:
        group = self.groups.get(chat_id)
        if group is None:
            raise BotApiError(400, "Bad Request: chat not found")
        if group.moved_to is not None:
            told = "Bad Request: group chat was upgraded to a supergroup chat"
            raise BotApiError(400, told, migrate_to_chat_id=group.moved_to)
        if group.members.get(BOT_ID) in (None, "left", "kicked"):
            raise BotApiError(403, "Forbidden: bot was kicked from the supergroup chat")
        return group

    # --- messages of the bot ----------------------------------------------------------------------------------------

    def _send_message(self, fields: dict, _files: dict) -> dict:
        return self._put(fields, fields["text"], 4096)

    def _send_document(self, fields: dict, files: dict) -> dict:
        return self._put(fields, fields.get("caption", ""), 1024, file=next(iter(files.values())), empty=True)

    def _send_photo(self, fields: dict, files: dict) -> dict:
        return self._put(fields, fields.get("caption", ""), 1024, file=next(iter(files.values())), empty=True)

    def _put(
        self, fields: dict, text: str, most: int, *, file: tuple[str, bytes] | None = None, empty: bool = False
    ) -> dict:
        plain, entities = self._read(fields, text)
        if not plain.strip() and not empty:
            raise BotApiError(400, "Bad Request: message text is empty")
        if len(plain.encode("utf-16-le")) // 2 > most:
            raise BotApiError(400, "Bad Request: message is too long")
        chat_id = fields["chat_id"]
        reply = fields.get("reply_parameters", {})
        only_to = self._only_to(fields, chat_id, reply)
        group = None
        if chat_id > 0:
            person = self.by_id(chat_id)
            if person.blocked:
                raise BotApiError(403, "Forbidden: bot was blocked by the user")
            if not person.started:
                raise BotApiError(403, "Forbidden: bot can't initiate conversation with a user")
        else:
            group = self._reachable_group(chat_id)
        topic = fields.get("message_thread_id")
        if group is not None and topic is not None and topic not in group.topics:
            raise BotApiError(400, "Bad Request: message thread not found")
        if group is not None and topic in group.closed_topics:
            raise BotApiError(400, "Bad Request: TOPIC_CLOSED")
        shown = Shown(
            chat_id,
            next(self._ids),
            plain,
            entities,
            self._buttons(fields),
            topic,
            reply.get("message_id"),
            reply.get("ephemeral_message_id"),
            only_to,
            file,
            html=text,
        )
        self.shown.append(shown)
        return self._as_message(shown)

    def _only_to(self, fields: dict, chat_id: int, reply: dict) -> int | None:
        """Administrators may write to one member at any time, others in answer to their command or press alone."""
        parameters = fields.get("ephemeral_message_parameters")
        if parameters is None or not self.knows_ephemeral:
            return None
        group = self._reachable_group(chat_id)
        if not self.has_ephemeral:
            raise BotApiError(400, "Bad Request: ephemeral messages are not supported here")
        is_answer = "ephemeral_message_id" in reply or parameters.get("callback_query_id") in self.presses
        if group.members.get(BOT_ID) != "administrator" and not is_answer:
            raise BotApiError(400, "Bad Request: MESSAGE_NOT_COMMAND")
        if group.members.get(parameters["receiver_user_id"]) in (None, "left", "kicked"):
            raise BotApiError(400, "Bad Request: USER_NOT_PARTICIPANT")
        found: int = parameters["receiver_user_id"]
        return found

    def _read(self, fields: dict, text: str) -> tuple[str, list[dict]]:
        if fields.get("parse_mode") != "HTML":
            return text, []
        try:
            return read_html(text)
        except UnreadableHtml as error:
            self.problems.append(f"{error}: {text!r}")
            raise BotApiError(400, f"Bad Request: {error}") from None

    def _buttons(self, fields: dict) -> list[dict]:
        buttons = [button for row in fields.get("reply_markup", {}).get("inline_keyboard", ()) for button in row]
        for button in buttons:
            data = button.get("callback_data")
            if data is not None and not 1 <= len(data.encode()) <= 64:
                raise BotApiError(400, "Bad Request: BUTTON_DATA_INVALID")
        return buttons

    def _as_message(self, shown: Shown) -> dict:
        group = self.groups.get(shown.chat)
        chat = group.chat() if group else {"id": shown.chat, "type": "private", "first_name": "somebody"}
        message: dict[str, Any] = {
            "message_id": shown.id if shown.only_to is None else 0,
            "date": int(self.now().timestamp()),
            "chat": chat,
            "from": self.bot_user(),
            "text": shown.text,
        }
        if shown.only_to is not None:
            message |= {"ephemeral_message_id": shown.id, "receiver_user": self.by_id(shown.only_to).user()}
        return message

    def _edit_message_text(self, fields: dict, _files: dict) -> dict:
        return self._change(self._shown(fields["chat_id"], fields["message_id"]), fields)

    def _edit_ephemeral_message_text(self, fields: dict, _files: dict) -> bool:
        shown = self._shown(fields["chat_id"], fields["ephemeral_message_id"])
        if shown.only_to != fields["receiver_user_id"]:
            raise BotApiError(400, "Bad Request: message to edit not found")
        self._change(shown, fields)
        return True

    def _change(self, shown: Shown, fields: dict) -> dict:
        plain, entities = self._read(fields, fields["text"])
        buttons = self._buttons(fields)
        if (plain, entities, buttons) == (shown.text, shown.entities, shown.buttons):
            raise BotApiError(400, "Bad Request: message is not modified")
        shown.text, shown.entities, shown.buttons = plain, entities, buttons
        shown.html = fields["text"]
        shown.edits += 1
        return self._as_message(shown)

    def _shown(self, chat_id: int, message_id: int) -> Shown:
        if chat_id < 0:
            self._reachable_group(chat_id)
        for shown in reversed(self.shown):
            if (shown.chat, shown.id) == (chat_id, message_id) and not shown.removed:
                return shown
        raise BotApiError(400, "Bad Request: message to edit not found")

    def _delete_message(self, fields: dict, _files: dict) -> bool:
        for shown in self.shown:
            if (shown.chat, shown.id) == (fields["chat_id"], fields["message_id"]):
                shown.removed = True
        return True

    def _delete_ephemeral_message(self, fields: dict, _files: dict) -> bool:
        self._shown(fields["chat_id"], fields["ephemeral_message_id"]).removed = True
        return True

    def _answer_callback_query(self, fields: dict, _files: dict) -> bool:
        person, _ = self.presses[fields["callback_query_id"]]
        text = fields.get("text", "")
        if len(text) > 200:
            raise BotApiError(400, "Bad Request: MESSAGE_TOO_LONG")
        self.alerts.append((person.name, text, bool(fields.get("show_alert"))))
        return True

    def _answer_inline_query(self, fields: dict, _files: dict) -> bool:
        self.inline[fields["inline_query_id"]] = fields
        return True
