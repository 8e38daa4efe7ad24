"""Requests to Telegram over aiohttp: each takes a fifth of the time that the library's own way takes.

Addresses hold the token, and what aiohttp raises quotes them. So nothing of it goes on from here, not even as a cause.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import certifi
from msgspec import Struct
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

KEPT_OPEN_S: Final = 5.0
"""How long a connection waits for its next request: less than Telegram lets it, as what is sent into one that is being
closed is in doubt."""
PART_BYTES: Final = 256 * 1024
FORM: Final = "application/x-www-form-urlencoded"
_UNSET: Final = BaseRequest.DEFAULT_NONE


class NotSent(NetworkError):
    """The request cannot have reached anybody, so it has done nothing and may be made again."""


class NotSentInTime(NotSent, TimedOut):
    """The same, since no connection was there in time."""


class Patience(Struct, frozen=True, kw_only=True):
    """How long things may take: a connection that is free, a new one, sending (a file: each `PART_BYTES` of it), and
    waiting for more of an answer. None: for ever."""

    pool_s: float | None = 30.0
    connect_s: float | None = 5.0
    write_s: float | None = 5.0
    write_file_s: float | None = 20.0
    read_s: float | None = 5.0


class Requests(BaseRequest):
    """What a bot of python-telegram-bot makes its requests with. Raises what the library's own does, and NotSent where
    that is certain."""

    def __init__(self, *, connections: int, patience: Patience) -> None:
        self._connections = connections
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None
        self._proxies: Mapping[str, str] = {}

    @property
    def read_timeout(self) -> float | None:
        return self._patience.read_s

    async def initialize(self) -> None:
        if self._session is not None:
            return
        self._proxies = getproxies()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=KEPT_OPEN_S, ssl=_trusted()),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self.USER_AGENT},
        )

    async def shutdown(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def do_request(  # noqa: PLR0917  # as the library has it
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = _UNSET,
        write_timeout: Any = _UNSET,
        connect_timeout: Any = _UNSET,
        pool_timeout: Any = _UNSET,
    ) -> tuple[int, bytes]:
        if self._session is None:
            raise NotSent("the door is closed")
        body, kind, parts = _body(request_data)
        usual = self._patience
        limits = _limits(
            pool_s=_given(pool_timeout, usual.pool_s),
            connect_s=_given(connect_timeout, usual.connect_s),
            write_s=_given(write_timeout, usual.write_file_s if parts else usual.write_s),
            read_s=_given(read_timeout, usual.read_s),
            parts=parts or 1,
            is_sending=body is not None,
        )
        problem: NetworkError
        try:
            async with self._session.request(
                method,
                url,
                data=body,
                headers=kind,
                timeout=limits,
                proxy=_proxy(url, self._proxies) if self._proxies else None,
                allow_redirects=False,
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, OSError, ValueError) as error:
            problem = _problem(error)
        # Out here, so that what it stands for is no part of it.
        raise problem

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The library's own logs what it cannot read, and people's words with it."""
        try:
            answer = json.loads(payload.decode("utf-8", "replace"))
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise TelegramError("Invalid server response")
        return answer


def _problem(error: Exception) -> NetworkError:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return NotSentInTime("No connection in time")
    if isinstance(error, aiohttp.ClientConnectorError):
        # Names the host alone.
        return NotSent(str(error))
    if isinstance(error, TimeoutError):
        return TimedOut()
    return NetworkError(type(error).__name__)


def _given(wanted: Any, usual: float | None) -> float | None:
    found: float | None = usual if wanted is _UNSET else wanted
    return found


def _limits(
    *,
    pool_s: float | None,
    connect_s: float | None,
    write_s: float | None,
    read_s: float | None,
    parts: int,
    is_sending: bool,
) -> aiohttp.ClientTimeout:
    """aiohttp has no limit for sending, so that and all else together have one."""
    to_begin = None if pool_s is None or connect_s is None else pool_s + connect_s
    total = None
    if is_sending and to_begin is not None and write_s is not None and read_s is not None:
        total = to_begin + write_s * parts + read_s
    return aiohttp.ClientTimeout(total=total, connect=to_begin, sock_connect=connect_s, sock_read=read_s)


@cache
def _trusted() -> ssl.SSLContext:
    """Whom to take for Telegram: by the certificates that the environment names, else by those that came with us."""
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        return ssl.create_default_context(
            cafile=os.environ.get("SSL_CERT_FILE") or None, capath=os.environ.get("SSL_CERT_DIR") or None
        )
    return ssl.create_default_context(cafile=certifi.where())


def _proxy(url: str, proxies: Mapping[str, str]) -> str | None:
    """Which proxy the environment names for an address (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY; NO_PROXY)."""
    address = urlsplit(url)
    found = proxies.get(address.scheme) or proxies.get("all")
    if not found or proxy_bypass(address.netloc.rpartition("@")[2]):
        return None
    found = found if "://" in found else f"http://{found}"
    if not found.startswith(("http://", "https://")):
        raise NotSent("The environment names a proxy that is none for HTTP")
    return found


# --- bodies -----------------------------------------------------------------------------------------------------------


def _body(sent: RequestData | None) -> tuple[bytes | io.BytesIO | None, dict[str, str], int]:
    """What to send, with its headers, and of how many parts it is where it holds files."""
    if sent is None:
        return None, {}, 0
    if not sent.contains_files:
        return sent.url_encoded_parameters().encode(), {"Content-Type": FORM}, 0
    boundary = secrets.token_hex(16)
    body = _multipart(sent, boundary)
    # aiohttp sends the bytes of a file by and by.
    return io.BytesIO(body), {"Content-Type": f"multipart/form-data; boundary={boundary}"}, -(-len(body) // PART_BYTES)


def _multipart(sent: RequestData, boundary: str) -> bytes:
    body = io.BytesIO()
    for name, value in sent.json_parameters.items():
        body.write(_head(boundary, f'name="{_quoted(name)}"'))
        body.write(value.encode())
    for name, (file_name, content, kind) in sent.multipart_data.items():
        of_file = f'name="{_quoted(name)}"; filename="{_quoted(file_name)}"\r\nContent-Type: {kind}'
        body.write(_head(boundary, of_file))
        body.write(content if isinstance(content, bytes) else content.read())
    body.write(f"\r\n--{boundary}--\r\n".encode())
    return body.getvalue()


def _head(boundary: str, told: str) -> bytes:
    return f"\r\n--{boundary}\r\nContent-Disposition: form-data; {told}\r\n\r\n".encode()


def _quoted(name: str) -> str:
    """As browsers write names in forms."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
