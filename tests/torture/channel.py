"""What a child tells its parent, as lines of JSON on a socket: a line that was sent outlives the child."""

import json
import os
import socket
from threading import Lock


class Channel:
    """The child's end. While `stepping`, it stops before every step until the parent lets it go on."""

    def __init__(self, connection: socket.socket) -> None:
        self.stepping = False
        self._connection = connection
        self._sending, self._standing = Lock(), Lock()

    def tell(self, **fact: object) -> None:
        """Says what is so from now on."""
        with self._sending:
            self._connection.sendall(json.dumps(fact).encode() + b"\n")

    def step(self, at: str) -> None:
        """Waits for the parent's word, if it wants to be asked; the parent may kill instead."""
        if not self.stepping:
            return
        with self._standing:
            self.tell(step=" ".join(at.split())[:60])
            if not self._connection.recv(1):
                os._exit(3)  # the parent is gone
