"""Logs hold no secret, nothing that people wrote, and one event a line."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest
import structlog

from bot.logs import COVER, LEFT_OUT, OrderLog, configure, escaped, tell
from bot.settings import LogFormat, LogLevel
from economy.figures import Carried
from economy.values import Role
from tests.bot.talk import talking

TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"
PASSWORD = "canary-password"
SECRETS = (TOKEN, PASSWORD)

each_format = pytest.mark.parametrize("shape", list(LogFormat))


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def log(shape: LogFormat, secrets: tuple[str, ...] = SECRETS) -> io.StringIO:
    written = io.StringIO()
    configure(LogLevel.DEBUG, shape, secrets, stream=written)
    return written


def fail_with(words: str) -> None:
    secret_local = PASSWORD
    assert secret_local
    raise ValueError(words)


@each_format
def test_secrets_are_covered_wherever_they_stand(shape):
    """Fault 129: in the event, in values, nested, in an exception and its cause, and in a traceback's locals."""
    written = log(shape)
    logger = structlog.get_logger()
    event = f"connecting with {TOKEN}"
    logger.info(event, url=f"https://discord.example/{TOKEN}/x", token="short")
    logger.info("nested", settings={"store": f"postgresql://florin:{PASSWORD}@db/florin", "list": [PASSWORD]})
    try:
        try:
            fail_with(f"password {PASSWORD} refused")
        except ValueError as error:
            raise ConnectionError(f"https://api.example/bot{TOKEN}/getMe") from error
    except ConnectionError:
        logger.exception("failed")
    logging.getLogger("library").error("cannot reach %s", f"https://api.example/{TOKEN}", exc_info=False)
    told = written.getvalue()
    assert told.count("\n") >= 4
    assert not [secret for secret in SECRETS if secret in told]
    assert told.count(COVER) >= 6


@each_format
def test_a_token_that_nobody_told_us_of_is_covered_by_its_shape(shape):
    """Fault 129"""
    written = log(shape, ())
    structlog.get_logger().info("sent", url="https://api.example/bot7204815339:AAG0canary0canary0canary0canary0ca1/x")
    structlog.get_logger().info("sent", header=f"Bot {TOKEN}")
    structlog.get_logger().info("opened", store=f"postgresql://florin:{PASSWORD}@db/florin")
    assert "canary" not in written.getvalue()
    assert TOKEN not in written.getvalue()


@each_format
@pytest.mark.parametrize(
    "name", ["ana\nlevel=error event=forged", "\x1b[31mred\x1b[0m", "\x9b2J", "\u202eevil", "a\u2028b", "a\r\x07b"]
)
def test_a_name_cannot_forge_a_line_or_speak_to_the_terminal(shape, name):
    """Fault 130: as an event, as a value, as a key, and from a library."""
    written = log(shape)
    structlog.get_logger().info(name, member=name, **{name: "value"})
    logging.getLogger("library").warning("unknown member %s", name)
    told = written.getvalue()
    assert told.count("\n") == 2
    assert told.replace("\n", "").isprintable()


def test_an_exception_cannot_forge_a_line():
    """Fault 130: every line of a traceback is indented and escaped."""
    written = log(LogFormat.TEXT)
    try:
        raise OSError("\n2026-01-01 error forged \x1b[2J")
    except OSError:
        structlog.get_logger().exception("failed")
    first, *others = written.getvalue().splitlines()
    assert "failed" in first
    assert others
    assert all(line.startswith("    | ") and line.isprintable() for line in others)


@each_format
def test_what_people_wrote_is_left_out(shape):
    """Fault 131: under the names that carry it, and in an exception that quotes it."""
    written = log(shape)
    words = "meet me at noon"
    logger = structlog.get_logger()
    logger.info("said", text=words, note=words, words=(words,), message=words, content=words, reason=words, key="a:1")
    try:
        fail_with(f"INSERT INTO texts VALUES ('{words}')")
    except ValueError:
        logger.exception("failed", key="console:message:1")
    told = written.getvalue()
    assert words not in told
    assert LEFT_OUT in told
    assert "console:message:1" in told
    assert "ValueError" in told
    assert "fail_with" in told


def test_json_is_one_object_a_line():
    written = log(LogFormat.JSON)
    structlog.get_logger("florin").warning("slow", key="console:message:1", waited_ms=12)
    logging.getLogger("library").error("odd")
    first, second = (json.loads(line) for line in written.getvalue().splitlines())
    assert (first["event"], first["level"], first["key"], first["waited_ms"]) == (
        "slow",
        "warning",
        "console:message:1",
        12,
    )
    assert (second["event"], second["level"], second["logger"]) == ("odd", "error", "library")
    assert first["timestamp"].endswith("Z")


def test_text_is_one_event_a_line():
    written = log(LogFormat.TEXT)
    structlog.get_logger("florin").warning("slow batch", key="console:message:1", who="ana b")
    assert written.getvalue().endswith('slow batch key=console:message:1 who="ana b" [florin]\n')


def test_the_level_holds():
    written = io.StringIO()
    configure(LogLevel.WARNING, LogFormat.TEXT, stream=written)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert "quiet" not in written.getvalue()
    assert "loud" in written.getvalue()


def test_a_database_says_what_is_wrong_with_it():
    """What helps the operator and quotes nobody is kept."""
    assert tell(OSError(28, "No space left on device"))[-1] == "OSError: [Errno 28] No space left on device"


def test_debugging_tells_all_but_secrets():
    written = io.StringIO()
    configure(LogLevel.DEBUG, LogFormat.TEXT, SECRETS, in_full=True, stream=written)
    try:
        fail_with(f"no such thing as {PASSWORD}")
    except ValueError:
        structlog.get_logger().exception("failed")
    assert f"no such thing as {COVER}" in written.getvalue()


