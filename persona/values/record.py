"""Values that are made by the hundred thousand: frozen to whoever checks types, and set plainly where the code runs.

A frozen dataclass sets each field through `object.__setattr__`, which takes ten times as long: 2 µs for seven of them.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as record
else:
    from dataclasses import dataclass

    def record(*, frozen: bool, slots: bool):
        """A dataclass that compares and hashes by its fields, as a frozen one does."""
        return dataclass(slots=slots, unsafe_hash=frozen)


__all__ = ["record"]
