"""Between the workers and PostgreSQL: passes bytes on, and cuts connections at their COMMIT.

A cut is made on the next COMMIT of any connection. ANSWER: the server gets it and its answer is
dropped. REQUEST: the server never gets it. The client sees the same either way.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from dataclasses import dataclass, field

from launcher.ports import LOOPBACK

ANSWER = "answer"
REQUEST = "request"
CHUNK_BYTES = 1 << 16


@dataclass
class Proxy:
    server_port: int
    cuts: list[str] = field(default_factory=list)  # still to be made, first one next
    made: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._listening = socket.create_server((LOOPBACK, 0), backlog=50)
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def url(self, direct: str) -> str:
        """The database URL through here."""
        return direct.replace(f":{self.server_port}/", f":{self.port}/")

    def cut_next(self, how: str) -> None:
        with self._lock:
            self.cuts.append(how)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection((LOOPBACK, self.server_port), timeout=5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        with client, server, contextlib.suppress(OSError):
            self._pass_on(client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in ready.select():
                    source: socket.socket = key.fileobj
                    data = source.recv(CHUNK_BYTES)
                    if not data:
                        return
                    if source is client and b"COMMIT" in data and self._cut(server, data):
                        return
                    key.data.sendall(data)

    def _cut(self, server: socket.socket, data: bytes) -> bool:
        """True where this connection is to end here."""
        with self._lock:
            if not self.cuts:
                return False
            how = self.cuts.pop(0)
            self.made += 1
        if how == ANSWER:
            server.sendall(data)
            server.recv(CHUNK_BYTES)  # it is done, and only we know
        return True
