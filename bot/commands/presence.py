"""`/hide` and `/show`, and how coming, going and hiding read."""

from __future__ import annotations

from typing import Annotated

from adapters.contract import Reply
from bot.asked import Asked
from bot.commands.registry import command, tells
from bot.telling import Done, Telling
from bot.wording import Words
from economy.rules.presence import Hide, Hideable, Joined, Left, Visibility


@command(examples=("hide", "hide amount"))
async def hide(asked: Asked, what: Annotated[Hideable, "yourself, or only how much you have"] = Hideable.ME) -> Reply:
    """Keep yourself off the boards, or keep your amounts to yourself."""
    return await asked.submit(Hide(by=asked.by, what=what, hidden=True))


@command(examples=("show", "show amount"))
async def show(asked: Asked, what: Annotated[Hideable, "yourself, or how much you have"] = Hideable.ME) -> Reply:
    """Be on the boards again, or let your amounts be seen again."""
    return await asked.submit(Hide(by=asked.by, what=what, hidden=False))


@tells(Visibility)
def hid_or_shown(receipt: Visibility, done: Done, words: Words) -> Telling:
    match receipt.what, receipt.hidden:
        case Hideable.ME, True:
            line = words.line("You are off the boards now, and can still see your own rank. /show puts you back.")
        case Hideable.ME, False:
            line = words.line("You are on the boards again.")
        case _, True:
            line = words.line("Nobody but staff sees your amounts now. /show amount lets them be seen again.")
        case _:
            line = words.line("Your amounts can be seen again.")
    return Telling(nodes=(line,), fields={"what": str(receipt.what), "hidden": receipt.hidden})


@tells(Joined)
def joined(receipt: Joined, done: Done, words: Words) -> Telling:
    line = words.line("{member} joined.", member=words.name(receipt.member))
    return Telling(nodes=(line,), fields={"member": words.field(receipt.member)})


@tells(Left)
def left(receipt: Left, done: Done, words: Words) -> Telling:
    line = words.line("{member} left.", member=words.name(receipt.member))
    return Telling(nodes=(line,), fields={"member": words.field(receipt.member)})
