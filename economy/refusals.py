"""What an order answers when a rule says no: a code and facts, never a sentence."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

Value = str | int | bool | None


class Code(StrEnum):
    """Every reason to refuse. Scripts rely on these names: they are never renamed or reused."""

    INVALID_AMOUNT = "invalid_amount"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    SELF_TRANSFER = "self_transfer"
    RECIPIENT_IS_BOT = "recipient_is_bot"
    UNKNOWN_MEMBER = "unknown_member"
    UNKNOWN_GIFT = "unknown_gift"
    GIFTS_OFF = "gifts_off"
    UNKNOWN_RECEIPT = "unknown_receipt"
    ALREADY_UNDONE = "already_undone"
    UNDO_WINDOW_OVER = "undo_window_over"
    NOTHING_TO_UNDO = "nothing_to_undo"
    FROZEN = "frozen"
    BLOCKED = "blocked"
    IN_DEBT = "in_debt"
    LIMIT_EXCEEDED = "limit_exceeded"
    ALREADY_CLAIMED = "already_claimed"
    NOT_ALLOWED = "not_allowed"
    REASON_REQUIRED = "reason_required"
    KEY_REUSED = "key_reused"
    EXPIRED = "expired"
    BUSY = "busy"
    FEATURE_OFF = "feature_off"
    UNKNOWN_COMMAND = "unknown_command"
    INVALID_ARGUMENT = "invalid_argument"
    # Below: beyond the first list, where a feature needed one.
    TEXT_NOT_ALLOWED = "text_not_allowed"
    AMBIGUOUS = "ambiguous"
    READ_ONLY = "read_only"


class Refusal(Struct, frozen=True, tag="refusal"):
    """A rule's no. `fields` are the rule and its numbers; keys ending in `_id` hold MemberIds, `_at` ISO times.

    `rule` tells refusals of one code apart (`limit_exceeded` of the balance cap or of a moderator's day), so that
    wording can name the rule; it is part of `fields`.
    """

    code: Code
    fields: dict[str, Value] = {}

    @property
    def rule(self) -> str | None:
        found = self.fields.get("rule")
        return found if isinstance(found, str) else None


def refuse(code: Code, **fields: Value) -> Refusal:
    """`refuse(Code.INSUFFICIENT_FUNDS, needed=100, available=20)`."""
    return Refusal(code, fields)
