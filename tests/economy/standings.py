"""Boards as one would work them out on paper, from the entries of a model."""

from __future__ import annotations

from datetime import datetime

from economy.books import AMOUNT_HIDDEN, HIDDEN, PRESENT
from economy.projections.boards import Board, Period, ScoreSum, period_start, score_sums, series_of, start_us
from economy.values import MemberId
from economy.views import BoardPage, BoardRow
from tests.economy.model import ModelEconomy


def is_on_boards(model: ModelEconomy, member_id: int) -> bool:
    flags = model.members[MemberId(member_id)].flags
    return flags.get(PRESENT) is True and flags.get(HIDDEN) is not True


def scores_of(model: ModelEconomy, board: Board, period: Period, now: datetime) -> dict[MemberId, ScoreSum]:
    """Everyone's score in the period that holds `now`."""
    wanted = series_of(board, period, start_us(now, model.settings.time_zone, period))
    sums = score_sums(model.entries.values())
    return {member: found for (series, member), found in sums.items() if series == wanted}


def whole_board(model: ModelEconomy, board: Board, period: Period, now: datetime, reader: MemberId) -> BoardPage:
    """A board on one page."""
    scores = scores_of(model, board, period, now)
    listed = sorted(
        (-score, reached, member)
        for member, (score, reached) in scores.items()
        if score > 0 and is_on_boards(model, member)
    )

    def rank(score: int) -> int:
        return 1 + sum(-less > score for less, _, _ in listed)

    def shown(member: MemberId, score: int) -> int | None:
        hides = model.members[member].flags.get(AMOUNT_HIDDEN) is True
        return None if hides and member != reader else score

    own = scores[reader][0] if reader in scores else 0
    return BoardPage(
        board=str(board),
        period=str(period),
        start=period_start(now, model.settings.time_zone, period),
        rows=tuple(BoardRow(rank(-less), member, shown(member, -less)) for less, _, member in listed),
        page=1,
        has_more=False,
        own_rank=rank(own) if own > 0 else None,
        own_score=max(0, own),
    )
