"""What the operator sets: the environment, read once at start. Names begin with `FLORIN_`, parts are joined by `__`.

Secrets stay inside `SecretStr`, in no repr and in no message: a problem names its variable, never its value. Switches
for tests and debugging are refused together with real tokens, since nobody means both.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX: Final = "FLORIN_"
NESTED: Final = "__"
STORE_DEFAULT: Final = "sqlite:///florin.db"
TEST_TOKEN: Final = "test-"  # noqa: S105  # how tokens for loopback peers begin
_SHARDS: Final = re.compile(r"([0-9]{1,5})-([0-9]{1,5})/([0-9]{1,5})", re.ASCII)
_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}
_DISCORD_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{20,40}\.[A-Za-z0-9_-]{5,8}\.[A-Za-z0-9_-]{25,50}")
_TELEGRAM_TOKEN: Final = re.compile(r"[0-9]{6,12}:[A-Za-z0-9_-]{34,36}")
# From the platforms' own documentation, and what templates hold until somebody fills them in.
_EXAMPLES: Final = frozenset(
    {
        "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11",
        "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
        "4839574812:AAFD39kkdpWt3ywyRZergyOLMaJhac60qc",
    }
)
_TEMPLATE: Final = re.compile(
    r"<.*>|\{.*\}|change[-_ ]?me|(?:my|your)[-_ ].*|example.*|token|password[-_ ]here|x{3,}|\.{3,}", re.IGNORECASE
)


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class SettingsError(Exception):
    """The environment cannot be used. The message is one sentence a problem, for the operator, without any value."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Discord(_Part):
    """The Discord door."""

    token: SecretStr | None = Field(None, description="The bot's token. It opens the door: see docs/discord.md.")
    members_intent: bool = Field(
        False,
        description="Whether Discord tells who comes and goes, and who holds a role. Switch the Server Members Intent"
        " on for the bot there, too.",
    )
    text_commands: bool = Field(True, description="Whether commands by mention are answered: `@Florin tip @bo 50`.")
    shards: str | None = Field(
        None,
        description="Which shards this process takes, and of how many, such as `0-3/8`. Unset, Discord says how many"
        " there are, and it takes them all.",
    )
    api_url: str | None = Field(None, description="For tests: a REST server on this machine in Discord's place.")
    gateway_url: str | None = Field(None, description="For tests: a gateway on this machine in Discord's place.")

    @field_validator("shards")
    @classmethod
    def _range(cls, value: str | None) -> str | None:
        if value is not None and shards_of(value) is None:
            raise ValueError("write the first and last shard and how many there are in all, such as 0-3/8")
        return value


class Telegram(_Part):
    """The Telegram door."""

    token: SecretStr | None = Field(None, description="The bot's token. The Telegram door comes with a later release.")
    api_url: str | None = Field(None, description="For tests: a Bot API server on this machine in Telegram's place.")
    file_url: str | None = Field(None, description="For tests: a file server on this machine in Telegram's place.")


class Metrics(_Part):
    """Where Florin may be watched from."""

    listen: str | None = Field(
        None,
        description="An address of this machine, such as `127.0.0.1:9464`, where `/metrics` and `/health` are"
        " answered. Nothing is without it.",
    )


class Environment(BaseSettings):
    """Everything that the operator sets. Read it with `read_environment`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=NESTED,
        frozen=True,
        extra="forbid",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    store: SecretStr = Field(
        SecretStr(STORE_DEFAULT),
        description="Where everything is kept: the address of a database. By default a file in the current folder.",
    )
    log_level: LogLevel = Field(
        LogLevel.INFO,
        description="How much is logged: `debug`, `info`, `warning` or `error`. At a terminal it is from `warning` on,"
        " unless this is set.",
    )
    log_format: LogFormat = Field(
        LogFormat.TEXT, description="How it is logged: `text` for people, `json` for machines."
    )
    debug: bool = Field(
        False, description="Whether unexpected errors show their traceback. Refused beside a real token."
    )
    discord: Discord = Discord()
    telegram: Telegram = Telegram()
    metrics: Metrics = Metrics()

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if problems := [
            *_token_problems(self),
            *_switch_problems(self),
            *_store_problems(self.store),
            *_listen_problems(self.metrics),
        ]:
            raise SettingsError(problems)
        return self

    @property
    def has_token(self) -> bool:
        """Whether any platform's door is to be opened."""
        return self.discord.token is not None or self.telegram.token is not None

    @property
    def address(self) -> str:
        """The store's address, its password included: for whoever opens it, and for nobody else."""
        return self.store.get_secret_value()

    @property
    def listen(self) -> tuple[str, int] | None:
        """Host and port where metrics and health are answered; None where they are not."""
        return None if self.metrics.listen is None else _host_and_port(self.metrics.listen)

    @property
    def secrets(self) -> frozenset[str]:
        """Every secret text, as logs must never show it."""
        found = {token.get_secret_value() for token in (self.discord.token, self.telegram.token) if token}
        return frozenset(found) | secrets_of(self.address)


