"""The REST API of a Discord in tests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.adapters.discord import schema
from tests.adapters.discord.checks import Refusal, check_commands, check_form, check_message, invalid
from tests.adapters.discord.peer import FIRST_ANSWER_S, TOKEN_S, Interaction, Peer, Request
from tests.adapters.discord.state import (
    EPHEMERAL,
    MANAGE_MESSAGES,
    READ_HISTORY,
    SEND_MESSAGES,
    VIEW_CHANNEL,
    Channel,
    new_id,
)

API = "/api/v10"
TEAM = (("admin", 2), ("admin", 2), ("developer", 2), ("read_only", 2), ("admin", 1))
"""Role and state of a team's members; 1 is who was invited and has not come."""
Handler = Callable[[web.Request, Any, dict[str, bytes]], Awaitable[Any]]


@asynccontextmanager
async def listening(peer: Peer) -> AsyncIterator[Peer]:
    """The peer, served on a port of its own."""
    app = web.Application(client_max_size=50_000_000)
    routes(app, peer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    peer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield peer
    finally:
        await runner.cleanup()


def routes(app: web.Application, peer: Peer) -> None:
    rest = Rest(peer)
    table: list[tuple[str, str, Handler]] = [
        ("GET", "/users/@me", rest.me),
        ("GET", "/users/@me/guilds", rest.guilds),
        ("POST", "/users/@me/channels", rest.private_channel),
        ("GET", "/oauth2/applications/@me", rest.application),
        ("GET", "/applications/@me", rest.application),
        ("GET", "/gateway/bot", rest.gateway),
        ("GET", "/applications/{application_id}/commands", rest.commands),
        ("PUT", "/applications/{application_id}/commands", rest.put_commands),
        ("POST", "/interactions/{interaction_id}/{interaction_token}/callback", rest.callback),
        ("POST", "/webhooks/{webhook_id}/{webhook_token}", rest.follow_up),
        ("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/@original", rest.change_original),
        ("DELETE", "/webhooks/{webhook_id}/{webhook_token}/messages/@original", rest.delete_original),
        ("POST", "/channels/{channel_id}/messages", rest.post),
        ("GET", "/channels/{channel_id}/messages/{message_id}", rest.read),
        ("PATCH", "/channels/{channel_id}/messages/{message_id}", rest.patch),
        ("DELETE", "/channels/{channel_id}/messages/{message_id}", rest.delete),
        ("GET", "/guilds/{guild_id}", rest.guild),
        ("GET", "/channels/{channel_id}", rest.channel),
    ]
    for method, path, handler in table:
        app.router.add_route(method, API + path, rest.answering(method, path, handler))
    app.router.add_get("/gateway", peer.gateway.serve)
    app.router.add_get("/gateway/", peer.gateway.serve)
    app.router.add_get("/files/{attachment_id}/{name}", rest.file)


class Rest:
    """Each call by name."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    # --- around every call ------------------------------------------------------------------------------------------

    def answering(self, method: str, path: str, handler: Handler) -> Any:
        async def serve(request: web.Request) -> web.StreamResponse:
            body, uploads = await _read(request)
            record = Request(method, request.path.removeprefix(API), body)
            self._peer.requests.append(record)
            failure = next((each for each in self._peer.failures if _matches(each, record)), None)
            if failure is not None:
                failure.times -= 1
                if failure.after:
                    await self._answer(request, record, f"{method} {path}", handler, uploads)
                if failure.answer is not None:
                    response = failure.answer()
                    record.status = response.status
                    return response
                assert request.transport is not None
                request.transport.close()
                return web.Response(status=500)
            response = await self._answer(request, record, f"{method} {path}", handler, uploads)
            await self._peer.noticed()
            return response

        return serve

    async def _answer(
        self, request: web.Request, record: Request, name: str, handler: Handler, uploads: dict[str, bytes]
    ) -> web.Response:
        try:
            if request.headers.get("Authorization") != f"Bot {self._peer.token}" and not _needs_no_token(record.path):
                raise Refusal(401, 0, "401: Unauthorized")
            is_strict = self._peer.is_strict and schema.known(name)
            if is_strict and (problem := schema.problem(name, record.body)) is not None:
                # The test fails for it, whatever the bot makes of the refusal.
                self._peer.problems.append(f"{name}: {problem}")
                raise invalid(problem)
            found = await handler(request, record.body, uploads)
        except Refusal as no:
            if no.code == 50035:
                self._peer.problems.append(f"{name}: {no.message}")
            record.status = no.status
            return _told({"message": no.message, "code": no.code}, no.status)
        except Exception as error:
            self._peer.problems.append(f"{name}: the peer itself failed: {error!r}")
            raise
        record.status = 204 if found is None else 200
        if found is None:
            return web.Response(status=204)
        return _told(found, 200)

    # --- who the bot is ---------------------------------------------------------------------------------------------

    async def me(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        return self._peer.bot.payload()

    async def application(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        peer = self._peer
        members = [
            {"user": user.payload(), "membership_state": state, "role": role}
            for user, (role, state) in zip(peer.team, TEAM, strict=False)
        ]
        owner_id = str(peer.team[0].id) if peer.team else ""
        team = {"id": "1", "icon": None, "name": "team", "owner_user_id": owner_id, "members": members}
        return {
            "id": str(peer.application_id),
            "name": "Florin",
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "",
            "flags": peer.flags,
            "owner": peer.runner_user.payload(),
            "team": team if peer.team else None,
        }

    async def gateway(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 16}
        return {"url": self._peer.gateway_url, "shards": 1, "session_start_limit": limit}

    async def guilds(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        after = int(request.query.get("after", 0))
        found = [guild for guild in sorted(self._peer.guilds.values(), key=lambda each: each.id) if guild.id > after]
        limit = int(request.query.get("limit", 200))
        return [
            {"id": str(guild.id), "name": guild.name, "icon": None, "owner": False, "features": []}
            | {"permissions": str(guild.bot_permissions)}
            for guild in found[:limit]
        ]

    async def guild(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        return self._peer.guilds[int(request.match_info["guild_id"])].payload(self._peer.bot)

    async def channel(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        return self._peer.channel_of(int(request.match_info["channel_id"])).payload()

    async def commands(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        if request.query.get("with_localizations") == "true":
            return self._peer.commands
        return [_unlocalised(command) for command in self._peer.commands]

    async def put_commands(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        check_commands(body)
        self._peer.command_uploads += 1
        self._peer.commands = [_given_back(command, self._peer.application_id) for command in body]
        return self._peer.commands

    # --- interactions -----------------------------------------------------------------------------------------------

    async def callback(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        peer = self._peer
        interaction = peer.interactions.get(request.match_info["interaction_token"])
        if interaction is None:
            raise Refusal(404, 10062, "Unknown interaction")
        interaction.attempts.append(body)
        if interaction.acknowledged is not None:
            interaction.answered.set()
            raise Refusal(400, 40060, "Interaction has already been acknowledged.")
        if peer.now() - interaction.began_at > FIRST_ANSWER_S:
            raise Refusal(404, 10062, "Unknown interaction")
        kind, data = body["type"], body.get("data") or {}
        message = self._first_answer(interaction, kind, data, uploads)
        interaction.acknowledged = kind
        return {
            "interaction": {
                "id": str(interaction.id),
                "type": interaction.kind,
                "response_message_id": None if message is None else message["id"],
                "response_message_loading": interaction.is_waiting,
                "response_message_ephemeral": interaction.is_private,
            },
            "resource": {"type": kind} | ({} if message is None else {"message": message}),
        }

    def _first_answer(
        self, interaction: Interaction, kind: int, data: dict[str, Any], uploads: dict[str, bytes]
    ) -> dict[str, Any] | None:
        allowed = {2: {4, 5, 9}, 3: {4, 5, 6, 7, 9}, 4: {8}, 5: {4, 5, 6, 7}}[interaction.kind]
        if kind not in allowed:
            raise invalid(f"an answer of type {kind} to an interaction of type {interaction.kind}")
        match kind:
            case 4:
                interaction.is_private = bool((data.get("flags") or 0) & EPHEMERAL)
                return self._make(interaction, data, uploads, is_original=True)
            case 5:
                interaction.is_private = bool((data.get("flags") or 0) & EPHEMERAL)
                interaction.is_waiting = True
                placeholder = {"flags": data.get("flags") or 0}
                message = self._peer._message(interaction.channel, self._peer.bot, placeholder)
                interaction.original = int(message["id"])
                interaction.channel.messages[interaction.original] = message
                return message
            case 6:
                return None
            case 7:
                return self._change(interaction, data, uploads)
            case 8:
                if len(data["choices"]) > 25:
                    raise invalid("choices")
                interaction.choices = data["choices"]
                interaction.answered.set()
                return None
            case _:
                check_form(data)
                interaction.form = data
                interaction.answered.set()
                return None

    def _make(
        self, interaction: Interaction, body: dict[str, Any], uploads: dict[str, bytes], *, is_original: bool = False
    ) -> dict[str, Any]:
        message = self._peer.post(interaction.channel, body, uploads)
        message["flags"] = body.get("flags") or 0
        message["interaction_metadata"] = {
            "id": str(interaction.id),
            "type": interaction.kind,
            "user": interaction.user.payload(),
            "authorizing_integration_owners": {},
        }
        message["webhook_id"] = str(self._peer.application_id)
        if is_original:
            interaction.original = int(message["id"])
        interaction.seen.append(message)
        interaction.answered.set()
        return message

    def _change(self, interaction: Interaction, body: dict[str, Any], uploads: dict[str, bytes]) -> dict[str, Any]:
        message = interaction.channel.messages.get(interaction.original or 0)
        if message is None:
            raise Refusal(404, 10008, "Unknown Message")
        if interaction.is_waiting:
            check_message(body, set(uploads))
        self._peer.change(message, body, uploads)
        interaction.is_waiting = False
        interaction.seen.append(message)
        interaction.answered.set()
        return message

    def _alive(self, request: web.Request) -> Interaction:
        interaction = self._peer.interactions.get(request.match_info["webhook_token"])
        if interaction is None or interaction.acknowledged is None:
            raise Refusal(404, 10015, "Unknown Webhook")
        if self._peer.now() - interaction.began_at > TOKEN_S:
            raise Refusal(401, 50027, "Invalid Webhook Token")
        return interaction

    async def follow_up(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        interaction = self._alive(request)
        if interaction.is_waiting:
            # The first one takes the placeholder's place, and is seen by whom that is.
            return self._change(interaction, body, uploads)
        return self._make(interaction, body, uploads)

    async def change_original(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        return self._change(self._alive(request), body, uploads)

    async def delete_original(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        interaction = self._alive(request)
        if interaction.channel.messages.pop(interaction.original or 0, None) is None:
            raise Refusal(404, 10008, "Unknown Message")
        interaction.is_waiting = False

    # --- channels ---------------------------------------------------------------------------------------------------

    def _writable(self, request: web.Request) -> Channel:
        channel = self._peer.channel_of(int(request.match_info["channel_id"]))
        if channel.refused & VIEW_CHANNEL:
            raise Refusal(403, 50001, "Missing Access")
        if channel.refused & SEND_MESSAGES:
            raise Refusal(403, 50013, "Missing Permissions")
        if channel.recipient is not None and not channel.recipient.takes_messages:
            raise Refusal(403, 50007, "Cannot send messages to this user")
        return channel

    async def post(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        channel = self._writable(request)
        nonce = body.get("nonce")
        known = self._peer._nonces.get((channel.id, str(nonce)))
        if nonce is not None and body.get("enforce_nonce") and known is not None:
            return known
        message = self._peer.post(channel, body, uploads)
        answered = body.get("message_reference")
        if answered is not None:
            message["message_reference"] = answered
            message["referenced_message"] = channel.messages.get(int(answered["message_id"]))
        if nonce is not None:
            self._peer._nonces[channel.id, str(nonce)] = message
        return message

    def _message(self, request: web.Request) -> tuple[Channel, dict[str, Any]]:
        channel = self._peer.channel_of(int(request.match_info["channel_id"]))
        message = channel.messages.get(int(request.match_info["message_id"]))
        if message is None or message["flags"] & EPHEMERAL:
            raise Refusal(404, 10008, "Unknown Message")
        return channel, message

    async def read(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        channel, message = self._message(request)
        guild = channel.guild
        if guild is not None and not guild.bot_permissions & READ_HISTORY:
            raise Refusal(403, 50013, "Missing Permissions")
        return message

    async def patch(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        _, message = self._message(request)
        if message["author"]["id"] != str(self._peer.bot.id):
            raise Refusal(403, 50005, "Cannot edit a message authored by another user")
        return self._peer.change(message, body, uploads)

    async def delete(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        channel, message = self._message(request)
        guild = channel.guild
        is_own = message["author"]["id"] == str(self._peer.bot.id)
        if not is_own and (guild is None or not guild.bot_permissions & MANAGE_MESSAGES):
            raise Refusal(403, 50013, "Missing Permissions")
        del channel.messages[int(message["id"])]

    async def private_channel(self, request: web.Request, body: Any, uploads: dict[str, bytes]) -> Any:
        user = self._peer.users.get(int(body["recipient_id"]))
        if user is None:
            raise Refusal(400, 50033, "Invalid Recipient(s)")
        return self._peer.private_channel(user).payload()

    async def file(self, request: web.Request) -> web.StreamResponse:
        record = Request("GET", request.path, None)
        failure = next((each for each in self._peer.failures if _matches(each, record)), None)
        if failure is not None:
            failure.times -= 1
            if failure.answer is not None:
                return failure.answer()
            assert request.transport is not None
            request.transport.close()
        key = f"{request.match_info['attachment_id']}/{request.match_info['name']}"
        content = self._peer.files.get(key)
        return web.Response(status=404) if content is None else web.Response(body=content)


def _told(found: Any, status: int) -> web.Response:
    # discord.py reads JSON only where this is all that the header says.
    return web.Response(body=json.dumps(found).encode(), status=status, headers={"Content-Type": "application/json"})


def _matches(failure: Any, record: Request) -> bool:
    return failure.times > 0 and failure.method == record.method and bool(failure.path.search(record.path))


def _needs_no_token(path: str) -> bool:
    return path.startswith(("/interactions/", "/webhooks/"))


async def _read(request: web.Request) -> tuple[Any, dict[str, bytes]]:
    if request.content_type == "multipart/form-data":
        form = await request.post()
        uploads = {}
        for name, value in form.items():
            if name.startswith("files["):
                assert isinstance(value, web.FileField)
                uploads[value.filename] = value.file.read()
        return json.loads(str(form["payload_json"])), uploads
    text = await request.text()
    return (json.loads(text) if text else None), {}


def _unlocalised(told: Any) -> Any:
    """Without its other languages, as Discord leaves them out unless it is asked for them."""
    match told:
        case dict():
            return {key: _unlocalised(value) for key, value in told.items() if not key.endswith("_localizations")}
        case list():
            return [_unlocalised(each) for each in told]
        case _:
            return told


def _given_back(command: dict[str, Any], application_id: int) -> dict[str, Any]:
    """A command as Discord tells of it: with ids, digits for permissions, and without what is as it would be."""

    def option(told: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in told.items() if value is not False and value is not None}
        if "options" in told:
            kept["options"] = [option(each) for each in told["options"]]
        return kept

    permissions = command.get("default_member_permissions")
    return {
        **option(command),
        "id": str(new_id()),
        "application_id": str(application_id),
        "version": str(new_id()),
        "default_member_permissions": None if permissions is None else str(permissions),
        "nsfw": False,
        "description": command.get("description", ""),
        "dm_permission": False,
        "type": command.get("type", 1),
    }
