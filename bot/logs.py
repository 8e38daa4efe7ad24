"""Logs: one event a line on standard error, for people or for machines, and nothing in them that should not be.

Every line, of ours and of the libraries, passes the same three guards, last of all: words people wrote are left out,
secrets are covered, and whatever a terminal or a parser could take for more than text is escaped.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.settings import LogFormat, LogLevel
from economy.figures import Carried

ORDERS: Final = "florin.orders"
"""The logger that says what each order came to."""
FAILED: Final = "failed"
COVER: Final = "[secret]"
LEFT_OUT: Final = "[left out]"
# Names under which words that people wrote travel. None of them belongs in a log, whatever a library thinks.
_WORDS: Final = frozenset(
    {"content", "fields", "message", "note", "options", "parameters", "profile", "reason", "text", "words"}
)
_SECRETS: Final = re.compile(r"(?:token|password|passwd|secret|authorization|api_?key|dsn)$", re.IGNORECASE)
# Tokens by their shape and passwords by their place, so that one that nobody told us of is covered as well.
_SHAPES: Final = (
    (re.compile(r"(?<![0-9])[0-9]{6,12}:[A-Za-z0-9_-]{30,}"), COVER),
    (re.compile(r"\b[A-Za-z0-9_-]{20,40}\.[A-Za-z0-9_-]{5,8}\.[A-Za-z0-9_-]{25,}"), COVER),
    (re.compile(r"(\w://[^\s:/@]*):[^\s/]*@"), rf"\1:{COVER}@"),
)
_DISCREET: Final = ("economy.store.errors", "sqlite3")
_SECRET_LENGTH_MIN: Final = 4
"""Anything shorter would cover parts of ordinary words."""


def configure(
    level: LogLevel,
    shape: LogFormat,
    secrets: Iterable[str] = (),
    *,
    in_full: bool = False,
    stream: TextIO | None = None,
) -> None:
    """Sends every log of this process through the guards to `stream` (standard error). Later calls replace it.

    `in_full`: exceptions are logged with all they say, for debugging; secrets stay covered.
    """
    cover = Cover(secrets)
    guards: list[Processor] = [_leave_out_words, cover]
    render = _as_json if shape is LogFormat.JSON else _as_text
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _TellExceptions(in_full=in_full),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(
        _Formatter(
            _OrderLines(shape, cover),
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *guards, render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Their output holds statements with what people wrote, and addresses with the token.
    for chatty in (
        "aiosqlite",
        "alembic.runtime.plugins",
        "asyncpg",
        "discord",
        "httpcore",
        "httpx",
        "sqlalchemy",
        "telegram",
    ):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    # What logging says of its own failures quotes the event as it was, past the guards.
    logging.raiseExceptions = False


class OrderLog:
    """An `economy.figures.Observer` that logs a line for each order, one that failed at any level.

    A batch is one record: a thousand lines through all the guards would take longer than carrying them out.
    """

    def __init__(self) -> None:
        self._logger = logging.getLogger(ORDERS)

    def carried_out(self, orders: Sequence[Carried]) -> None:
        if not self._logger.isEnabledFor(logging.INFO):
            orders = [each for each in orders if each.outcome == FAILED]
        if orders:
            level = logging.ERROR if orders[0].outcome == FAILED else logging.INFO
            record = logging.LogRecord(ORDERS, level, __file__, 0, "%d orders", (len(orders),), None)
            record.orders = orders
            self._logger.handle(record)


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Orders by a way of their own, everything else through the processors."""

    def __init__(self, order_lines: _OrderLines, **more: Any) -> None:
        super().__init__(**more)
        self._order_lines = order_lines

    def format(self, record: logging.LogRecord) -> str:
        orders: Sequence[Carried] | None = getattr(record, "orders", None)
        return super().format(record) if orders is None else self._order_lines(orders, record.created)


class _OrderLines:
    """A line for each order, as the guards and renderers would make it: keys are all that comes from outside."""

    def __init__(self, shape: LogFormat, cover: Cover) -> None:
        self._line = _order_as_json if shape is LogFormat.JSON else _order_as_text
        self._cover = cover

    def __call__(self, orders: Sequence[Carried], at_s: float) -> str:
        timestamp = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        keys = "\n".join([each.key for each in orders])
        covered = self._cover.text(keys)
        if covered == keys and keys.count("\n") == len(orders) - 1 and keys.replace("\n", "").isprintable():
            return "\n".join([self._line(each, each.key, timestamp) for each in orders])
        return "\n".join([self._line(each, escaped(self._cover.text(each.key)), timestamp) for each in orders])


