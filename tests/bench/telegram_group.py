"""A Telegram with one large group whose members tip by answering, look at their balance and at boards, and press
buttons.

`python -m tests.bench.telegram_group MEMBERS`; see `arrivals`.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter, deque
from contextlib import suppress
from typing import Any, Final

from tests.bench.arrivals import PATIENCE_S, Arrived, Where, arrive, serve
from tests.bench.filling import person_name
from tests.support.telegram import TOKEN, Group, Shown, Telegram, telegram

MIX: Final = {"talk": 40, "tip": 40, "balance": 6, "top": 3, "press": 11}
"""In a hundred. People tip by answering what was said before them; of the buttons that are pressed half are somebody's
thanks."""
RECENT: Final = 2_000
ANSWERS: Final = frozenset({"sendMessage", "editMessageText", "deleteMessage", "answerCallbackQuery", "getUpdates"})
"""Everything else would be a question, such as who somebody is."""


class Town(Telegram):
    """The platform, the group, and what happened in it last."""

    def __init__(self, members: int) -> None:
        super().__init__()
        self.is_strict = False
        # A group's number counts the groups, and a person's the people.
        self._group: Group = self.group("lobby", owner=person_name(1))
        self._names = [person_name(each) for each in range(1, members + 1)]
        for name in self._names:
            self._group.members.setdefault(self.person(name).id, "member")
        self._chance = random.Random(11)
        self._tips: deque[tuple[str, Shown]] = deque(maxlen=RECENT)
        self._posts: deque[dict[str, Any]] = deque(maxlen=RECENT)
        self._due: dict[Any, tuple[float, str | None]] = {}
        """By the message that was written, the press, or whoever asks for their own: since when, and who got a tip."""
        self._took: list[float] = []
        self._awaited = 0
        self.answered = asyncio.Event()
        self.fetched = asyncio.Event()

    async def run(self, rate: float, seconds: float) -> Arrived:
        async with asyncio.timeout(PATIENCE_S):
            await self.fetched.wait()
        self._took, self.calls, self._awaited = [], [], 0
        acts = await arrive(self._act, rate, seconds, self._chance)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._all_answered()
        asked = Counter(call.method for call in self.calls if call.method not in ANSWERS)
        return Arrived(seconds, acts, self._awaited, tuple(self._took), dict(asked), tuple(self.problems))

    async def _all_answered(self) -> None:
        while self._due:
            self.answered.clear()
            await self.answered.wait()

    async def _act(self, due: float) -> None:
        (kind,) = self._chance.choices([*MIX], [*MIX.values()])
        by = self._chance.choice(self._names)
        if kind == "talk" or not self._posts:
            self._posts.append(self.say(by, "look", self._group)["message"])
        elif kind == "tip":
            post = self._chance.choice(self._posts)
            self.say(by, "/tip 1", self._group, reply_to=post)
            self._expect(post["message_id"], due, post["from"]["first_name"])
        elif kind == "press" and self._tips:
            receiver, shown = self._chance.choice(self._tips)
            labels = [button["text"] for button in shown.buttons]
            label = self._chance.choice(("Thank", "My coins"))
            label = label if label in labels else "My coins"
            pressed = self.press(receiver if label == "Thank" else by, shown, label)
            self._expect(pressed["callback_query"]["id"], due)
        elif kind == "top":
            self._expect(self.say(by, "/top", self._group)["message"]["message_id"], due)
        else:
            self.say(by, "/balance", self._group)
            self._expect(self.person(by).id, due)

    def _expect(self, act: Any, due: float, receiver: str | None = None) -> None:
        self._awaited += act not in self._due
        self._due.setdefault(act, (due, receiver))

    def _answered(self, *acts: Any) -> str | None:
        """Something came of one of these; who got a tip by it."""
        for act in acts:
            if (found := self._due.pop(act, None)) is not None:
                self._took.append(time.perf_counter() - found[0])
                self.answered.set()
                return found[1]
        return None

    def _send_message(self, fields: dict, files: dict) -> dict:
        message = super()._send_message(fields, files)
        shown = self.shown[-1]
        receiver = self._answered(shown.under, shown.only_to, fields["chat_id"])
        if receiver is not None and shown.buttons:
            self._tips.append((receiver, shown))
        return message

    def _edit_message_text(self, fields: dict, files: dict) -> dict:
        message = super()._edit_message_text(fields, files)
        self._answered(self._shown(fields["chat_id"], fields["message_id"]).under)
        return message

    async def _get_updates(self, fields: dict, files: dict) -> list[dict]:
        self.fetched.set()
        return await super()._get_updates(fields, files)

    def _answer_callback_query(self, fields: dict, files: dict) -> bool:
        self._answered(fields["callback_query_id"])
        return super()._answer_callback_query(fields, files)


async def main(members: int) -> None:
    async with telegram(there=Town(members)) as there:
        assert isinstance(there, Town)
        await serve(Where((there.url, TOKEN)), there.run)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
