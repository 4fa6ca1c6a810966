"""The guard that keeps tests on this machine works."""

import socket

import pytest
from network import NetworkBlocked


def test_a_connection_to_the_outside_is_refused_before_it_is_tried() -> None:
    with socket.socket() as s, pytest.raises(NetworkBlocked):
        s.connect(("192.0.2.1", 80))


def test_a_name_outside_is_not_looked_up() -> None:
    with pytest.raises(NetworkBlocked):
        socket.create_connection(("example.org", 80), timeout=1)


def test_this_machine_can_be_reached() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        socket.create_connection(server.getsockname(), timeout=1).close()
