"""Public answers that say the same again: whoever asks sees it, and everyone else has seen it already."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from adapters.contract import Reply, Visibility
from adapters.discord.rendering import plain

REPEAT_S: Final = 30.0
REMEMBERED_MAX: Final = 1_000


class Repeats:
    """What was answered lately in which channel. Answers about a receipt are news, however they read."""

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[int, str], float] = OrderedDict()

    def is_repeat(self, channel_id: int | None, reply: Reply, now_s: float) -> bool:
        """Whether the same was answered there less than half a minute ago; what is not is remembered."""
        if channel_id is None or reply.visibility is not Visibility.PUBLIC or reply.receipt is not None:
            return False
        told = (channel_id, plain(reply))
        at_s = self._told.get(told)
        if at_s is not None and now_s - at_s < REPEAT_S:
            return True
        self._told[told] = now_s
        self._told.move_to_end(told)
        if len(self._told) > REMEMBERED_MAX:
            self._told.popitem(last=False)
        return False
