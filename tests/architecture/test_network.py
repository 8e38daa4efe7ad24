"""No test reaches beyond loopback. 192.0.2.1 and example.invalid are for documentation: nobody is there."""

import asyncio
import socket
from collections.abc import Callable

import pytest

BEYOND = "reach nothing but loopback"
TRIES: dict[str, Callable[[socket.socket], object]] = {
    "connect": lambda udp: udp.connect(("192.0.2.1", 9)),
    "connect_ex": lambda udp: udp.connect_ex(("192.0.2.1", 9)),
    "sendto": lambda udp: udp.sendto(b"coins", ("192.0.2.1", 9)),
    "sendmsg": lambda udp: udp.sendmsg([b"coins"], [], 0, ("192.0.2.1", 9)),
    "lookup": lambda _: socket.getaddrinfo("example.invalid", 9),
    "create_connection": lambda _: socket.create_connection(("192.0.2.1", 9)),
}


@pytest.mark.parametrize("attempt", TRIES.values(), ids=TRIES)
def test_the_world_cannot_be_reached(attempt: Callable[[socket.socket], object]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, pytest.raises(RuntimeError, match=BEYOND):
        attempt(udp)


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "example.invalid"])
async def test_a_client_of_asyncio_cannot_reach_the_world(host: str) -> None:
    with pytest.raises(RuntimeError, match=BEYOND):
        await asyncio.open_connection(host, 9)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_loopback_can_be_reached(host: str) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"welcome")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(host, port, family=socket.AF_INET)
        assert await reader.read() == b"welcome"
        writer.close()
        await writer.wait_closed()
