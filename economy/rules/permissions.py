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


_OPERATOR, _OWNER, _TREASURER, _MODERATOR, _AUDITOR = (
    Role.OPERATOR,
    Role.OWNER,
    Role.TREASURER,
    Role.MODERATOR,
    Role.AUDITOR,
)

# The operator runs this Florin and answers for what can be turned into money; a community's rules are its owner's.
WHO_MAY: Final[dict[Right, frozenset[Role]]] = {
    Right.TIP_ROLES: frozenset({_OWNER, _TREASURER}),
    Right.ADJUST_FREE: frozenset({_OPERATOR, _OWNER, _TREASURER, _MODERATOR}),
    Right.ADJUST_BOUGHT: frozenset({_OPERATOR}),
    Right.UNDO_ANY: frozenset({_OPERATOR, _OWNER, _MODERATOR}),
    Right.FREEZE: frozenset({_OPERATOR, _OWNER, _MODERATOR}),
    Right.FREEZE_ALL: frozenset({_OPERATOR, _OWNER}),
    Right.SEE_AUDIT: frozenset({_OPERATOR, _OWNER, _TREASURER, _MODERATOR, _AUDITOR}),
    Right.SEE_WALLETS: frozenset({_OPERATOR, _OWNER, _TREASURER, _MODERATOR, _AUDITOR}),
    Right.SPEND_CHEST: frozenset({_OWNER, _TREASURER}),
    Right.SETTINGS: frozenset({_OWNER}),
    Right.APPOINT: frozenset({_OWNER}),
    Right.APPOINT_OPERATOR: frozenset({_OPERATOR}),
    Right.WORDS: frozenset({_OWNER, _MODERATOR}),
    Right.REMOVE_TEXTS: frozenset({_OWNER, _MODERATOR}),
    Right.APPROVE_CREATORS: frozenset({_OWNER, _MODERATOR}),
    Right.CATALOGUE: frozenset({_OWNER}),
}


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
    needed = ",".join(role for role in Role if role in WHO_MAY[right])
    return refuse(Code.NOT_ALLOWED, rule=str(right), roles=needed)
