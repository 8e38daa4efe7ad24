"""A Bot API server on loopback, with people and groups of its own. What the bot sends is held against aiogram's models
of every method, and what it gets is built with those of every object: neither knows anything of python-telegram-bot.

    async with telegram() as there:
        group = there.group("lobby", owner="ana")
        update = there.say("ana", "/tip @bo 5", group)
        await there.settled(update)
        assert there.seen_in(group)[-1].text == "ana tipped bo 5 coins."
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import aiogram.methods
from aiogram.methods.base import TelegramMethod
from aiohttp import web
from pydantic import BaseModel, ValidationError

from tests.support.telegram_answers import Answers
from tests.support.telegram_people import People
from tests.support.telegram_world import BOT_HANDLE, BOT_ID, TOKEN, BotApiError, Call, Group, Person, Shown

__all__ = ["BOT_HANDLE", "BOT_ID", "TOKEN", "BotApiError", "Group", "Person", "Shown", "Telegram", "telegram"]

METHODS: dict[str, type[TelegramMethod]] = {
    found.__api_method__: found
    for _, found in inspect.getmembers(aiogram.methods, inspect.isclass)
    if issubclass(found, TelegramMethod) and found is not TelegramMethod
}


class Telegram(People, Answers):
    """The platform: the server that the bot's calls reach."""

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if request.match_info["token"] != TOKEN:
            return _json({"ok": False, "error_code": 401, "description": "Unauthorized"}, 401)
        try:
            fields, files = await _fields_of(request, method)
            if self.is_strict:
                self._must_fit(method, fields)
            if self.failures and self.failures[0][0] == method:
                _, failure = self.failures.popleft()
                if isinstance(answer := failure(), web.StreamResponse):
                    self.calls.append(Call(method, fields))
                    return answer
            self.calls.append(Call(method, fields))
            result = getattr(self, f"_{_snake(method)}")(fields, files)
            if inspect.isawaitable(result):
                result = await result
            await self._notify()
            return _json({"ok": True, "result": result})
        except BotApiError as error:
            told: dict[str, Any] = {"ok": False, "error_code": error.status, "description": error.description}
            return _json(told | ({"parameters": error.parameters} if error.parameters else {}), error.status)

    def _must_fit(self, method: str, fields: dict[str, Any]) -> None:
        """Whatever the models of aiogram do not know, no bot may send."""
        model = METHODS.get(method)
        if model is None:
            self.problems.append(f"there is no method {method}")
            return
        try:
            extra = _strange(model.model_validate(fields))
        except ValidationError as error:
            extra = [str(error)]
        if extra:
            self.problems.append(f"{method}: {extra}")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=self.files[request.match_info["path"]])


def _strange(model: BaseModel, path: str = "") -> list[str]:
    """Fields that a model does not know, wherever in it."""
    found = [f"{path}{name}" for name in model.model_extra or {}]
    for name in type(model).model_fields:
        value = getattr(model, name)
        for inner in value if isinstance(value, list) else [value]:
            for one in inner if isinstance(inner, list) else [inner]:
                if isinstance(one, BaseModel):
                    found += _strange(one, f"{path}{name}.")
    return found


async def _fields_of(request: web.Request, method: str) -> tuple[dict[str, Any], dict[str, tuple[str, bytes]]]:
    """What the bot sent, its JSON read; and its files."""
    fields: dict[str, Any] = {}
    files: dict[str, tuple[str, bytes]] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files[name] = (value.filename, value.file.read())
            fields[name] = f"attach://{name}"
        elif isinstance(value, str):
            fields[name] = _value(method, name, value)
    return fields, files


def _value(method: str, name: str, value: str) -> Any:
    model = METHODS.get(method)
    known = model.model_fields.get(name) if model else None
    kind = str(known.annotation) if known else ""
    if name == "chat_id":
        return int(value)
    if kind.startswith(("int", "float")):
        return int(value)
    if "bool" in kind.split(" | ", 1)[0] or kind.startswith("<class 'bool"):
        return value == "true"
    if kind.startswith("<class 'int"):
        return int(value)
    if value.startswith(("[", "{")) and name not in ("text", "caption", "callback_query_id", "url"):
        return json.loads(value)
    return value


def _snake(method: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", method).lower()


def _json(content: dict, status: int = 200) -> web.Response:
    return web.json_response(content, status=status)


@asynccontextmanager
async def telegram(
    now: Callable[[], datetime] | None = None, *, there: Telegram | None = None
) -> AsyncIterator[Telegram]:
    """A server of its own, for a new world or for one that is `there`. At the end the bot must have done nothing that
    no bot may."""
    there = there or (Telegram(now) if now else Telegram())
    served = web.Application(client_max_size=60_000_000)
    served.router.add_post("/bot{token}/{method}", there._serve)
    served.router.add_get("/file/bot{token}/{path}", there._file)
    runner = web.AppRunner(served, access_log=None, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    there.port = runner.addresses[0][1]
    try:
        yield there
    finally:
        for task in there._delivering:
            task.cancel()
        await runner.cleanup()
    assert there.problems == []
