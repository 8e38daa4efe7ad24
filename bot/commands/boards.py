"""`/top`: who gives, who receives, who tips."""

from __future__ import annotations

from typing import Annotated

from adapters.contract import Button, FieldValue, Line, Node, Plain, Reply, Strong, Table, Visibility
from bot.asked import Asked
from bot.commands.registry import command
from bot.options import FIRST_PAGE, Page
from bot.paging import look, page_buttons
from bot.telling import Telling
from bot.wording import Words
from economy.books import AMOUNT_HIDDEN, HIDDEN
from economy.projections.boards import Board, Period, periods_of
from economy.refusals import Code
from economy.settings import Feature, Settings
from economy.views import BoardPage

FRONT = (Period.WEEK, Period.MONTH, Period.ALL)
"""The periods that have a button; hour and day are there for who asks."""


@command(
    aliases=("leaderboard", "lb"),
    visibility=Visibility.PUBLIC,
    feature=Feature.BOARDS,
    examples=("top", "top creators month", "top tippers all 2"),
    in_menu=True,
)
async def top(
    asked: Asked,
    board: Annotated[Board | None, "which board; this week's givers if left out"] = None,
    period: Annotated[Period, "over which time"] = Period.WEEK,
    page: Annotated[Page, "which page"] = FIRST_PAGE,
) -> Reply:
    """See who gives, receives and tips the most, and where you stand."""
    settings = asked.reader.settings
    if board is Board.BALANCE and not settings.balance_board:
        asked.refuse(Code.FEATURE_OFF, rule="balance_board", feature="balance_board")
    found = await _page(asked, board or _first_board(settings), period, page)
    if board is None and found.board == Board.SUPPORTERS and not found.rows and page == FIRST_PAGE:
        found = await _page(asked, Board.TIPPERS, period, page)
    # Their own rank is in the answer, and whoever hides shows that to nobody.
    hides = any(asked.reader.flags.get(flag) is True for flag in (HIDDEN, AMOUNT_HIDDEN))
    words = await asked.words_for([row.member_id for row in found.rows], public=not hides)
    telling = Telling(
        nodes=_nodes(found, words, asked.invocation.person.name),
        fields=_fields(found, words),
        buttons=_buttons(found, words),
    )
    return asked.reply(telling, visibility=Visibility.PRIVATE if hides else Visibility.PUBLIC)


def _first_board(settings: Settings) -> Board:
    return Board.SUPPORTERS if settings.feature_on(Feature.GIFTS) else Board.TIPPERS


async def _page(asked: Asked, board: Board, period: Period, page: Page) -> BoardPage:
    offered = periods_of(board)
    return await asked.economy.board(
        asked.community_id,
        board,
        period if period in offered else offered[-1],
        reader=asked.reader.member_id,
        page=page,
    )


def _nodes(found: BoardPage, words: Words, asker: str) -> tuple[Node, ...]:
    title = Line((Strong(_title(found, words)),))
    if not found.rows:
        nobody = _nobody(found, words) if found.page == 1 else words.line("Nobody is on this page.")
        return (title, nobody, _own(found, words, asker))
    table = Table(
        (words.text("#"), words.text("Name"), words.text("Coins")),
        tuple(
            (
                words.number(row.rank),
                words.name(row.member_id).text,
                "–" if row.score is None else words.score(row.score),
            )
            for row in found.rows
        ),
        right_aligned=(0, 2),
    )
    return (title, table, _own(found, words, asker))


def _own(found: BoardPage, words: Words, asker: str) -> Line:
    name = Plain(words.called(asker))
    if found.own_rank is None:
        return words.line("{name} is not on it yet.", name=name)
    return words.line(
        "{name} is number {rank} with {score}.", name=name, rank=found.own_rank, score=words.coins(found.own_score)
    )


def _title(found: BoardPage, words: Words) -> str:
    titles = {
        (Board.SUPPORTERS, Period.HOUR): words.text("Supporters of this hour"),
        (Board.SUPPORTERS, Period.DAY): words.text("Supporters of today"),
        (Board.SUPPORTERS, Period.WEEK): words.text("Supporters of this week"),
        (Board.SUPPORTERS, Period.MONTH): words.text("Supporters of this month"),
        (Board.SUPPORTERS, Period.ALL): words.text("Supporters of all time"),
        (Board.CREATORS, Period.HOUR): words.text("Creators of this hour"),
        (Board.CREATORS, Period.DAY): words.text("Creators of today"),
        (Board.CREATORS, Period.WEEK): words.text("Creators of this week"),
        (Board.CREATORS, Period.MONTH): words.text("Creators of this month"),
        (Board.CREATORS, Period.ALL): words.text("Creators of all time"),
        (Board.TIPPERS, Period.HOUR): words.text("Tippers of this hour"),
        (Board.TIPPERS, Period.DAY): words.text("Tippers of today"),
        (Board.TIPPERS, Period.WEEK): words.text("Tippers of this week"),
        (Board.TIPPERS, Period.MONTH): words.text("Tippers of this month"),
        (Board.TIPPERS, Period.ALL): words.text("Tippers of all time"),
        (Board.BALANCE, Period.ALL): words.text("Balances"),
    }
    return titles[Board(found.board), Period(found.period)]


def _nobody(found: BoardPage, words: Words) -> Line:
    """How to be the first, for who is not on it: those who hide are, unseen."""
    if found.own_rank is not None:
        return words.line("Nobody else is here.")
    match Board(found.board):
        case Board.SUPPORTERS:
            return words.line("Nobody is here yet. Be the first and send a gift: /gift rose @name")
        case Board.CREATORS:
            return words.line("Nobody is here yet. Whoever gets a gift is the first: /gift rose @name")
        case Board.TIPPERS:
            return words.line("Nobody is here yet. Be the first and tip somebody: /tip @name 5")
        case Board.BALANCE:
            return words.line("Nobody has coins yet. Be the first: /daily")


def _fields(found: BoardPage, words: Words) -> dict[str, FieldValue]:
    rows: list[FieldValue] = [
        {"rank": row.rank, "name": words.field(row.member_id), "score": row.score} for row in found.rows
    ]
    return {
        "board": found.board,
        "period": found.period,
        "rows": rows,
        "own": {"rank": found.own_rank, "score": found.own_score},
        "page": found.page,
    }


def _buttons(found: BoardPage, words: Words) -> tuple[Button, ...]:
    """Other periods first, then other boards, then pages."""
    period_names = {
        Period.WEEK: words.text("Week"),
        Period.MONTH: words.text("Month"),
        Period.ALL: words.text("All time"),
    }
    board_names = {
        Board.SUPPORTERS: words.text("Supporters"),
        Board.CREATORS: words.text("Creators"),
        Board.TIPPERS: words.text("Tippers"),
        Board.BALANCE: words.text("Balances"),
    }
    offered = [Board.TIPPERS]
    if words.settings.feature_on(Feature.GIFTS):
        offered = [Board.SUPPORTERS, Board.CREATORS, Board.TIPPERS]
    if words.settings.balance_board:
        offered.append(Board.BALANCE)
    periods = [
        look(period_names[period], f"top {found.board} {period}")
        for period in FRONT
        if period != found.period and period in periods_of(Board(found.board))
    ]
    boards = [look(board_names[board], f"top {board} {found.period}") for board in offered if board != found.board]
    pages = page_buttons(f"top {found.board} {found.period}", found.page, words, has_more=found.has_more)
    return (*periods, *boards, *pages)
