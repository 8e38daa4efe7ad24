"""`/block`, `/unblock`, `/blocks` for members; `/freeze`, `/unfreeze` for staff; and how they read."""

from __future__ import annotations

from typing import Annotated, Literal

from adapters.contract import Line, Listing, Reply
from bot.asked import Asked
from bot.commands.registry import command, tells
from bot.meanings import usage
from bot.telling import Done, Telling
from bot.wording import Words
from economy.books import Order
from economy.refusals import Code
from economy.rules.permissions import Right
from economy.rules.safety import Block, Blocked, Freeze, FreezeAll, Frozen, Scope
from economy.values import NO_REASON, Reason, Sighting

Everyone = Literal["everyone"]


@command(examples=("block @bo",))
async def block(asked: Asked, member: Annotated[Sighting, "whose tips, gifts and notes you do not want"]) -> Reply:
    """Refuse a member's tips, gifts and notes to you, without telling them."""
    return await asked.submit(Block(by=asked.by, other=member.identity))


@command(examples=("unblock @bo",))
async def unblock(asked: Asked, member: Annotated[Sighting, "whom to accept again"]) -> Reply:
    """Accept a blocked member's tips and gifts again."""
    return await asked.submit(Block(by=asked.by, other=member.identity, blocked=False))


@command()
async def blocks(asked: Asked) -> Reply:
    """See whom you have blocked."""
    blocked = await asked.economy.reads.blocked_by(asked.community_id, asked.member_id)
    words = await asked.words_for(blocked)
    nodes: tuple[Line | Listing, ...] = (words.line("You have blocked nobody."),)
    if blocked:
        nodes = (
            words.lines("You have blocked {n} member:", "You have blocked {n} members:", len(blocked)),
            Listing(tuple(Line((words.name(member),)) for member in blocked)),
        )
    return asked.reply(Telling(nodes=nodes, fields={"members": [words.field(member) for member in blocked]}))


@tells(Blocked)
def blocked(receipt: Blocked, done: Done, words: Words) -> Telling:
    other = words.name(receipt.other)
    if receipt.blocked:
        line = words.line("{other} can no longer send you coins, gifts or notes, and is not told.", other=other)
    else:
        line = words.line("{other} can send you coins and gifts again.", other=other)
    return Telling(nodes=(line,), fields={"member": words.field(receipt.other), "blocked": receipt.blocked})


@command(right=Right.FREEZE, examples=("freeze @bo looks like a stolen account", "freeze everyone we look into it"))
async def freeze(
    asked: Asked,
    *,
    everyone: Annotated[Everyone | None, "stops all coins of the community; for owners"] = None,
    member: Annotated[Sighting | None, "who is stopped"] = None,
    what: Annotated[Scope, "what they can no longer do"] = Scope.BOTH,
    reason: Annotated[Reason, "why, for the audit"] = NO_REASON,
) -> Reply:
    """Stop a member, or everyone, from moving coins until you lift it."""
    return await asked.submit(_freezing(asked, everyone, member, what, reason))


@command(right=Right.FREEZE, examples=("unfreeze @bo it was them after all", "unfreeze everyone all is well"))
async def unfreeze(
    asked: Asked,
    *,
    everyone: Annotated[Everyone | None, "lets coins move again; for owners"] = None,
    member: Annotated[Sighting | None, "who may move coins again"] = None,
    reason: Annotated[Reason, "why, for the audit"] = NO_REASON,
) -> Reply:
    """Let a member, or everyone, move coins again."""
    return await asked.submit(_freezing(asked, everyone, member, None, reason))


def _freezing(
    asked: Asked, everyone: Everyone | None, member: Sighting | None, scope: Scope | None, reason: Reason
) -> Order:
    if everyone is not None and member is not None:
        asked.refuse(Code.AMBIGUOUS, rule="everyone")
    if everyone is not None:
        return FreezeAll(by=asked.by, frozen=scope is not None, reason=reason)
    if member is None:
        line = usage(asked.command.spec)
        asked.refuse(Code.INVALID_ARGUMENT, rule="missing", option="member", needed="who is meant", usage=line)
    return Freeze(by=asked.by, member=member.identity, scope=scope, reason=reason)


@tells(Frozen)
def frozen(receipt: Frozen, done: Done, words: Words) -> Telling:
    return Telling(
        nodes=(_frozen_line(receipt, words),),
        fields={
            "member": None if receipt.member is None else words.field(receipt.member),
            "what": None if receipt.scope is None else str(receipt.scope),
        },
    )


def _frozen_line(receipt: Frozen, words: Words) -> Line:
    if receipt.member is None:
        if receipt.scope is None:
            return words.line("Coins can move again.")
        return words.line("Nobody can move coins until you lift it: /unfreeze everyone.")
    member = words.name(receipt.member)
    match receipt.scope:
        case None:
            return words.line("{member} can move coins again.", member=member)
        case Scope.SEND:
            return words.line("{member} can no longer send coins or gifts. /unfreeze lifts it.", member=member)
        case Scope.RECEIVE:
            return words.line("{member} can no longer receive coins or gifts. /unfreeze lifts it.", member=member)
        case Scope.BOTH:
            return words.line("{member} can no longer send or receive anything. /unfreeze lifts it.", member=member)
