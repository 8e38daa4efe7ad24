"""A no on its way to whoever asked: raised by parsing, queries and submissions, caught by the dispatcher alone."""

from __future__ import annotations

from typing import NoReturn

from economy.refusals import Code, Refusal, Value
from economy.service import Offered


class Refused(Exception):  # it is no error, and DESIGN's word for it is this
    """What was asked is refused. `offered` are the buttons that help, where the economy offered some."""

    def __init__(self, refusal: Refusal, offered: tuple[Offered, ...] = ()) -> None:
        super().__init__(str(refusal.code))
        self.refusal = refusal
        self.offered = offered


def refuse_asked(code: Code, **fields: Value) -> NoReturn:
    """Raises `Refused`: `refuse_asked(Code.INVALID_ARGUMENT, rule="missing", option="to")`."""
    raise Refused(Refusal(code, fields))
