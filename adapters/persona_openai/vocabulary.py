"""tiktoken's encodings, built from a vocabulary file that is already on this machine.

tiktoken itself downloads a missing vocabulary without a time-out, and deletes a cached file whose hash is
wrong. So the file is found and verified here, and the encoding built from its bytes.
"""

import base64
import hashlib
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

_WORD_END = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_BEFORE = r"[^\r\n\p{L}\p{N}]?"
_UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One of tiktoken's encodings: the SHA-1 of its URL (the cached file's name), the file's SHA-256, and the
    pattern that splits a text before its bytes are merged."""

    name: str
    file: str
    sha256: str
    pattern: str


# As in tiktoken 0.14.0, tiktoken_ext/openai_public.py; a test compares the patterns with the installed ones.
O200K = Vocabulary(
    "o200k_base",
    "fb374d419588a4632f3f557e76b4b70aebbca790",
    "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "|".join(
        (
            f"{_BEFORE}{_UPPER}*{_LOWER}+{_WORD_END}",
            f"{_BEFORE}{_UPPER}+{_LOWER}*{_WORD_END}",
            r"\p{N}{1,3}",
            r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        )
    ),
)
CL100K = Vocabulary(
    "cl100k_base",
    "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
    "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
)


def load(vocabulary: Vocabulary) -> "Encoding | None":
    """The encoding, or None when its file is absent, unreadable or not the published one.

    Looks where tiktoken would: TIKTOKEN_CACHE_DIR, else DATA_GYM_CACHE_DIR, else the temporary directory.
    Takes about 0.3 s of CPU the first time.
    """
    folder = _folder()
    if folder is None or not (folder / vocabulary.file).is_file():
        return None
    try:
        return _built(vocabulary, folder / vocabulary.file)
    except (OSError, ValueError):
        return None


def _folder() -> Path | None:
    for variable in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if variable in os.environ:
            return Path(os.environ[variable]) if os.environ[variable] else None  # empty turns the cache off
    return Path(tempfile.gettempdir(), "data-gym-cache")


@cache
def _built(vocabulary: Vocabulary, path: Path) -> "Encoding":
    import tiktoken

    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != vocabulary.sha256:
        raise ValueError(f"{path} is not the published vocabulary of {vocabulary.name}")
    ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, content.splitlines())}
    return tiktoken.Encoding(vocabulary.name, pat_str=vocabulary.pattern, mergeable_ranks=ranks, special_tokens={})
