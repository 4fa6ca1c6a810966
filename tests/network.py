"""The error of the guard in conftest.py."""


class NetworkBlocked(RuntimeError):
    """A test tried to leave this machine."""