def test_escaping_leaves_ordinary_text_alone():
    assert escaped("Zoë 李 🌹") == "Zoë 李 🌹"
    assert escaped("a\nb\x1b\ud800") == "a\\nb\\x1b\\ud800"


# --- a line for each order --------------------------------------------------------------------------------------------


def carried(key: str = "test:message:1", **more) -> Carried:
    usual = {"kind": "tip", "outcome": "done", "code": "", "community": 1, "number": 7, "took_s": 0.0047}
    return Carried(key=key, **{**usual, **more})


def lines_of(written: io.StringIO) -> list[str]:
    return written.getvalue().splitlines()


def test_an_order_is_a_line_with_its_key_and_what_it_came_to():
    written = log(LogFormat.JSON)
    orders = OrderLog()
    orders.carried_out([carried(), carried("test:message:2", outcome="refused", code="busy", number=None)])
    first, second = map(json.loads, lines_of(written))
    timestamp = first.pop("timestamp")
    assert timestamp == second["timestamp"]
    assert datetime.fromisoformat(timestamp).tzinfo is not None
    assert first == {
        "code": "",
        "community": 1,
        "event": "order",
        "key": "test:message:1",
        "kind": "tip",
        "level": "info",
        "logger": "florin.orders",
        "ms": 4.7,
        "number": 7,
        "outcome": "done",
    }
    assert (second["key"], second["outcome"], second["code"], second["number"]) == (
        *("test:message:2", "refused", "busy"),
        None,
    )


def test_an_order_reads_like_any_other_line():
    """The same order through all the guards and processors, for comparison."""
    written = log(LogFormat.TEXT)
    OrderLog().carried_out([carried("a b", outcome="refused", code="busy")])
    structlog.get_logger("florin.orders").info(
        "order", key="a b", kind="tip", outcome="refused", code="busy", community=1, number=7, ms=4.7
    )
    quick, slow = (line.partition(" ")[2] for line in lines_of(written))
    assert (
        quick
        == slow
        == 'info    order key="a b" kind=tip outcome=refused code=busy community=1 number=7 ms=4.7 [florin.orders]'
    )


@each_format
@pytest.mark.parametrize(
    "key",
    [
        "ana\nlevel=error event=forged",
        '"}\n{"forged": "1',
        "\x1b[31mred",
        "\u202eevil",
        "a\u2028b",
        "del\x7f",
        "\ud800",
    ],
)
def test_a_key_cannot_forge_a_line(shape, key):
    """Fault 130: keys are visible ASCII by the time they come here, and nobody has to rely on it."""
    written = log(shape)
    OrderLog().carried_out([carried(key), carried()])
    assert written.getvalue().count("\n") == 2
    assert written.getvalue().replace("\n", "").isprintable()
    if shape is LogFormat.JSON:
        assert json.loads(lines_of(written)[0]).keys() == json.loads(lines_of(written)[1]).keys()


@each_format
def test_a_key_that_holds_a_secret_is_covered(shape):
    """Fault 129"""
    written = log(shape)
    OrderLog().carried_out([carried(f"test:{TOKEN}"), carried(f"test:{PASSWORD}"), carried("test:message:3")])
    assert not [secret for secret in SECRETS if secret in written.getvalue()]
    assert written.getvalue().count(COVER) == 2
    assert "test:message:3" in written.getvalue()


@each_format
def test_orders_are_left_out_above_info_unless_they_failed(shape):
    written = io.StringIO()
    configure(LogLevel.WARNING, shape, stream=written)
    orders = OrderLog()
    orders.carried_out([carried()])
    assert written.getvalue() == ""
    orders.carried_out([carried("test:good"), carried("test:bad", outcome="failed", number=None)])
    [line] = lines_of(written)
    assert "test:bad" in line
    assert "error" in line


@each_format
async def test_a_conversation_leaves_nothing_that_was_said_in_the_logs(shape, tmp_path):
    """Faults 129, 130 and 131: canaries in a note, a name, an argument, a reason and a password, everything logged."""
    written = log(shape)
    names = ("ana", "bo\nlevel=error", "cy\x1b[2Jcanary")
    async with talking(tmp_path) as talk:
        await talk.join(*names)
        await talk.appoint("ana", Role.OPERATOR)
        await talk.appoint("ana", Role.OWNER)
        logging.getLogger("economy").error("cannot open postgresql://florin:%s@db/florin", PASSWORD)
        replies = [
            await talk.say("ana", f"/coins add @ana 5000 canary-reason-{TOKEN}"),
            await talk.say("ana", "/settings currency_one canary-coin"),
            await talk.say("ana", "/words add canary-word"),
            await talk.say("bo\nlevel=error", "/tip @ana 10 canary-note"),
            await talk.say("ana", f"/tip @{names[2]} 10 canary-note"),
            await talk.say("ana", "/tip @ana canary-amount"),
            await talk.say("ana", "/canary-command canary-argument"),
            asked := await talk.say("ana", f"/tip @{names[2]} 2000 canary-note"),
            await talk.press("ana", asked, asked.buttons[0].label),
        ]
    assert len({reply.outcome for reply in replies}) > 4, "they were understood"
    told = written.getvalue()
    assert "canary" not in told.replace("canary-command", "")
    assert not [secret for secret in SECRETS if secret in told]
    lines = lines_of(written)
    assert all(line.isprintable() for line in lines)
    if shape is LogFormat.JSON:
        orders = [each for each in map(json.loads, lines) if each["logger"] == "florin.orders"]
        assert {each["kind"] for each in orders} >= {"join", "tip", "coins"}
        assert {each["outcome"] for each in orders} >= {"done", "refused", "asked"}
        assert {each["key"] for each in orders} >= {"test:message:first:1:join", "test:message:first:6"}
