"""A wire between a client and a server of this machine, which can lose what goes over it."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


@dataclass
class Wire:
    """Where to connect instead, and what becomes of what is sent there.

    ``deaf``: the server hears everything, and nothing of what it says comes back. ``cut_after``: the connection breaks
    when the client has sent so many bytes more.
    """

    port: int
    deaf: bool = False
    cut_after: int | None = None

    def carry(self, client: socket.socket, server: socket.socket) -> None:
        """Carry bytes both ways until one side closes, or the wire breaks."""
        with client, server, selectors.DefaultSelector() as ready:
            for end in (client, server):
                ready.register(end, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    sent = key.fileobj is client
                    with suppress(OSError):
                        taken = (client if sent else server).recv(65_536)
                        if self._passes(taken, sent=sent):
                            (server if sent else client).sendall(taken)
                            continue
                        if taken and not sent:
                            continue
                    return

    def _passes(self, taken: bytes, *, sent: bool) -> bool:
        if not taken or (self.deaf and not sent):
            return False
        if sent and self.cut_after is not None:
            self.cut_after -= len(taken)
            return self.cut_after >= 0
        return True


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    """A wire to that port of loopback; it is gone in the end, and so are its connections."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        wire = Wire(door.getsockname()[1])

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = door.accept()
                    server = socket.create_connection(("127.0.0.1", port))
                    threading.Thread(target=wire.carry, args=(client, server), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield wire
        finally:
            door.shutdown(socket.SHUT_RDWR)
