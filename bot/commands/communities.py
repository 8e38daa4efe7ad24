"""`/community`: the places of a community, and how another one joins or leaves."""

from __future__ import annotations

from typing import Annotated

from adapters.contract import FieldValue, Line, Reply, Table, Visibility
from bot.asked import Asked
from bot.commands.configuring import role_name
from bot.commands.registry import asks, command, tells
from bot.options import Page, Rest
from bot.telling import Done, Telling
from bot.wording import Words
from economy.rules.communities import (
    BEGAN_IN,
    CODE_FOR,
    InvitePlace,
    JoinPlace,
    PartPlace,
    PlaceInvited,
    PlaceJoined,
    PlaceParted,
    joined_places,
)
from economy.rules.permissions import Right
from economy.values import CommunityId, Role

_PLATFORMS = {"discord": "Discord", "telegram": "Telegram", "console": "Console"}


@command()
async def community(asked: Asked) -> Reply:
    """See where this community meets, and since when."""
    words, flags = asked.words, asked.reader.community_flags
    others = joined_places(flags)
    began = flags.get(BEGAN_IN)
    if not others:
        lines = [words.line("This community meets in one place, this one. Nothing else belongs to it.")]
        if asked.may(Right.PLACES):
            lines.append(words.line("/community join lets another place share it, on this platform or another."))
        return asked.reply(Telling(nodes=tuple(lines), fields={"places": [], "began_in": None}))
    rows = tuple(
        (_place(each.name, words), platform_name(each.platform), words.moment(each.since), words.number(each.home))
        for each in others
    )
    here = next((each for each in others if each.home == asked.reader.home), None)
    nodes: list[Line | Table] = [
        words.line("This community began in {place}.", place=_place(began if isinstance(began, str) else "", words)),
        Table(
            (words.text("Joined"), words.text("On"), words.text("Since"), words.text("Number")),
            rows,
            right_aligned=(3,),
        ),
    ]
    if here is not None:
        nodes.append(
            words.line(
                "This place is {place}. Its owner takes it out with /community leave.", place=_place(here.name, words)
            )
        )
    if asked.may(Right.PLACES):
        nodes.append(words.line("/community remove with a number sends a place home."))
    places: list[FieldValue] = [
        {"name": each.name, "platform": each.platform, "since": each.since.isoformat(), "number": each.home}
        for each in others
    ]
    fields: dict[str, FieldValue] = {"places": places, "began_in": began if isinstance(began, str) else None}
    return asked.reply(Telling(nodes=tuple(nodes), fields=fields))


@command(name="community join", right=Right.PLACES, examples=("community join", "community join 12-ABCD-EFGH-JKLM"))
async def join_community(
    asked: Asked,
    code: Annotated[
        Rest | None, "what the owner of the other place was given; a new one for others if left out"
    ] = None,
) -> Reply:
    """Share one community with another place, by a code that its owner asks for there."""
    name = asked.invocation.place_name
    if code is None:
        return await asked.submit(InvitePlace(by=asked.by, name=name))
    return await asked.submit(JoinPlace(by=asked.by, code=code, name=name))


@command(name="community leave", examples=("community leave",))
async def leave_community(asked: Asked) -> Reply:
    """Take this place out of the community that it joined: its own comes back."""
    return await asked.submit(PartPlace(by=asked.by))


@command(name="community remove", right=Right.PLACES, examples=("community remove 7",))
async def remove_place(asked: Asked, number: Annotated[Page, "which place, by its number in /community"]) -> Reply:
    """Send a place that joined this community home."""
    return await asked.submit(PartPlace(by=asked.by, home=CommunityId(number)))


@tells(PlaceInvited)
@asks(PlaceInvited)
def invited(receipt: PlaceInvited, done: Done, words: Words) -> Telling:
    minutes = words.span(int(CODE_FOR.total_seconds()))
    lines = (
        words.line("The code is {code}. It works once, within {time}.", code=done.code, time=minutes),
        words.line("Whoever owns the other place says there: /community join {code}", code=done.code),
        words.line(
            "That place then shares this community: its coins, boards and rules. You stay its owner; what those who "
            "run that place are here, the setting joined_staff says."
        ),
    )
    return Telling(nodes=lines, fields={"code": done.code})


