"""For every test: nothing outside this machine may be reached."""

import ipaddress
import sys

# What asks for an address, and where in its arguments the address stands.
CALLS = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1, "socket.getaddrinfo": 0}


class WorldTouchedError(RuntimeError):
    """A test tried to reach beyond loopback. No OSError, so that nobody takes it for a broken line and retries."""


def is_here(address: object) -> bool:
    # A path is a Unix socket's, None is for a socket that is connected already: both were let through before.
    if address is None or isinstance(address, (str, bytes)):
        return True
    if not isinstance(address, tuple) or not isinstance(address[0], (str, bytes)):
        return True
    return is_name_of_here(address[0])


def is_name_of_here(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name is None or name == "localhost":
        return True
    try:
        return ipaddress.ip_address(str(name).partition("%")[0]).is_loopback
    except ValueError:
        return False


def guard(event: str, arguments: tuple[object, ...]) -> None:
    if (place := CALLS.get(event)) is None:
        return
    asked = arguments[place]
    if not (is_name_of_here(asked) if event == "socket.getaddrinfo" else is_here(asked)):
        raise WorldTouchedError(f"{event} to {asked!r}: tests reach nothing but loopback")


# An audit hook, since it sees every library's sockets, and no test can take it away again.
sys.addaudithook(guard)