def _order_as_json(order: Carried, key: str, timestamp: str) -> str:
    level = "error" if order.outcome == FAILED else "info"
    number = "null" if order.number is None else order.number
    return (
        f'{{"code": "{order.code}", "community": {order.community}, "event": "order", "key": {json.dumps(key)},'
        f' "kind": "{order.kind}", "level": "{level}", "logger": "{ORDERS}", "ms": {order.took_s * 1000:.1f},'
        f' "number": {number}, "outcome": "{order.outcome}", "timestamp": "{timestamp}"}}'
    )


def _order_as_text(order: Carried, key: str, timestamp: str) -> str:
    level = "error" if order.outcome == FAILED else "info"
    code = f" code={order.code}" if order.code else ""
    number = "" if order.number is None else f" number={order.number}"
    return (
        f"{timestamp} {level:<7} order key={_word(key)} kind={order.kind} outcome={order.outcome}{code}"
        f" community={order.community}{number} ms={order.took_s * 1000:.1f} [{ORDERS}]"
    )


class Cover:
    """Replaces every secret in every value: those it was told, and what looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # Longest first, so that a secret within a secret leaves no rest.
        told = sorted((text for text in secrets if len(text) >= _SECRET_LENGTH_MIN), key=len, reverse=True)
        self._told = re.compile("|".join(re.escape(text) for text in told)) if told else None

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {name: COVER if _SECRETS.search(name) else self.value(value) for name, value in event.items()}

    def value(self, value: object) -> object:
        match value:
            case None | bool() | int() | float():
                return value
            case Mapping():
                return {
                    str(name): COVER if _SECRETS.search(str(name)) else self.value(inner)
                    for name, inner in value.items()
                }
            case list() | tuple() | set() | frozenset():
                return [self.value(inner) for inner in value]
            case _:
                return self.text(str(value))

    def text(self, text: str) -> str:
        """`text` without secrets."""
        if self._told is not None:
            text = self._told.sub(COVER, text)
        for shape, instead in _SHAPES:
            text = shape.sub(instead, text)
        return text


def escaped(text: str) -> str:
    """`text` on one line: what is not printable (newlines, terminal codes, bidi overrides) as backslash escapes."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode()
        for character in text
    )


def _leave_out_words(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: LEFT_OUT if name in _WORDS else value for name, value in event.items()}


class _TellExceptions:
    """Puts an exception's places and type where its traceback would be, without locals; see `tell`."""

    def __init__(self, *, in_full: bool) -> None:
        self._in_full = in_full

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        told = event.pop("exc_info", None)
        if told is True:
            told = sys.exc_info()
        error = told[1] if isinstance(told, tuple) else told
        if isinstance(error, BaseException):
            event["exception"] = tell(error, in_full=self._in_full)
        return event


def tell(error: BaseException, *, in_full: bool = False) -> list[str]:
    """An exception and its causes, earliest first: where each was raised, its type, and what it says.

    What it says is left out where it may quote what a person wrote, such as a statement with its values; `in_full`
    leaves nothing out.
    """
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    lines: list[str] = []
    for one in reversed(chain):
        lines += [
            f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(one.__traceback__)
        ]
        says = str(one) if in_full or _is_discreet(one) else ""
        lines.append(f"{type(one).__qualname__}: {says}" if says else type(one).__qualname__)
    return lines


def _is_discreet(error: BaseException) -> bool:
    """Whether its words are the system's, the database's or our store's, which name files, tables and keys alone."""
    return isinstance(error, OSError) or type(error).__module__ in _DISCREET


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    # ASCII only: every control character, also those above ASCII, leaves as an escape.
    return json.dumps(dict(event), default=str, ensure_ascii=True, sort_keys=True)


def _as_text(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    time, level = event.pop("timestamp", ""), event.pop("level", "")
    logger, what = event.pop("logger", None), event.pop("event", "")
    places: Any = event.pop("exception", None) or []
    pairs = (f"{escaped(name)}={_word(value)}" for name, value in event.items())
    parts = [time, f"{level:<7}", escaped(str(what)), *pairs]
    if logger:
        parts.append(f"[{escaped(str(logger))}]")
    return "\n    | ".join([" ".join(parts), *(escaped(str(place)) for place in places)])


def _word(value: object) -> str:
    """A value after `=`: quoted where it would read as more than one word."""
    if isinstance(value, str) and re.fullmatch(r"[\w.:/@+-]+", value):
        return value
    return escaped(json.dumps(value, default=str, ensure_ascii=False))
