"""Datasets as the store knows them: what was made of the log, and where it lies."""

from dataclasses import dataclass
from typing import Literal

DatasetState = Literal["writing", "ready", "replaced"]


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """One dataset. `path` is its folder, `manifest` the SHA-256 of its manifest.json.

    `newest_us` is when the newest exchange in it was logged, `created_us` when it was made, both UTC microseconds.
    `receipts` counts the erasures that it knows of. A replaced one has no examples any more, but a manifest that says
    so, and `replaced_by` names the dataset that holds what may stay; it is empty when nothing may.
    """

    id: str
    route: str
    path: str
    examples: int
    manifest: str
    newest_us: int
    created_us: int
    receipts: int = 0
    state: DatasetState = "ready"
    replaced_by: str = ""