@asks(PlaceJoined)
def would_join(receipt: PlaceJoined, done: Done, words: Words) -> Telling:
    there = _place(receipt.there, words)
    lines = (
        words.line(
            "{name} would share the community of {there} from then on: its {coins}, gifts, boards and rules hold here.",
            name=_place(receipt.name, words),
            there=there,
            coins=words.called(receipt.currency_many),
        ),
        words.line(
            "Everyone here begins there with nothing, and days begin at midnight in {zone}.",
            zone=words.called(receipt.time_zone),
        ),
        words.line(
            "Its owner stays its owner. Whoever runs this place is {role} there, and can take it out again.",
            role=_staff(receipt.joined_staff, words),
        ),
        words.line(
            "This place's own {own}, history and rules stay as they are, out of reach, until /community leave brings "
            "them back. Nothing is merged, and nothing is lost.",
            own=words.called(receipt.own_currency_many),
        ),
        words.line("Buttons that were shown here before stop working."),
    )
    return Telling(nodes=lines, fields=_joined_fields(receipt))


@tells(PlaceJoined, visibility=Visibility.PUBLIC)
def has_joined(receipt: PlaceJoined, done: Done, words: Words) -> Telling:
    lines = (
        words.line(
            "{name} shares the community of {there} now: its {coins}, gifts, boards and rules hold here.",
            name=_place(receipt.name, words),
            there=_place(receipt.there, words),
            coins=words.called(receipt.currency_many),
        ),
        words.line(
            "The {own} of before are kept, and come back if this place leaves. /community shows where all meet.",
            own=words.called(receipt.own_currency_many),
        ),
    )
    return Telling(nodes=lines, fields=_joined_fields(receipt))


@asks(PlaceParted)
def would_part(receipt: PlaceParted, done: Done, words: Words) -> Telling:
    lines = (
        words.line(
            "{name} would have its own community again: its {own}, history, boards and rules, as they were.",
            name=_place(receipt.name, words),
            own=words.called(receipt.own_currency_many),
        ),
        words.line(
            "What people have in {coins} stays theirs in the community that is left. What was set for channels and "
            "roles of that place ends there.",
            coins=words.called(receipt.currency_many),
        ),
        words.line("Buttons that were shown there before stop working."),
    )
    return Telling(nodes=lines, fields=_parted_fields(receipt))


@tells(PlaceParted, visibility=Visibility.PUBLIC)
def has_parted(receipt: PlaceParted, done: Done, words: Words) -> Telling:
    name = _place(receipt.name, words)
    if receipt.removed:
        line = words.line("{name} does not belong to this community any more.", name=name)
    else:
        line = words.line(
            "{name} has its own community again: its {own}, history, boards and rules, as they were.",
            name=name,
            own=words.called(receipt.own_currency_many),
        )
    return Telling(nodes=(line,), fields=_parted_fields(receipt))


def _joined_fields(receipt: PlaceJoined) -> dict[str, FieldValue]:
    return {
        "place": receipt.name,
        "platform": receipt.platform,
        "there": receipt.there,
        "currency": receipt.currency_many,
        "own_currency": receipt.own_currency_many,
        "number": receipt.home,
    }


def _parted_fields(receipt: PlaceParted) -> dict[str, FieldValue]:
    return {
        "place": receipt.name,
        "platform": receipt.platform,
        "number": receipt.home,
        "removed": receipt.removed,
    }


def _place(name: str, words: Words) -> str:
    """What a place is called; some doors cannot say."""
    return words.called(name) if name else words.text("a place without a name")


def _staff(role: str, words: Words) -> str:
    return words.text("a member") if role == "none" else role_name(Role(role), words)


def platform_name(platform: str) -> str:
    return _PLATFORMS.get(platform, platform)
