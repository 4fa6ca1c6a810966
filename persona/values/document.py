"""The documents of a knowledge base: what is kept of them, what was done with them, and what a search finds."""

from dataclasses import dataclass
from typing import Literal

from persona.values.memory import Recalled

DocumentOrigin = Literal["settings", "hand"]
DocumentOutcome = Literal["added", "updated", "unchanged", "removed", "refused"]


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """One file of a knowledge base as stored.

    `path` is relative to the folder of the settings for what lies in it. `origin` says whether the settings name the
    file or somebody added it. `problem` is why its text is not there, or is that of an earlier time; `remark` what had
    to be guessed. `indexed_us` is when what it holds was last taken in, 0 when it never was; `mtime_ns` when the file
    was changed, 0 where that cannot be relied on.
    """

    path: str
    title: str
    origin: DocumentOrigin = "hand"
    chunks: int = 0
    size: int = 0
    indexed_us: int = 0
    problem: str = ""
    remark: str = ""
    sha256: str = ""
    mtime_ns: int = 0


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """What was done with one file, the `done`th of `total`; `reason` says why it was refused."""

    path: str
    outcome: DocumentOutcome
    done: int
    total: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KnowledgeReport:
    """What was done with the files of a knowledge base, and why some were refused (path, reason)."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class KnowledgeHit:
    """One piece of a document that a search found, why, and the paths of all documents that hold it."""

    recalled: Recalled
    paths: tuple[str, ...]
