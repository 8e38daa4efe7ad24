"""What people on Telegram do: they write, press buttons, come and go."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from tests.support.telegram_world import ANONYMOUS, BOT_ID, Group, Person, Shown, World

ENTITIES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "s": "strikethrough",
}


class People(World):
    """Every act makes an update and answers it."""

    def say(self, name: str, text: str, where: Group | None = None, **more: Any) -> dict:
        """A message by `name` in a group, or to the bot alone. `@name` in it are mentions."""
        return self.push({"message": self.message(name, text, where, **more)})

    def message(
        self,
        name: str,
        text: str | None,
        where: Group | None = None,
        *,
        topic: int | None = None,
        reply_to: dict | None = None,
        ephemeral: bool = False,
        anonymous: bool = False,
        at: datetime | None = None,
        **more: Any,
    ) -> dict:
        """The message that `say` brings."""
        person = self.person(name)
        if where is None:
            person.started = True
        elif where.members.get(person.id) in (None, "left") and not anonymous:
            where.members[person.id] = "member"
        found: dict[str, Any] = {
            "message_id": 0 if ephemeral else next(self._ids),
            "date": int((at or self.now()).timestamp()),
            "chat": where.chat() if where else {"id": person.id, "type": "private", "first_name": name},
            "from": ANONYMOUS if anonymous else person.user(),
        }
        if anonymous and where is not None:
            found["sender_chat"] = where.chat()
        if text is not None:
            written, entities = self.entities(text)
            found |= {"text": written, "entities": entities}
        if ephemeral:
            found["ephemeral_message_id"] = next(self._ids)
        if topic is not None:
            found |= {"message_thread_id": topic, "is_topic_message": True}
        if reply_to is not None:
            found["reply_to_message"] = {k: v for k, v in reply_to.items() if k != "reply_to_message"}
        return found | more

    def entities(self, text: str) -> tuple[str, list[dict]]:
        """As a person's own app marks them: commands, people by handle, and `@[Bo Ek]`, who has none, by name."""
        entities: list[dict] = []
        if command := re.match(r"/[A-Za-z0-9_]+(@\w+)?", text):
            entities.append({"type": "bot_command", "offset": 0, "length": len(command[0])})
        written, at = "", 0
        for word in re.finditer(r"(?<=[ \n:])@(?:\[([^]]+)\]|([^ \n]+))", text):
            named = self._named(word[1] or word[2])
            written += text[at : word.start()]
            at = word.end()
            shown = word[0] if named is None or named.handle else named.name
            if named is None or named.handle:
                kind: dict[str, Any] = {"type": "mention"} if re.fullmatch(r"@\w+", shown) else {}
            else:
                kind = {"type": "text_mention", "user": named.user()}
            if kind:
                length = len(shown.encode("utf-16-le")) // 2
                entities.append(kind | {"offset": len(written.encode("utf-16-le")) // 2, "length": length})
            written += shown
        return written + text[at:], entities

    def _named(self, name: str) -> Person | None:
        called = {each.handle.casefold(): each for each in self.people.values() if each.handle}
        return called.get(name.casefold()) or next(
            (each for each in self.people.values() if not each.handle and each.name.casefold() == name.casefold()), None
        )

    def press(self, name: str, shown: Shown, label: str, **more: Any) -> dict:
        """`name` presses a button of a message as it is now."""
        return self.press_data(name, shown, shown.button(label)["callback_data"], **more)

    def press_data(self, name: str, shown: Shown, data: str, *, reply_to: dict | None = None) -> dict:
        person = self.person(name)
        group = self.groups.get(shown.chat)
        query = f"query-{next(self._ids)}"
        self.presses[query] = (person, group)
        message: dict[str, Any] = {
            "message_id": shown.id if shown.only_to is None else 0,
            "date": int(self.now().timestamp()),
            "chat": group.chat() if group else {"id": person.id, "type": "private", "first_name": name},
            "from": self.bot_user(),
            "text": shown.text,
            "entities": [self._as_entity(entity) for entity in shown.entities],
        }
        if shown.buttons:
            message["reply_markup"] = {"inline_keyboard": [shown.buttons]}
        if shown.only_to is not None:
            message |= {"ephemeral_message_id": shown.id, "receiver_user": person.user()}
        if shown.topic is not None:
            message |= {"message_thread_id": shown.topic, "is_topic_message": True}
        if reply_to is not None:
            message["reply_to_message"] = reply_to
        pressed = {"id": query, "from": person.user(), "chat_instance": "1", "message": message, "data": data}
        return self.push({"callback_query": pressed})

    def _as_entity(self, entity: dict) -> dict:
        """What was markup in a message of the bot, as the platform shows it."""
        place = {"offset": entity["offset"], "length": entity["length"]}
        url = entity.get("url", "")
        if url.startswith("tg://user?id="):
            return place | {"type": "text_mention", "user": self.by_id(int(url.removeprefix("tg://user?id="))).user()}
        if url:
            return place | {"type": "text_link", "url": url}
        return place | {"type": ENTITIES.get(entity["type"], entity["type"])}

    def react(
        self, name: str, to: dict, *emoji: str, was: tuple[str, ...] = (), group: Group | None = None, **more: Any
    ) -> dict:
        """`name` has these reactions under a message now, and had others before."""
        chat = group.chat() if group else to["chat"]
        changed = {
            "chat": chat,
            "message_id": to["message_id"],
            "date": int(self.now().timestamp()),
            "user": self.person(name).user(),
            "old_reaction": [{"type": "emoji", "emoji": each} for each in was],
            "new_reaction": [{"type": "emoji", "emoji": each} for each in emoji],
        }
        return self.push({"message_reaction": {**changed, **more}})

    def changes(self, name: str, group: Group, status: str, *, was: str | None = None, tells: bool = True) -> dict:
        """Somebody's place in a group changes. Told to the bot where it is an administrator."""
        person = self.person(name)
        return self._member_changed(person.user(), person.id, group, status, was, "chat_member", tells=tells)

    def bot_changes(self, group: Group, status: str, *, by: str, was: str | None = None) -> dict:
        self.person(by)
        return self._member_changed(self.bot_user(), BOT_ID, group, status, was, "my_chat_member", by=by)

    def _member_changed(
        self,
        user: dict,
        user_id: int,
        group: Group,
        status: str,
        was: str | None,
        kind: str,
        *,
        by: str | None = None,
        tells: bool = True,
    ) -> dict:
        before = was or group.members.get(user_id, "left")
        group.members[user_id] = status
        change = {
            "chat": group.chat(),
            "from": self.person(by).user() if by else user,
            "date": int(self.now().timestamp()),
            "old_chat_member": self._member(user, before, group),
            "new_chat_member": self._member(user, status, group),
        }
        return self.push({kind: change}) if tells else {}
