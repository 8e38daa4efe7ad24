"""`GET /metrics` and `GET /health`, for those who watch Florin from this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import msgspec
import uvicorn
from prometheus_client.exposition import choose_encoder

from bot.health import health_of
from bot.metrics import FlorinCollector, registry_with
from bot.settings import SettingsError
from economy.figures import Watch

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

NEVER_KEPT: Final = (b"cache-control", b"no-store")

log = logging.getLogger(__name__)


@asynccontextmanager
async def watched(watch: Watch, listen: tuple[str, int]) -> AsyncIterator[int]:
    """Answers at `listen`, a host and a port (0 for any that is free), while it is open; yields the port.

    Raises SettingsError where the address cannot be had.
    """
    with _bound(listen) as bound:
        server = _Server(
            uvicorn.Config(
                app_of(watch),
                access_log=False,
                http="h11",
                interface="asgi3",
                lifespan="off",
                log_config=None,
                log_level="warning",
                loop="none",
                server_header=False,
                timeout_graceful_shutdown=1,
                ws="none",
            )
        )
        serving = asyncio.create_task(server.serve([bound]), name="watched")
        try:
            port: int = bound.getsockname()[1]
            log.info("metrics and health are at http://%s:%d", listen[0], port)
            yield port
        finally:
            server.should_exit = True
            await serving


def _bound(listen: tuple[str, int]) -> socket.socket:
    # Not by the server, which would end the process where the address is taken.
    try:
        return socket.create_server(listen, family=socket.AF_INET6 if ":" in listen[0] else socket.AF_INET)
    except OSError as problem:
        said = os.strerror(problem.errno) if problem.errno else type(problem).__name__
    raise SettingsError([f"Nothing can listen at FLORIN_METRICS__LISTEN: {said}."])


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to whoever runs the process."""
        yield


def app_of(watch: Watch) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The two pages as an application of ASGI."""
    collector = FlorinCollector()
    registry = registry_with(collector)

    async def metrics(scope: Scope) -> tuple[int, str, bytes]:
        collector.figures = await watch.figures()
        encode, kind = choose_encoder(_header(scope, b"accept"))
        return 200, kind, encode(registry)

    async def health(_: Scope) -> tuple[int, str, bytes]:
        found = health_of(await watch.figures())
        return (200 if found.is_well else 503), "application/json", msgspec.json.encode(found)

    pages = {"/metrics": metrics, "/health": health}

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        page = pages.get(scope["path"])
        if page is None:
            status, kind, body = 404, "text/plain; charset=utf-8", b"There are /metrics and /health.\n"
        elif scope["method"] not in {"GET", "HEAD"}:
            status, kind, body = 405, "text/plain; charset=utf-8", b"GET it.\n"
        else:
            status, kind, body = await page(scope)
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode()), NEVER_KEPT]
        if status == 405:
            headers.append((b"allow", b"GET, HEAD"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return app


def _header(scope: Scope, name: bytes) -> str:
    found: bytes = dict(scope["headers"]).get(name, b"")
    return found.decode("latin-1")
