"""Who may do what: the one table that rules, help and docs read. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from economy.books import FREEZE, Books, Member
from economy.refusals import Code, Refusal, refuse
from economy.values import Role


class Right(StrEnum):
    """What needs more than being a member."""

    TIP_ROLES = "tip_roles"
    ADJUST_FREE = "adjust_free"
    ADJUST_BOUGHT = "adjust_bought"
    UNDO_ANY = "undo_any"
    FREEZE = "freeze"
    FREEZE_ALL = "freeze_all"
    SEE_AUDIT = "see_audit"
    SEE_WALLETS = "see_wallets"
    SPEND_CHEST = "spend_chest"
    SETTINGS = "settings"
    APPOINT = "appoint"
    APPOINT_OPERATOR = "appoint_operator"
    WORDS = "words"
    REMOVE_TEXTS = "remove_texts"
    APPROVE_CREATORS = "approve_creators"
    CATALOGUE = "catalogue"
    PLACES = "places"


_OPERATOR, _OWNER, _TREASURER, _MODERATOR, _AUDITOR, _ADMINISTRATOR = (
    Role.OPERATOR,
    Role.OWNER,
    Role.TREASURER,
    Role.MODERATOR,
    Role.AUDITOR,
    Role.ADMINISTRATOR,
)

# Whoever may do everything on the platform moderates here, and mints nothing until the owner says so.
# The operator runs this Florin and answers for what can be turned into money; a community's rules are its owner's.
WHO_MAY: Final[dict[Right, frozenset[Role]]] = {
    Right.TIP_ROLES: frozenset({_OWNER, _TREASURER}),
    Right.ADJUST_FREE: frozenset({_OPERATOR, _OWNER, _TREASURER, _MODERATOR}),
    Right.ADJUST_BOUGHT: frozenset({_OPERATOR}),
    Right.UNDO_ANY: frozenset({_OPERATOR, _OWNER, _MODERATOR, _ADMINISTRATOR}),
    Right.FREEZE: frozenset({_OPERATOR, _OWNER, _MODERATOR, _ADMINISTRATOR}),
    Right.FREEZE_ALL: frozenset({_OPERATOR, _OWNER}),
    Right.SEE_AUDIT: frozenset({_OPERATOR, _OWNER, _TREASURER, _MODERATOR, _AUDITOR, _ADMINISTRATOR}),
    Right.SEE_WALLETS: frozenset({_OPERATOR, _OWNER, _TREASURER, _MODERATOR, _AUDITOR, _ADMINISTRATOR}),
    Right.SPEND_CHEST: frozenset({_OWNER, _TREASURER}),
    Right.SETTINGS: frozenset({_OWNER}),
    Right.APPOINT: frozenset({_OWNER}),
    Right.APPOINT_OPERATOR: frozenset({_OPERATOR}),
    Right.WORDS: frozenset({_OWNER, _MODERATOR, _ADMINISTRATOR}),
    Right.REMOVE_TEXTS: frozenset({_OWNER, _MODERATOR, _ADMINISTRATOR}),
    Right.APPROVE_CREATORS: frozenset({_OWNER, _MODERATOR, _ADMINISTRATOR}),
    Right.CATALOGUE: frozenset({_OWNER}),
    Right.PLACES: frozenset({_OWNER}),
}


def roles_with(right: Right) -> str:
    """Who has a right, comma separated, as refusals and help name them: whom one could ask. An administrator is named
    by none of ours."""
    return ",".join(role for role in Role if role in WHO_MAY[right] and role is not _ADMINISTRATOR)


def may(roles: frozenset[Role], right: Right) -> bool:
    return not WHO_MAY[right].isdisjoint(roles)


def must_be_allowed(books: Books, actor: Member, right: Right) -> Refusal | None:
    """Refuses with the roles that would be needed, most common first.

    Staff whose sending is frozen, or who left, decide nothing meanwhile; owner and operator cannot be locked out.
    """
    roles = books.roles_of(actor)
    if may(roles, right):
        if not roles.isdisjoint({_OPERATOR, _OWNER}):
            return None
        if actor.flags.get(FREEZE) in ("send", "both"):
            return refuse(Code.FROZEN, rule="staff", appeal=books.settings.appeal)
        return None if actor.is_present else refuse(Code.NOT_ALLOWED, rule="absent")
    return refuse(Code.NOT_ALLOWED, rule=str(right), roles=roles_with(right))
