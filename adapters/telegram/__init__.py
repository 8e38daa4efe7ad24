"""The Telegram door: python-telegram-bot's client on one side, the conversation on the other.

`door.TelegramDoor` is the adapter. `intake` brings updates, by polling or webhook; `reading` makes of a message what
was said; `rendering` makes Telegram's HTML of replies; `posting` gets them to where they belong.
"""

import os

# The library's own switch: spans of time as spans, which it warns about otherwise.
os.environ.setdefault("PTB_TIMEDELTA", "true")
