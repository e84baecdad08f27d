"""Loopback ports for a broker that may die and come back."""

import random
import socket
from typing import Final

HOST: Final = "127.0.0.1"
_RANGE: Final = range(20_000, 30_000)
"""Below the ports the system gives to outgoing connections: while a broker is down, a client that
retries its address from such a port could connect to itself and keep the broker from coming back."""


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Distinct free loopback ports, picked at random so that two starts at once rarely meet."""
    found: list[int] = []
    for port in random.sample(_RANGE, len(_RANGE)):
        if is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"no {count} free ports in {_RANGE}")


def answers(port: int) -> bool:
    """Whether somebody listens on this loopback port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
