"""A TCP proxy that loses a server's answer: the statement arrives, its result never comes back."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class LossyProxy:
    """Passes bytes both ways. While `lose_answer_to` is set, the first message that holds it is the connection's last:

    it is passed on, and then both ends are closed without the answer.
    """

    def __init__(self, target_port: int) -> None:
        self.lose_answer_to: bytes | None = None
        self.lost = 0
        self._target = target_port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            silent = threading.Event()
            threading.Thread(target=self._upwards, args=(client, server, silent), daemon=True).start()
            threading.Thread(target=_downwards, args=(server, client, silent), daemon=True).start()

    def _upwards(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        with client, server:
            for data in _received(client):
                loses = self.lose_answer_to is not None and self.lose_answer_to in data
                if loses:
                    silent.set()
                    self.lose_answer_to = None
                server.sendall(data)
                if loses:
                    server.shutdown(
                        socket.SHUT_WR
                    )  # the server reads to the end, and so commits, before it hangs up
                    for _ in _received(server):
                        pass
                    self.lost += 1
                    return


def _downwards(server: socket.socket, client: socket.socket, silent: threading.Event) -> None:
    for data in _received(server):
        if silent.is_set():
            return
        try:
            client.sendall(data)
        except OSError:
            return


def _received(source: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            data = source.recv(65_536)
        except OSError:
            return
        if not data:
            return
        yield data


@contextmanager
def lossy_proxy(target_port: int) -> Iterator[LossyProxy]:
    """A proxy in front of a port of this machine."""
    proxy = LossyProxy(target_port)
    try:
        yield proxy
    finally:
        proxy.close()
