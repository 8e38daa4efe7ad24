"""What doors have to say of their platforms, in words."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.contract import Button, Line, Notice, Reply, Strong, Visibility
from bot.naming import inert, isolated
from bot.wording import Words

DOOR = "d:"
"""Begins the data of a button that the door itself answers."""

PUBLIC = frozenset({Notice.ADDED, Notice.ADDED_BLIND, Notice.SEES, Notice.ANONYMOUS, Notice.CHANNEL})


def noticed(notice: Notice, words: Words, named: Mapping[str, str]) -> Reply:
    """The reply that tells it. `named` may hold what people are called: it is made inert here."""
    shown = {name: isolated(inert(value)) for name, value in named.items()}
    buttons: tuple[Button, ...] = ()
    if notice is Notice.ANONYMOUS:
        buttons = (Button(label=words.text("It is me"), data=f"{DOOR}prove"),)
    elif notice is Notice.ANSWER_WAITS:
        buttons = (Button(label=words.text("See the answer"), data=f"{DOOR}answer"),)
    elif notice is Notice.WELCOME:
        buttons = (Button(label=words.text("See your coins"), data="q:balance"),)
    return Reply(
        command=None,
        outcome=str(notice),
        visibility=Visibility.PUBLIC if notice in PUBLIC else Visibility.PRIVATE,
        nodes=tuple(_lines(notice, words, shown)),
        buttons=buttons,
    )


def _lines(notice: Notice, words: Words, named: Mapping[str, str]) -> list[Line]:
    match notice:
        case Notice.HINT:
            return [
                words.line("Commands begin with a slash. To see them all, type {help}.", help=Strong("/help")),
            ]
        case Notice.WELCOME:
            return [
                words.line("Hello! I keep the coins of {place}.", **named),
                *_four_lines(words),
                words.line("What you ask me here stays between us. Start with /daily."),
            ]
        case Notice.NO_PLACE:
            return [
                words.line("Hello! I keep a community's coins, and I do not know you from any yet."),
                words.line("Say something in a group where I am, or add me to one of yours and come back."),
            ]
        case Notice.ADDED:
            return [words.line("Hello! I keep this group's coins."), *_four_lines(words), _next_step(words)]
        case Notice.ADDED_BLIND:
            return [
                words.line("Hello! I keep this group's coins."),
                *_four_lines(words),
                words.line(
                    "For now I only see what is addressed to me, so write commands like /tip@{bot}, or answer my "
                    "messages.",
                    **named,
                ),
                words.line(
                    "Make me an administrator without any rights, and I see who is here and every plain /tip; I keep "
                    "nothing of what people write."
                ),
            ]
        case Notice.SEES:
            return [words.line("Thank you, now I see plain commands, too."), _next_step(words)]
        case Notice.ANSWERED:
            return [words.line("{name}, I answered you in private.", **named)]
        case Notice.ANSWER_WAITS:
            return [words.line("{name}, this answer is for you alone. Open a chat with me to see it.", **named)]
        case _:
            return [_refusal(notice, words, named)]


def _four_lines(words: Words) -> list[Line]:
    return [
        words.line("/daily gives you coins every day."),
        words.line("/tip sends coins: answer somebody's message with /tip 5, or name them."),
        words.line("/gifts shows what you can give, from a rose to a yacht."),
        words.line("/top shows who gives the most, and /help everything else."),
    ]


def _next_step(words: Words) -> Line:
    return words.line("Begin with /daily. The group's owner finds everything that can be set in /settings.")


def _refusal(notice: Notice, words: Words, named: Mapping[str, str]) -> Line:
    match notice:
        case Notice.ANONYMOUS:
            return words.line(
                "You write without your name, so I cannot know who asks. Press to prove that it is you: only I see "
                "who pressed."
            )
        case Notice.CHANNEL:
            return words.line("A channel has no wallet. Write as yourself, and it is done.")
        case Notice.NOT_YOURS:
            return words.line("This button is for somebody else.")
        case Notice.NOT_HIDDEN:
            return words.line("This is for the administrator who wrote it without a name.")
        case Notice.HIDDEN_AUTHOR:
            return words.line("Whoever wrote this did so anonymously, so it has nobody to send to. Nothing was sent.")
        case Notice.NOT_TYPED:
            return words.line("Commands that are forwarded, or sent through another bot, do nothing. Type it yourself.")
        case Notice.STANDING_UNKNOWN:
            return words.line(
                "I cannot find out just now who administers this place, so nobody acts as staff. Try again in a minute."
            )
        case Notice.FILE_TOO_LARGE:
            return words.line("The file {name} is too large: send at most 1 MB.", **named)
        case Notice.FILE_LOST:
            return words.line("The file {name} could not be fetched. Send it again.", **named)
        case _:
            return words.line("What will you send?")
