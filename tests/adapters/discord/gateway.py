"""The Gateway of a Discord in tests: a websocket that tells what happens, and tells it again to who resumes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from tests.adapters.discord.state import new_id

if TYPE_CHECKING:
    from tests.adapters.discord.peer import Peer

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, MEMBERS, INVALID, HELLO, ACK = 0, 1, 2, 6, 7, 8, 9, 10, 11


@dataclass(eq=False)
class Session:
    """One session of one shard; its events are kept, so that they can be told again."""

    id: str
    shard: tuple[int, int]
    intents: int
    events: list[dict[str, Any]] = field(default_factory=list)
    socket: web.WebSocketResponse | None = None

    def sees(self, guild_id: int | None) -> bool:
        return guild_id is None or (guild_id >> 22) % self.shard[1] == self.shard[0]

    async def tell(self, event: str, data: Any) -> None:
        payload = {"op": DISPATCH, "t": event, "s": len(self.events) + 1, "d": data}
        self.events.append(payload)
        await self.send(payload)

    async def send(self, payload: dict[str, Any]) -> None:
        if self.socket is not None and not self.socket.closed:
            await self.socket.send_str(json.dumps(payload))


class Gateway:
    """Sessions by their id. `resumes`, `identifies` count; `refuse_resume` makes the next resume fail, as Discord
    does now and then; with `keeps_members` it answers nobody who asks for a server's members."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.sessions: dict[str, Session] = {}
        self.resumes = 0
        self.identifies: list[dict[str, Any]] = []
        self.refuse_resume = False
        self.keeps_members = False

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(json.dumps({"op": HELLO, "s": None, "t": None, "d": {"heartbeat_interval": 41_250}}))
        session: Session | None = None
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            payload = json.loads(message.data)
            match payload["op"]:
                case 1:
                    await socket.send_str(json.dumps({"op": ACK, "s": None, "t": None, "d": None}))
                case 2:
                    session = await self._identify(payload["d"], socket)
                case 6:
                    session = await self._resume(payload["d"], socket)
                case 8 if session is not None:
                    await self._members(session, payload["d"])
                case _:
                    pass
        if session is not None and session.socket is socket:
            session.socket = None
        await self._peer.noticed()
        return socket

    async def _identify(self, asked: dict[str, Any], socket: web.WebSocketResponse) -> Session:
        shard = tuple(asked.get("shard") or (0, 1))
        session = Session(f"session-{new_id()}", (shard[0], shard[1]), int(asked["intents"]), socket=socket)
        self.sessions[session.id] = session
        self.identifies.append(asked)
        guilds = [guild for guild in self._peer.guilds.values() if session.sees(guild.id)]
        await session.tell(
            "READY",
            {
                "v": 10,
                "user": self._peer.bot.payload(),
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "session_id": session.id,
                "resume_gateway_url": self._peer.gateway_url,
                "shard": list(session.shard),
                "application": {"id": str(self._peer.application_id), "flags": 0},
            },
        )
        for guild in guilds:
            await session.tell("GUILD_CREATE", guild.payload(self._peer.bot))
        await self._peer.noticed()
        return session

    async def _resume(self, asked: dict[str, Any], socket: web.WebSocketResponse) -> Session | None:
        session = self.sessions.get(asked["session_id"])
        if session is None or self.refuse_resume:
            self.refuse_resume = False
            await socket.send_str(json.dumps({"op": INVALID, "s": None, "t": None, "d": False}))
            return None
        session.socket = socket
        self.resumes += 1
        for event in session.events[asked["seq"] :]:
            await session.send(event)
        await session.tell("RESUMED", {})
        await self._peer.noticed()
        return session

    async def _members(self, session: Session, asked: dict[str, Any]) -> None:
        guild = self._peer.guilds[int(asked["guild_id"])]
        if not session.intents & 1 << 1 or self.keeps_members:
            return
        members = [member.payload() for member in guild.members.values()]
        pieces = [members[start : start + 1000] for start in range(0, len(members), 1000)] or [[]]
        for index, piece in enumerate(pieces):
            await session.tell(
                "GUILD_MEMBERS_CHUNK",
                {
                    "guild_id": str(guild.id),
                    "members": piece,
                    "chunk_index": index,
                    "chunk_count": len(pieces),
                    "nonce": asked.get("nonce"),
                },
            )

    async def tell(self, event: str, data: Any, guild_id: int | None = None, *, intent: int = 0) -> None:
        """Tells every session that may know of it, connected or not."""
        for session in list(self.sessions.values()):
            if session.sees(guild_id) and (not intent or session.intents & intent):
                await session.tell(event, data)

    async def drop(self) -> None:
        """Cuts every line, as a network does."""
        for session in self.sessions.values():
            if session.socket is not None:
                await session.socket.close(code=4000)

    def connected(self) -> list[Session]:
        return [session for session in self.sessions.values() if session.socket is not None]
