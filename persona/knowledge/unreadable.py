"""Why a file is not read: said to people, and kept beside its name."""

from pathlib import Path

from persona.errors import InvalidInput


class Unreadable(InvalidInput):
    """A file that is no document, with what to do. `reason` is the message without the file's name."""

    def __init__(self, path: Path, what: str, hint: str) -> None:
        super().__init__(f"the document {str(path)!r} {what}", hint=hint)
        self.what = what
        self.reason = f"{what}; {hint}"


class Gone(Unreadable):
    """A file that is not there, or not any more."""