def shards_of(text: str) -> tuple[range, int] | None:
    """`0-3/8` as the shards and how many there are in all; None for what is no such range."""
    found = _SHARDS.fullmatch(text)
    if found is None:
        return None
    first, last, count = map(int, found.groups())
    return (range(first, last + 1), count) if first <= last < count else None


def read_environment() -> Environment:
    """What the process's environment says. A variable that is set to nothing counts as not set.

    Raises `SettingsError` for values that cannot be used and for names that begin like ours and are none.
    """
    known = variable_names()
    # A token under a misspelt name would open the console instead of the platform's door, in silence.
    strangers = sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known)
    if strangers:
        raise SettingsError([_unknown(name, known) for name in strangers])
    try:
        return Environment()
    except ValidationError as error:
        problems = [f"{_variable(problem['loc'])}: {problem['msg']}." for problem in error.errors(include_input=False)]
    # Outside the handler, so that pydantic's error, which holds the values, is not chained to this one.
    raise SettingsError(problems)


def variable_names() -> dict[str, tuple[str, str]]:
    """Every environment variable, with its default as text and what it says in the docs."""
    names: dict[str, tuple[str, str]] = {}
    for field, info in Environment.model_fields.items():
        if isinstance(info.default, _Part):
            for inner, inner_info in type(info.default).model_fields.items():
                default = inner_info.default
                shown = "" if default is None else str(default).lower()
                names[f"{PREFIX}{field}{NESTED}{inner}".upper()] = (shown, inner_info.description or "")
        else:
            default = info.default.get_secret_value() if isinstance(info.default, SecretStr) else info.default
            names[f"{PREFIX}{field}".upper()] = (str(default).lower(), info.description or "")
    return names


def secrets_of(store: str) -> frozenset[str]:
    """The password in a database's address, as written and as meant."""
    try:
        password = urlsplit(store).password
    except ValueError:
        return frozenset({store})
    return frozenset({password, unquote(password)}) if password else frozenset()


def shown_store(store: str) -> str:
    """A database's address without its password."""
    return re.sub(r"(://[^:/@]*):[^/]*@", r"\1:***@", store)


def _unknown(name: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name.upper(), known, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"{name} is no setting of Florin.{meant}"


def _variable(location: tuple[int | str, ...]) -> str:
    return PREFIX + NESTED.join(str(part) for part in location).upper()


def _token_problems(environment: Environment) -> list[str]:
    tokens = (
        ("FLORIN_DISCORD__TOKEN", "Discord", environment.discord.token, _DISCORD_TOKEN),
        ("FLORIN_TELEGRAM__TOKEN", "Telegram", environment.telegram.token, _TELEGRAM_TOKEN),
    )
    problems = []
    for name, platform, secret, shape in tokens:
        if secret is None:
            continue
        token = secret.get_secret_value()
        if token in _EXAMPLES or _TEMPLATE.fullmatch(token):
            problems.append(f"{name} holds an example, not a token: put in the one that {platform} gave you.")
        elif not token.startswith(TEST_TOKEN) and not shape.fullmatch(token):
            problems.append(f"{name} does not look like a token of {platform}: copy it again, whole.")
    return problems


def _switch_problems(environment: Environment) -> list[str]:
    """Switches for tests and debugging stand beside test tokens and loopback peers, or not at all."""
    problems = []
    for part in ("discord", "telegram"):
        settings = getattr(environment, part)
        token = settings.token.get_secret_value() if settings.token else ""
        real = bool(token) and not token.startswith(TEST_TOKEN)
        seams = {name: url for name, url in settings if name.endswith("_url") and url is not None}
        names = {name: _variable((part, name)) for name in seams}
        if real and seams:
            problems += [f"{name} is for tests and cannot stand beside a real token." for name in names.values()]
        if real and environment.debug:
            problems.append(f"FLORIN_DEBUG cannot be on beside a real token ({_variable((part, 'token'))}).")
        if token.startswith(TEST_TOKEN) and not seams:
            problems.append(
                f"{_variable((part, 'token'))} is a test token, and there is no test server for it to go to."
            )
        problems += [
            f"{names[name]} must lead to this machine, such as http://127.0.0.1:8080."
            for name, url in seams.items()
            if not _is_loopback(url)
        ]
    return problems


def _is_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in _LOOPBACK
    except ValueError:
        return False


def _store_problems(store: SecretStr) -> list[str]:
    if any(_TEMPLATE.fullmatch(password) for password in secrets_of(store.get_secret_value())):
        return ["FLORIN_STORE holds an example's password: put in the database's own."]
    return []


def _host_and_port(text: str) -> tuple[str, int]:
    """Raises ValueError for what is no address."""
    parts = urlsplit(f"//{text}")
    if parts.hostname is None or parts.port is None or parts.netloc != text:
        raise ValueError("an address is host:port")
    return parts.hostname, parts.port


def _listen_problems(metrics: Metrics) -> list[str]:
    """What is told there is for this machine; for others, a server stands before it and asks who comes."""
    if metrics.listen is None:
        return []
    try:
        host, _ = _host_and_port(metrics.listen)
    except ValueError:
        host = ""
    if host in _LOOPBACK:
        return []
    return ["FLORIN_METRICS__LISTEN must be an address of this machine with its port, such as 127.0.0.1:9464."]
