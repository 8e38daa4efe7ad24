"""`/creator`: becoming one, being one, and how that reads."""

from __future__ import annotations

from typing import Annotated

from adapters.contract import FieldValue, Line, Reply
from bot.asked import Asked
from bot.commands.registry import command, tells
from bot.gifts import gift_name
from bot.options import GiftName
from bot.telling import Done, Telling
from bot.wording import Words
from economy.books import CREATOR, FAVOURITES
from economy.rules.creating import BeCreator, CreatorChanged, DescribeCreator, JudgeCreator, ProfileChanged
from economy.rules.permissions import Right
from economy.settings import Feature
from economy.values import NO_NOTE, NO_REASON, MemberId, Note, Reason, Role, Sighting
from economy.views import Reader


@command(feature=Feature.CREATORS, examples=("creator", "creator @bo"))
async def creator(asked: Asked, member: Annotated[Sighting | None, "whose page; yours if left out"] = None) -> Reply:
    """See a creator's page: who they are, and the gifts they like best."""
    person = member or asked.invocation.person
    subject = asked.member_id if member is None else await asked.member(member)
    reader = await asked.economy.reads.reader(asked.invocation.place, person.identity)
    words = await asked.words_for([subject])
    profile = await asked.economy.reads.text(asked.community_id, subject, "profile")
    liked = _favourites(reader)
    state = _state(reader)
    lines = [_own_state(words, state) if subject == asked.member_id else _state_of(words, state, subject)]
    if profile:
        lines.append(words.quote(profile))
    if liked:
        gifts = ", ".join(gift_name(slug, words) for slug in liked)
        lines.append(words.line("Favourite gifts: {gifts}.", gifts=gifts))
    favourites: list[FieldValue] = [*liked]
    fields: dict[str, FieldValue] = {
        "member": words.field(subject),
        "state": state,
        "profile": profile,
        "favourites": favourites,
    }
    return asked.reply(Telling(nodes=tuple(lines), fields=fields))


def _own_state(words: Words, state: str) -> Line:
    match state:
        case "creator":
            return words.line("You are a creator.")
        case "asked":
            return words.line("You asked to be a creator, and a moderator has yet to decide.")
        case _:
            return words.line("You are no creator. /creator join makes you one.")


def _state_of(words: Words, state: str, member: MemberId) -> Line:
    name = words.name(member)
    if state == "creator":
        return words.line("{member} is a creator.", member=name)
    return words.line("{member} is no creator.", member=name)


def _state(reader: Reader) -> str:
    """`creator`, `asked` or `none`."""
    if Role.CREATOR in reader.roles:
        return "creator"
    return "asked" if reader.flags.get(CREATOR) == "asked" else "none"


def _favourites(reader: Reader) -> list[str]:
    found = reader.flags.get(FAVOURITES)
    return found.split(",") if isinstance(found, str) and found else []


@command(name="creator join", feature=Feature.CREATORS)
async def join(asked: Asked) -> Reply:
    """Become a creator, who earns from gifts."""
    return await asked.submit(BeCreator(by=asked.by))


@command(name="creator leave", feature=Feature.CREATORS)
async def leave(asked: Asked) -> Reply:
    """Stop being a creator; what you earned stays yours."""
    return await asked.submit(BeCreator(by=asked.by, wanted=False))


@command(
    name="creator approve", right=Right.APPROVE_CREATORS, feature=Feature.CREATORS, examples=("creator approve @bo",)
)
async def approve(asked: Asked, member: Annotated[Sighting, "who asked"]) -> Reply:
    """Let a member who asked be a creator."""
    return await asked.submit(JudgeCreator(by=asked.by, member=member.identity, approved=True))


@command(
    name="creator decline",
    right=Right.APPROVE_CREATORS,
    feature=Feature.CREATORS,
    examples=("creator decline @bo please fill in your profile first",),
)
async def decline(
    asked: Asked,
    member: Annotated[Sighting, "who asked"],
    reason: Annotated[Reason, "why, for them and for the audit"] = NO_REASON,
) -> Reply:
    """Decline a member who asked to be a creator, with the reason."""
    return await asked.submit(JudgeCreator(by=asked.by, member=member.identity, approved=False, reason=reason))


@command(name="creator profile", feature=Feature.CREATORS, examples=("creator profile I draw birds, live on Sundays",))
async def profile(asked: Asked, text: Annotated[Note, "a few words; none remove it"] = NO_NOTE) -> Reply:
    """Say on your page who you are."""
    return await asked.submit(DescribeCreator(by=asked.by, profile=text))


@command(
    name="creator favourites", feature=Feature.CREATORS, examples=("creator favourites rose cake", "creator favourites")
)
async def favourites(
    asked: Asked,
    first: Annotated[GiftName | None, "the gift you like best; none at all clears the list"] = None,
    second: Annotated[GiftName | None, "another"] = None,
    third: Annotated[GiftName | None, "another"] = None,
    fourth: Annotated[GiftName | None, "another"] = None,
    fifth: Annotated[GiftName | None, "another"] = None,
) -> Reply:
    """Show on your page which gifts you like best."""
    liked = dict.fromkeys(gift for gift in (first, second, third, fourth, fifth) if gift is not None)
    return await asked.submit(DescribeCreator(by=asked.by, favourites=tuple(liked)))


@tells(CreatorChanged)
def creator_changed(receipt: CreatorChanged, done: Done, words: Words) -> Telling:
    if receipt.actor == receipt.member:
        lines = _own_change(receipt, words)
    elif receipt.state == "creator":
        lines = (words.line("{member} is a creator now.", member=words.name(receipt.member)),)
    else:
        lines = (words.line("{member} was declined as a creator.", member=words.name(receipt.member)),)
    return Telling(nodes=lines, fields={"member": words.field(receipt.member), "state": receipt.state})


def _own_change(receipt: CreatorChanged, words: Words) -> tuple[Line, ...]:
    match receipt.state:
        case "creator":
            return (
                words.line(
                    "You are a creator now, and earn {share} of every gift to you that is paid with bought coins.",
                    share=words.percent(words.settings.share),
                ),
                words.line("/creator profile and /creator favourites tell givers about you."),
            )
        case "asked":
            return (words.line("You asked to be a creator. A moderator will decide."),)
        case _:
            return (words.line("You are no creator any more. What you earned stays yours."),)


@tells(ProfileChanged)
def profile_changed(receipt: ProfileChanged, done: Done, words: Words) -> Telling:
    if receipt.favourites is None:
        line = words.line("Your profile is changed. /creator shows it.")
    elif receipt.favourites:
        gifts = ", ".join(gift_name(slug, words) for slug in receipt.favourites)
        line = words.line("Your favourite gifts are now: {gifts}.", gifts=gifts)
    else:
        line = words.line("You have no favourite gifts now.")
    liked: list[FieldValue] = [*(receipt.favourites or ())]
    return Telling(nodes=(line,), fields={"favourites": None if receipt.favourites is None else liked})
