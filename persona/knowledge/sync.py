"""What changed between the documents that are stored and those that are there now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from persona.knowledge.documents import Document


@dataclass(frozen=True, slots=True)
class Changes:
    """What has to be indexed, indexed again, and dropped; each in the order of its path."""

    added: tuple[Document, ...] = ()
    changed: tuple[Document, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def diff(stored: Mapping[str, str], found: Sequence[Document]) -> Changes:
    """The changes that bring `stored` (path → sha256) to `found`."""
    ordered = sorted(found, key=lambda document: document.path)
    there = {document.path for document in ordered}
    return Changes(
        added=tuple(document for document in ordered if document.path not in stored),
        changed=tuple(
            document for document in ordered if stored.get(document.path, document.sha256) != document.sha256
        ),
        removed=tuple(sorted(stored.keys() - there)),
    )
