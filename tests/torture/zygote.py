"""A process that has imported everything and opened nothing: it forks a child, in milliseconds, for whoever connects.

    python zygote.py SOCKET

A connection brings one line, the name of a program and what it is to do; from then on it is the child's channel.
"""

import json
import os
import signal
import socket
import sys
import traceback

import persona_embedded.chat
import persona_embedded.embed  # noqa: F401 - warm, as the rest: a child would import it on first use
from torture import child, forked, marks
from torture.channel import Channel


def serve(path: str) -> None:
    """Forks a child for every connection, for ever."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children: they are killed
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _be_a_child(connection)
        connection.close()


def _be_a_child(connection: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    channel, code = Channel(connection), 1
    try:
        channel.tell(pid=os.getpid())
        with connection.makefile() as lines:
            name, wish = json.loads(lines.readline())
        PROGRAMS[name](channel, wish)
        code = 0
    except BaseException:  # noqa: BLE001 - the parent is told, whatever it was
        channel.tell(failed=traceback.format_exc())
    finally:
        os._exit(code)


PROGRAMS = {
    "talk": lambda channel, wish: child.run(channel, child.Wish(**wish)),
    "forked": lambda channel, wish: forked.run(channel, forked.Wish(**wish)),
    "marks": lambda channel, wish: marks.run(channel, marks.Wish(**wish)),
}

if __name__ == "__main__":
    serve(sys.argv[1])
