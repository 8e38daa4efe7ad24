"""The environment: what is understood, what is refused, and that no value of a secret is ever told."""

import os
import traceback

import pytest

from bot.serving import telegram_line
from bot.settings import Environment, LogFormat, LogLevel, SettingsError, read_environment, secrets_of, shown_store

# Shaped like the real ones, and nobody's.
DISCORD_TOKEN = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"
TELEGRAM_TOKEN = "7204815339:AAG0canary0canary0canary0canary0ca1"
LOOPBACK = "http://127.0.0.1:8080"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("FLORIN_"):
            monkeypatch.delenv(name)


def read(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Environment:
    for name, value in variables.items():
        monkeypatch.setenv(f"FLORIN_{name}", value)
    return read_environment()


def problems(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(monkeypatch, **variables)
    return str(caught.value)


def test_nothing_has_to_be_set(monkeypatch):
    environment = read(monkeypatch)
    assert environment.store.get_secret_value() == "sqlite:///florin.db"
    assert (environment.log_level, environment.log_format) == (LogLevel.INFO, LogFormat.TEXT)
    assert not environment.debug
    assert not environment.has_token


def test_a_nested_name_reaches_its_part(monkeypatch):
    environment = read(monkeypatch, DISCORD__TOKEN=DISCORD_TOKEN, LOG_FORMAT="json")
    assert environment.discord.token is not None
    assert environment.discord.token.get_secret_value() == DISCORD_TOKEN
    assert environment.has_token
    assert environment.log_format is LogFormat.JSON


@pytest.mark.parametrize("name", ["DISCORD__TOKEN", "STORE", "LOG_LEVEL", "DEBUG"])
def test_a_variable_set_to_nothing_is_not_set(monkeypatch, name):
    assert read(monkeypatch, **{name: ""}) == read_environment()
    assert not read_environment().has_token


def test_a_misspelt_name_is_refused_with_the_one_that_was_meant(monkeypatch):
    told = problems(monkeypatch, DISCORD_TOKEN=DISCORD_TOKEN)
    assert told == "FLORIN_DISCORD_TOKEN is no setting of Florin. Did you mean FLORIN_DISCORD__TOKEN?"


def test_a_wrong_value_names_its_variable(monkeypatch):
    assert problems(monkeypatch, LOG_LEVEL="loud").startswith("FLORIN_LOG_LEVEL: ")


@pytest.mark.parametrize(
    ("name", "token"),
    [
        ("TELEGRAM__TOKEN", "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"),
        ("TELEGRAM__TOKEN", "your-token-here"),
        ("DISCORD__TOKEN", "<token>"),
        ("DISCORD__TOKEN", "changeme"),
        ("DISCORD__TOKEN", "xxxxxxxx"),
    ],
)
def test_example_tokens_are_refused(monkeypatch, name, token):
    """Fault 132, its part about example values."""
    told = problems(monkeypatch, **{name: token})
    assert told.startswith(f"FLORIN_{name} holds an example")
    assert token not in told


def test_an_example_password_of_a_store_is_refused(monkeypatch):
    told = problems(monkeypatch, STORE="postgresql://florin:changeme@db.example/florin")
    assert told.startswith("FLORIN_STORE holds an example's password")


@pytest.mark.parametrize(("name", "token"), [("DISCORD__TOKEN", TELEGRAM_TOKEN), ("TELEGRAM__TOKEN", DISCORD_TOKEN)])
def test_a_token_of_another_platform_is_refused_without_being_told(monkeypatch, name, token):
    told = problems(monkeypatch, **{name: token})
    assert "does not look like a token" in told
    assert token not in told


@pytest.mark.parametrize(
    ("platform", "token", "seam"),
    [
        ("DISCORD", DISCORD_TOKEN, "API_URL"),
        ("DISCORD", DISCORD_TOKEN, "GATEWAY_URL"),
        ("TELEGRAM", TELEGRAM_TOKEN, "API_URL"),
        ("TELEGRAM", TELEGRAM_TOKEN, "FILE_URL"),
    ],
)
def test_a_test_server_cannot_stand_beside_a_real_token(monkeypatch, platform, token, seam):
    """Fault 133"""
    told = problems(monkeypatch, **{f"{platform}__TOKEN": token, f"{platform}__{seam}": LOOPBACK})
    assert told == f"FLORIN_{platform}__{seam} is for tests and cannot stand beside a real token."


@pytest.mark.parametrize(("platform", "token"), [("DISCORD", DISCORD_TOKEN), ("TELEGRAM", TELEGRAM_TOKEN)])
def test_debugging_cannot_be_on_with_a_real_token(monkeypatch, platform, token):
    """Fault 133"""
    told = problems(monkeypatch, **{f"{platform}__TOKEN": token, "DEBUG": "1"})
    assert told.startswith("FLORIN_DEBUG cannot be on beside a real token")


def test_a_test_token_goes_with_a_test_server_and_debugging(monkeypatch):
    """Fault 133, the other side: what tests need is there, without a real token."""
    environment = read(monkeypatch, DISCORD__TOKEN="test-discord", DISCORD__API_URL=LOOPBACK, DEBUG="true")
    assert environment.debug
    assert environment.discord.api_url == LOOPBACK


def test_a_test_token_is_not_sent_to_the_platform(monkeypatch):
    """Fault 133"""
    assert "no test server" in problems(monkeypatch, TELEGRAM__TOKEN="test-telegram")


def test_a_test_server_is_on_this_machine(monkeypatch):
    """Fault 133"""
    told = problems(monkeypatch, TELEGRAM__TOKEN="test-telegram", TELEGRAM__API_URL="https://bots.example")
    assert told.startswith("FLORIN_TELEGRAM__API_URL must lead to this machine")


def test_no_secret_stands_in_what_settings_show_of_themselves(monkeypatch):
    """Fault 129: repr, str and what is written out."""
    environment = read(
        monkeypatch, DISCORD__TOKEN=DISCORD_TOKEN, STORE="postgresql://florin:canary-password@db.example/florin"
    )
    shown = f"{environment!r} {environment} {environment.model_dump()} {environment.model_dump_json()}"
    assert DISCORD_TOKEN not in shown
    assert "canary-password" not in shown


def test_no_secret_stands_in_the_traceback_of_a_refusal(monkeypatch):
    """Fault 129: the error, all it is chained to, and the locals on its way."""
    canary = "canary-password"
    with pytest.raises(SettingsError) as caught:
        read(
            monkeypatch,
            STORE=f"postgresql://florin:{canary}@db.example/florin",
            DISCORD__TOKEN=DISCORD_TOKEN + "-too-long-" * 9,
            LOG_LEVEL="loud",
        )
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    # The test's own frames hold what it set.
    frames.stack[:] = [frame for frame in frames.stack if frame.filename != __file__]
    told = "".join(frames.format())
    assert canary not in told
    assert DISCORD_TOKEN not in told


def test_the_secrets_are_known_to_those_who_cover_them(monkeypatch):
    environment = read(
        monkeypatch, DISCORD__TOKEN=DISCORD_TOKEN, STORE="postgresql://florin:p%40ss-word@db.example/florin"
    )
    assert environment.secrets == {DISCORD_TOKEN, "p%40ss-word", "p@ss-word"}


def test_an_address_is_shown_without_its_password():
    address = "postgresql://florin:p%40ss@one.example,two.example/florin"
    assert shown_store(address) == "postgresql://florin:***@one.example,two.example/florin"
    assert shown_store("sqlite:///florin.db") == "sqlite:///florin.db"
    assert secrets_of("sqlite:///florin.db") == frozenset()


WEBHOOK = "https://florin.example/telegram"


def test_a_webhook_needs_a_secret_that_nobody_guesses(monkeypatch):
    """Fault 83, its part about who calls."""
    telegram = {"TELEGRAM__TOKEN": TELEGRAM_TOKEN, "TELEGRAM__WEBHOOK": WEBHOOK}
    for secret in ("", "short", "s" * 31, "s" * 257, "with space" * 5):
        told = problems(monkeypatch, **telegram, TELEGRAM__WEBHOOK_SECRET=secret)
        assert "FLORIN_TELEGRAM__WEBHOOK_SECRET must be set beside a webhook" in told
        assert not secret or secret not in told
    environment = read(monkeypatch, **telegram, TELEGRAM__WEBHOOK_SECRET="canary0" * 6)
    assert "canary0" * 6 in environment.secrets
    assert "canary0" not in repr(environment)


@pytest.mark.parametrize("address", ["http://florin.example/telegram", "ftp://x", "florin.example"])
def test_telegram_calls_no_address_without_tls(monkeypatch, address):
    told = problems(monkeypatch, TELEGRAM__WEBHOOK=address, TELEGRAM__WEBHOOK_SECRET="s" * 40)
    assert told.startswith("FLORIN_TELEGRAM__WEBHOOK must begin with https://")


@pytest.mark.parametrize("listen", ["8081", ":8081", "host", "host:", "host:99999", "host:x"])
def test_where_to_listen_is_a_host_and_a_port(monkeypatch, listen):
    told = problems(
        monkeypatch,
        TELEGRAM__WEBHOOK=WEBHOOK,
        TELEGRAM__WEBHOOK_SECRET="s" * 40,
        TELEGRAM__WEBHOOK_LISTEN=listen,
    )
    assert told.startswith("FLORIN_TELEGRAM__WEBHOOK_LISTEN must be a host and a port")


@pytest.mark.parametrize("operators", ["@ana", "ana", "1;2", "1,,2", "-5", "\u0661"])
def test_operators_are_numbers(monkeypatch, operators):
    assert problems(monkeypatch, TELEGRAM__OPERATORS=operators).startswith("FLORIN_TELEGRAM__OPERATORS must be")


def test_the_environment_becomes_a_line_to_telegram(monkeypatch):
    environment = read(
        monkeypatch,
        TELEGRAM__TOKEN=TELEGRAM_TOKEN,
        TELEGRAM__OPERATORS="5, 7",
        TELEGRAM__WEBHOOK=WEBHOOK,
        TELEGRAM__WEBHOOK_SECRET="s" * 40,
        TELEGRAM__WEBHOOK_LISTEN="[::1]:8443",
    )
    line = telegram_line(environment)
    assert line is not None
    assert (line.token, line.operators, line.api_url) == (TELEGRAM_TOKEN, frozenset({5, 7}), "https://api.telegram.org")
    assert line.webhook is not None
    assert (line.webhook.url, line.webhook.host, line.webhook.port) == (WEBHOOK, "::1", 8443)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("localhost:80", ("localhost", 80)),
        ("[::1]:9464", ("::1", 9464)),
    ],
)
def test_metrics_are_told_at_an_address_of_this_machine(monkeypatch, text, address):
    assert read(monkeypatch, METRICS__LISTEN=text).listen == address


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0:9464",
        "9464",
        ":9464",
        "127.0.0.1",
        "127.0.0.1:no",
        "127.0.0.1:99999",
        "example.invalid:80",
        "127.0.0.1:80/x",
        "::1:9464",
    ],
)
def test_metrics_are_told_nowhere_else(monkeypatch, text):
    told = problems(monkeypatch, METRICS__LISTEN=text)
    assert told == "FLORIN_METRICS__LISTEN must be an address of this machine with its port, such as 127.0.0.1:9464."


def test_metrics_are_off_unless_they_are_set(monkeypatch):
    assert read(monkeypatch).listen is None
