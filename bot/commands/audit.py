"""`/audit`: everything that happened, for those who answer for it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from adapters.contract import FieldValue, File, Reply, Table
from bot.asked import Asked
from bot.commands.registry import command
from bot.entry_texts import fact_name, gist, named, told
from bot.options import FIRST_PAGE, Page
from bot.paging import page_buttons
from bot.rows import written
from bot.telling import Telling
from bot.wording import Words
from economy.rules.permissions import Right
from economy.values import EntryNumber, MemberId, Sighting, receipt_id
from economy.views import AuditPage, EntryView

EXPORT_ROWS_MAX: Final = 5_000
_EXPORT_PAGE: Final = 100
_MEMBERS_MAX: Final = 20
"""The most members that a row of the export names."""


class EntryKind(StrEnum):
    """The kinds of entries that can be asked for."""

    TIP = "tip"
    REACTION = "reaction"
    CLAIM = "claim"
    CLAIMED = "claimed"
    REFUND = "refund"
    GIFT = "gift"
    COINS = "coins"
    UNDO = "undo"
    DAILY = "daily"
    WELCOME = "welcome"
    CHEST = "chest"
    CATALOGUE = "catalogue"
    CREATOR = "creator"
    PROFILE = "profile"
    GIFTS = "gifts"
    SETTINGS = "settings"
    FEATURES = "features"
    ROLES = "roles"
    CHANNELS = "channels"
    COMMUNITY = "community"
    FREEZE = "freeze"
    BLOCK = "block"
    REACTIONS = "reactions"
    HIDE = "hide"
    WORDS = "words"
    REDACT = "redact"
    JOIN = "join"
    LEAVE = "leave"
    CONNECT = "connect"
    DISCONNECT = "disconnect"


class _Wanted:
    """What `/audit` was asked to show, and how to ask for it again."""

    def __init__(
        self,
        member: tuple[Sighting, MemberId] | None,
        actor: tuple[Sighting, MemberId] | None,
        kind: EntryKind | None,
        since: datetime | None,
        *,
        refused: bool,
    ) -> None:
        self.member = member
        self.actor = actor
        self.kind = kind
        self.since = since
        self.refused = refused

    async def page(self, asked: Asked, page: int, size: int) -> AuditPage:
        return await asked.economy.reads.audit(
            asked.community_id,
            member=self.member[1] if self.member else None,
            actor=self.actor[1] if self.actor else None,
            kind=None if self.kind is None else str(self.kind),
            since=self.since,
            refused=self.refused,
            page=page,
            size=size,
        )

    @property
    def line(self) -> str:
        """The command line that asks for the same again."""
        parts = ["audit"]
        if self.member:
            parts.append(f"id:{self.member[0].identity.native_id}")
        if self.refused:
            parts.append("refused")
        if self.kind:
            parts.append(f"kind:{self.kind}")
        if self.actor:
            parts.append(f"actor:id:{self.actor[0].identity.native_id}")
        if self.since:
            parts.append(f"since:{self.since:%Y-%m-%dT%H:%MZ}")
        return " ".join(parts)


@command(
    right=Right.SEE_AUDIT,
    examples=("audit", "audit @bo since:3d", "audit kind:settings actor:@ana", "audit refused", "audit csv"),
)
async def audit(
    asked: Asked,
    member: Annotated[Sighting | None, "only what touched this member"] = None,
    *,
    show: Annotated[Literal["refused", "csv"] | None, "what was refused instead; or all of it as a file"] = None,
    page: Annotated[Page, "which page"] = FIRST_PAGE,
    kind: Annotated[EntryKind | None, "only entries of this kind, such as coins or settings"] = None,
    actor: Annotated[Sighting | None, "only what this member did"] = None,
    since: Annotated[datetime | None, "only from then on: 2h, 3d or 2026-01-05"] = None,
) -> Reply:
    """Search everything that happened here: who did what to whom, when and why."""
    asked.must_be_allowed(Right.SEE_AUDIT)
    wanted = _Wanted(
        None if member is None else (member, await asked.member(member)),
        None if actor is None else (actor, await asked.member(actor)),
        kind,
        since,
        refused=show == "refused",
    )
    if show == "csv":
        return asked.reply(await _exported(asked, wanted))
    found = await wanted.page(asked, page, 10)
    telling = await (_refusals(asked, found) if wanted.refused else _entries(asked, found))
    buttons = page_buttons(wanted.line, page, asked.words, has_more=found.has_more, named=True)
    return asked.reply(Telling(nodes=telling.nodes, fields=telling.fields, buttons=buttons))


async def _entries(asked: Asked, found: AuditPage) -> Telling:
    words = await asked.words_for(named(found.entries))
    if not found.entries:
        return Telling(nodes=(words.line("Nothing like that happened here."),), fields={"rows": [], "page": found.page})
    table = Table(
        (words.text("Receipt"), words.text("When"), words.text("Who"), words.text("What"), words.text("Why")),
        tuple(
            (
                receipt_id(entry.number),
                words.moment(entry.at),
                words.name(entry.actor).text,
                gist(entry, words),
                entry.reason,
            )
            for entry in found.entries
        ),
    )
    rows: list[FieldValue] = [_entry_fields(entry, words) for entry in found.entries]
    return Telling(nodes=(table,), fields={"rows": rows, "page": found.page})


async def _refusals(asked: Asked, found: AuditPage) -> Telling:
    words = await asked.words_for(refused.actor for refused in found.refused)
    if not found.refused:
        return Telling(
            nodes=(words.line("Nothing like that was refused here."),), fields={"rows": [], "page": found.page}
        )
    table = Table(
        (words.text("When"), words.text("Who"), words.text("What"), words.text("Refused as")),
        tuple(
            (words.moment(refused.at), words.name(refused.actor).text, refused.kind, refused.code)
            for refused in found.refused
        ),
    )
    rows: list[FieldValue] = [
        {
            "kind": refused.kind,
            "actor": words.field(refused.actor),
            "code": refused.code,
            "at": refused.at.isoformat(),
        }
        for refused in found.refused
    ]
    return Telling(nodes=(table,), fields={"rows": rows, "page": found.page})


async def _exported(asked: Asked, wanted: _Wanted) -> Telling:
    # By number: an entry that was made while the pages were read has moved others to the next page.
    rows: dict[EntryNumber, tuple[str | int | None, ...]] = {}
    page, has_more = 0, True
    while has_more and len(rows) < EXPORT_ROWS_MAX:
        page += 1
        found = await wanted.page(asked, page, _EXPORT_PAGE)
        has_more = found.has_more
        words = await asked.words_for(named(found.entries))
        rows |= {entry.number: _exported_row(entry, words) for entry in found.entries}
    lines = [asked.words.lines("{n} entry.", "{n} entries.", len(rows))]
    if has_more:
        lines.append(asked.words.line("There are older ones; narrow it down with since, kind or a member."))
    file = File("audit.csv", written([_HEADINGS, *rows.values()]))
    return Telling(nodes=(*lines, file), fields={"entries": len(rows), "complete": not has_more})


_HEADINGS: Final = ("receipt", "at", "kind", "actor", "members", "what", "reason", "note", "undone_by")


def _exported_row(entry: EntryView, words: Words) -> tuple[str | int | None, ...]:
    return (
        receipt_id(entry.number),
        entry.at.isoformat(),
        entry.kind,
        words.field(entry.actor),
        ", ".join(words.field(member) for member in entry.touched[:_MEMBERS_MAX]),
        gist(entry, words),
        entry.reason,
        entry.note,
        None if entry.undone_by is None else receipt_id(entry.undone_by),
    )


def _entry_fields(entry: EntryView, words: Words) -> FieldValue:
    return {
        "receipt": receipt_id(entry.number),
        "kind": entry.kind,
        "actor": words.field(entry.actor),
        "members": [words.field(member) for member in entry.touched],
        "reason": entry.reason,
        "note": entry.note,
        "at": entry.at.isoformat(),
        "undone_by": None if entry.undone_by is None else receipt_id(entry.undone_by),
        "undoes": [receipt_id(number) for number in entry.undoes],
        "changes": [
            {"name": fact_name(fact, words), "before": fact.before, "after": fact.after} for fact in told(entry)
        ],
    }
