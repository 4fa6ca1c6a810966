"""Ids that sort by time: 48 bits of milliseconds and 80 of chance, as 26 letters and digits (the ULID layout).

Source: https://github.com/ulid/spec. Two ids made within one millisecond sort by chance.
"""

import os
import time

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id(prefix: str) -> str:
    """A new id, such as `msg_01JD…`; `prefix` says what it names."""
    return _written(prefix, (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10)))


def first_id(prefix: str, at_us: int) -> str:
    """The lowest id that can have been made at a time in UTC microseconds, or after it."""
    return _written(prefix, (at_us // 1000) << 80)


def _written(prefix: str, number: int) -> str:
    return prefix + "_" + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


_SHIFTS = tuple(range(120, -1, -10))
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
