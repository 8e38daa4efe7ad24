"""What doors tell on their own behalf: greetings, and where no command is reached or an answer cannot be given."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.contract import Button, Hint, Line, Reply, Strong, Visibility
from bot.wording import Words
from economy.settings import Settings

DOOR = "d:"
"""Begins the data of a button that the door itself answers."""

PUBLIC = frozenset({Hint.ADDED, Hint.ADDED_BLIND, Hint.SEES, Hint.ANONYMOUS, Hint.CHANNEL})


def hinted(hint: Hint, locale: str, **values: str) -> Reply:
    """The reply that tells it. `values` may hold what people are called: they are made inert here."""
    words = Words(locale, Settings())
    buttons: tuple[Button, ...] = ()
    if hint is Hint.ANONYMOUS:
        buttons = (Button(label=words.text("It is me"), data=f"{DOOR}prove"),)
    elif hint is Hint.ANSWER_WAITS:
        buttons = (Button(label=words.text("See the answer"), data=f"{DOOR}answer"),)
    elif hint is Hint.TAKE_UP:
        buttons = (Button(label=words.text("Take it up"), data=f"{DOOR}take"),)
    elif hint is Hint.WELCOME:
        buttons = (Button(label=words.text("See your coins"), data="q:balance"),)
    return Reply(
        command=None,
        outcome="hint",
        visibility=Visibility.PUBLIC if hint in PUBLIC else Visibility.PRIVATE,
        nodes=tuple(_lines(hint, words, {name: words.called(value) for name, value in values.items()})),
        buttons=buttons,
        fields={"hint": str(hint)},
    )


def _lines(hint: Hint, words: Words, values: Mapping[str, str]) -> list[Line]:
    match hint:
        case Hint.NO_COMMAND:
            return [
                words.line("Commands begin with a slash. To see them all, type {help}.", help=Strong("/help")),
            ]
        case Hint.WELCOME:
            return [
                words.line("Hello! I keep the coins of {place}.", **values),
                *_four_lines(words),
                words.line("What you ask me here stays between us. Start with /daily."),
            ]
        case Hint.NO_PLACE:
            return [
                words.line("Hello! I keep a community's coins, and I do not know you from any yet."),
                words.line("Say something in a group where I am, or add me to one of yours and come back."),
            ]
        case Hint.ADDED:
            return [words.line("Hello! I keep this group's coins."), *_four_lines(words), _next_step(words)]
        case Hint.ADDED_BLIND:
            return [
                words.line("Hello! I keep this group's coins."),
                *_four_lines(words),
                words.line(
                    "For now I only see what is addressed to me, so write commands like /tip@{bot}, or answer my "
                    "messages.",
                    **values,
                ),
                words.line(
                    "Make me an administrator without any rights, and I see who is here and every plain /tip; I keep "
                    "nothing of what people write."
                ),
            ]
        case Hint.SEES:
            return [words.line("Thank you, now I see plain commands, too."), _next_step(words)]
        case Hint.TAKE_UP:
            return [words.line("Whoever this waits for takes it up by writing here, or by this link.")]
        case Hint.ANSWERED:
            return [words.line("{name}, I answered you in private.", **values)]
        case Hint.ANSWER_WAITS:
            return [words.line("{name}, this answer is for you alone. Open a chat with me to see it.", **values)]
        case _:
            return [_about_people(hint, words) or _about_what_was_said(hint, words, values)]


def _four_lines(words: Words) -> list[Line]:
    return [
        words.line("/daily gives you coins every day."),
        words.line("/tip sends coins: answer somebody's message with /tip 5, or name them."),
        words.line("/gifts shows what you can give, from a rose to a yacht."),
        words.line("/top shows who gives the most, and /help everything else."),
    ]


def _next_step(words: Words) -> Line:
    return words.line("Begin with /daily. The group's owner finds everything that can be set in /settings.")


def _about_people(hint: Hint, words: Words) -> Line | None:
    match hint:
        case Hint.ANONYMOUS:
            return words.line(
                "You write without your name, so I cannot know who asks. Press to prove that it is you: only I see "
                "who pressed."
            )
        case Hint.NOT_YOURS:
            return words.line("This button is for somebody else.")
        case Hint.NOT_HIDDEN:
            return words.line("This is for the administrator who wrote it without a name.")
        case Hint.HIDDEN_AUTHOR:
            return words.line("Whoever wrote this did so anonymously, so it has nobody to send to. Nothing was sent.")
        case Hint.STANDING_UNKNOWN:
            return words.line(
                "I cannot find out just now who administers this place, so nobody acts as staff. Try again in a minute."
            )
        case _:
            return None


def _about_what_was_said(hint: Hint, words: Words, values: Mapping[str, str]) -> Line:
    match hint:
        case Hint.ONLY_IN_PLACES:
            return words.line("Coins belong to a community: write this where it meets.")
        case Hint.NOT_INSTALLED:
            return words.line("I am not in this community, so there are no coins here. Its owner can add me.")
        case Hint.NOT_FOR_OTHERS:
            return words.line("Coins belong to people: write as yourself, not as a channel or by another program.")
        case Hint.CHANNEL:
            return words.line("A channel has no wallet. Write as yourself, and it is done.")
        case Hint.NOT_TYPED:
            return words.line("Commands that are forwarded, or sent through another bot, do nothing. Type it yourself.")
        case Hint.FILE_TOO_LARGE:
            return words.line("This file is too large. At most 1 MB is read; nothing was changed.")
        case Hint.FILE_UNREADABLE:
            return words.line("This file could not be read. Nothing was changed; send it again.")
        case Hint.NO_PRIVATE_MESSAGE:
            return words.line("The answer is for you alone, and you take no messages of mine. Use the slash command.")
        case Hint.CANNOT_POST:
            return words.line("I cannot write to {channel}. There I need: {needed}.", **values)
        case _:
            return words.line("What will you send?")
