"""An offline approximation of the o200k_base vocabulary's token counts, by script and word shape.

It stands in where no exact vocabulary is at hand. The text is cut into pieces much as o200k's pre-tokenizer
does it (tiktoken, `tiktoken_ext`). A piece costs one token, plus `slope` for each character
beyond its first `free` ones; both depend on the script and, where function words betray it, the language.
`benchmarks/fit_estimator.py` fits them, `benchmarks/estimator.py` measures the error that is left.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import chain
from math import inf

from persona.window.shapes import ByShape, shapes_of

NAME = "estimate-1"

# Letters by script. Spelled out, not taken from `unicodedata` or `\w`, which change between Python versions.
SCRIPTS = {
    "greek": "\u0370-\u03ff\u1f00-\u1fff",
    "cyrillic": "\u0400-\u052f",
    "armenian": "\u0530-\u058f",
    "hebrew": "\u0590-\u05ff",
    "arabic": "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefe",
    "devanagari": "\u0900-\u097f",
    "bengali": "\u0980-\u09ff",
    "gurmukhi": "\u0a00-\u0a7f",
    "gujarati": "\u0a80-\u0aff",
    "odia": "\u0b00-\u0b7f",
    "tamil": "\u0b80-\u0bff",
    "telugu": "\u0c00-\u0c7f",
    "kannada": "\u0c80-\u0cff",
    "malayalam": "\u0d00-\u0d7f",
    "sinhala": "\u0d80-\u0dff",
    "thai": "\u0e00-\u0e7f",
    "burmese": "\u1000-\u109f",
    "georgian": "\u10a0-\u10ff",
    "ethiopic": "\u1200-\u139f",
    "khmer": "\u1780-\u17ff",
    "hangul": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "hiragana": "\u3041-\u309f",
    "katakana": "\u30a0-\u30ff\uff66-\uff9f",
    "han": "\u3005-\u3006\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
}

# Scripts in which a word at the start of a line or after a quote costs visibly more than one after a space.
SPACED = {"arabic", "cyrillic", "devanagari", "greek", "hangul", "hebrew"}
_UPPER = "A-Z\u00c0-\u00d6\u00d8-\u00de"
_LOWER = "a-z\u00aa\u00b5\u00ba\u00df-\u00f6\u00f8-\u036f\u1e00-\u1eff"

# Tokens per symbol, counted in the vocabulary. What has no range here costs 1, as dashes and CJK commas do.
SYMBOLS = {
    "mark": (1.0, ""),
    "rare": (2.0, "\u0700-\u074f\u0780-\u089f\u0e80-\u0fff\u13a0-\u177f\u1800-\u1dff\ua000-\uabff"),
    "selector": (0.6, "\ufe00-\ufe0f"),
    "sign": (1.9, "\u2070-\u2dff"),
    "emoji": (2.0, "\U0001f1e6-\U0001f1ff\U0001f300-\U0001f64f"),
    "glyph": (2.6, "\U0001d000-\U0001dfff\U0001f000-\U0001f1e5\U0001f200-\U0001f2ff\U0001f650-\U0001faff"),
    "ancient": (3.5, "\U00010000-\U0001cfff\U0001e000-\U0001efff"),
    "unassigned": (3.0, "\ue000-\uf8ff\U000e0000-\U0010fffe"),
}
_ONE_TOKEN = frozenset("←↑→↓⇒−√∞≈≤≥①②③─━│■□▪▲△►▼◆○●★☆♂♡♥♦♪✅✓✔✨❤➡⭐™€№₹₂")
_ONE_TOKEN |= frozenset("👇👉👌👍👏💕🔥😀😁😂😉😊😍😘😭🙂🙏🤣🏻🏼")

# Function words that betray a language; a word of several languages is a hint at each.
MARKS = {
    "code": "= == != += => // /* * && || -> return const def import else: #define self, none int static void",
    "en": "the and you that of it's with this are have I my but not your they would what just when there if",
    "fr": "les des est une vous pas pour je dans qui il ce avec sur mais nous c'est j'ai ça du au elle très",
    "de": "der und das ist nicht ich ein zu auf den für sich wir auch sie dem wenn dass aber noch",
    "es": "el los las y por con pero está muy del lo más una hay cuando también porque ya esta",
    "pt": "não uma os em um você é do da mais foi muito com ao isso ele meu também são ou",
    "it": "il che di è non sono della gli più anche per ho questo nel mi ma una come dei",
    "nl": "het een van ik dat niet op zijn voor met je maar ook naar te wordt hebben",
    "sv": "att och är som inte jag för av till ett på den från när också har",
    "da": "og ikke af til det der jeg at på hvis deres være også fra har er",
    "fi": "ja on että ei ovat tai kuin myös mutta se oli voi olla hän joka",
    "hu": "az egy nem hogy és meg van is ez csak vagy ha mint már még",
    "pl": "w się nie na jest z że do lub są jak ale to po tak czy mi już co",
    "cs": "se že jsou nebo pro když jsem ale v je který být jak už také při",
    "ro": "și să în cu pe mai nu este pentru care ca din sunt fost că",
    "ca": "els amb més és per però aquest són hi està molt aquesta tot",
    "id": "yang dan di untuk tidak ini dengan dari itu saya ada akan atau pada bisa",
    "tr": "bir ve bu için çok ama daha gibi ile var mı olarak kadar sonra",
    "vi": "không và là của có một cho tôi được các người đã này với những rất bạn đi",
    "ru": "и в не на я с что как это но по он а то за у же мы вы",
    "uk": "і що з не та це від як до які або вже є про дуже ще",
    "bg": "е и на не да се от си че като това ще са най",
    "sr": "је и на не да се су није од што би који ће ми али",
    "ar": "في من على أن إلى لا ما هذا مع كان عن هل أنا التي كل",
    "fa": "که به از در را این است می با برای من یک تا هم",
    "ur": "کے کی ہے میں سے کو اور نہیں کا یہ پر ہیں بھی",
    "hi": "है के में की और को का से हैं नहीं यह भी पर मैं क्या",
    "mr": "आहे आणि या तर ते मी हे का पण नाही करा",
}

# Signs that betray what words cannot: code, and the languages written with Han characters.
CODE_SIGNS = ('":', "{", "}", "=", "_", "()", "</")
HAN_SIGNS = {
    "ja": "のはをにがたでとしる",
    "hant": "們這說對時為國過來會後還沒讓",
    "hans": "们这说对时为国过来会后还没让",
}

# class: language: (free, slope); "" serves all other languages. "glued" pieces follow a sign, not a space.
# Written by `benchmarks/fit_estimator.py --write`.
# fmt: off
COSTS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "arabic": {"": (3.75, 0.347), "ar": (3.5, 0.31), "fa": (4.25, 0.416), "ur": (3.5, 0.406)},
    "armenian": {"": (1.5, 0.249)},
    "bengali": {"": (3.75, 0.436)},
    "burmese": {"": (1.5, 0.499)},
    "caps": {"": (2.5, 0.243)},
    "cyrillic": {"": (3, 0.251), "bg": (3.25, 0.282), "ru": (3.5, 0.158), "sr": (3, 0.335), "uk": (3, 0.274)},
    "devanagari": {"": (3.5, 0.353), "hi": (3.5, 0.274), "mr": (3, 0.365)},
    "digit": {"": (3, 0)},
    "ethiopic": {"": (0.75, 1.89)},
    "georgian": {"": (2, 0.284)},
    "glued": {
        "": (2.75, 0.261), "ca": (1.75, 0.233), "code": (2.5, 0.085), "cs": (1.75, 0.335),
        "da": (2.25, 0.278), "de": (2.75, 0.24), "en": (3.5, 0.274), "es": (2.75, 0.189),
        "fi": (2, 0.332), "fr": (2.75, 0.153), "hans": (3.25, 0.114), "hant": (3.5, 0.143),
        "hu": (2.25, 0.391), "id": (2.5, 0.257), "it": (2.5, 0.219), "ja": (3.25, 0.149),
        "nl": (2.75, 0.24), "pl": (1.5, 0.306), "pt": (2.5, 0.19), "ro": (2.25, 0.273),
        "ru": (2.5, 0.108), "sv": (2.5, 0.284), "tr": (2.25, 0.336), "vi": (-2, 0.1)
    },
    "glued arabic": {"": (2.5, 0.474), "ar": (1.25, 0.381), "fa": (3, 0.418), "ur": (1.5, 0.466)},
    "glued cyrillic": {
        "": (0.5, 0.327), "bg": (1.25, 0.342), "ru": (0.25, 0.262), "sr": (0.75, 0.383),
        "uk": (0.5, 0.338)
    },
    "glued devanagari": {"": (1.25, 0.408), "hi": (1.5, 0.406), "mr": (0.5, 0.387)},
    "glued greek": {"": (1, 0.442)},
    "glued hangul": {"": (1, 0.788)},
    "glued hebrew": {"": (1, 0.4)},
    "greek": {"": (3.5, 0.374)},
    "gujarati": {"": (3.5, 0.478)},
    "gurmukhi": {"": (2.75, 0.787)},
    "han": {"": (1.25, 0.862), "hans": (1, 0.733), "hant": (1.25, 0.989), "ja": (1.25, 0.932)},
    "hangul": {"": (1.75, 0.496)},
    "hebrew": {"": (3.25, 0.425)},
    "hiragana": {"": (1.75, 0.55)},
    "kannada": {"": (-0.5, 0.256)},
    "katakana": {"": (1.5, 0.589)},
    "khmer": {"": (3, 0.625)},
    "malayalam": {"": (0.5, 0.281)},
    "odia": {"": (1, 1.037)},
    "punctuation": {"": (2, 0.116), "code": (2.25, 0.062)},
    "sinhala": {"": (2.25, 0.615)},
    "space": {"": (80, 0.01)},
    "tamil": {"": (2.25, 0.28)},
    "telugu": {"": (2.25, 0.4)},
    "thai": {"": (3, 0.404)},
    "word": {
        "": (5, 0.237), "ca": (3.75, 0.171), "code": (4.25, 0.034), "cs": (3.5, 0.311),
        "da": (4.75, 0.246), "de": (6, 0.213), "en": (5.5, 0.041), "es": (5, 0.099),
        "fi": (5, 0.331), "fr": (4.75, 0.101), "hans": (5.25, 0.015), "hant": (6.75, 0.028),
        "hi": (7.25, 0.035), "hu": (4, 0.368), "id": (5.25, 0.218), "it": (4.75, 0.167),
        "ja": (5.5, 0.021), "mr": (2.5, 0.012), "nl": (6.25, 0.225), "pl": (3.75, 0.279),
        "pt": (4.75, 0.103), "ro": (3.75, 0.186), "ru": (4.25, 0.019), "sv": (4.75, 0.265),
        "tr": (4.5, 0.248), "ur": (6.25, 0.039), "vi": (-2, 0.016)
    },
}
# fmt: on


def _piece_pattern() -> re.Pattern[str]:
    """The o200k pre-tokenizer in the syntax of `re`, where a run of one script is a piece of its own."""
    lead = r"[\x00-\x09\x0b\x0c\x0e-/:-@\[-`{-\x7f]?"
    word = rf"{lead}(?:[{_UPPER}]+[{_LOWER}]*|[{_LOWER}]+)(?:'(?:[stmdSTMD]|[rR][eE]|[vV][eE]|[lL][lL]))?"
    letters = _UPPER + _LOWER + "".join(SCRIPTS.values())
    runs = "|".join(f" ?[{script}]+" for script in SCRIPTS.values())
    return re.compile(rf"{word}|[0-9]{{1,3}}| ?[^\s0-9{letters}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|{runs}|\s+")


def _class_starts() -> Iterable[tuple[str, str]]:
    """Where each class of characters beyond ASCII starts, in code point order, for a binary search."""
    ranges = SCRIPTS | {name: spans for name, (_, spans) in SYMBOLS.items()} | {"word": _UPPER + _LOWER}
    starts = {"\x80": "mark"}
    for name, spans in ranges.items():
        for first, last in re.findall("(.)-(.)", spans):
            starts[first] = name
            starts.setdefault(chr(ord(last) + 1), "mark")
    return sorted(starts.items())


def _ascii_class(character: str) -> str:
    if character.isspace():
        return "space"
    if character.isalnum():
        return "digit" if character.isdigit() else "caps" if character.isupper() else "word"
    return "punctuation"


def _hints() -> dict[str, list[tuple[str, float]]]:
    """The languages of every function word, and the share that each has in it."""
    hints: dict[str, list[str]] = defaultdict(list)
    for language, words in MARKS.items():
        for word in words.split():
            for form in dict.fromkeys((word, word.capitalize())):
                hints[form].append(language)
    return {word: [(language, 1 / len(languages)) for language in languages] for word, languages in hints.items()}


_PIECE = _piece_pattern()
_BLOCK_START = re.compile(r"(?<=>\n)(?=<)")
_SPACES = re.compile(r"\s ")
_FREE = {
    name: min(free if slope else inf for free, slope in costs.values()) for name, costs in COSTS.items()
}  # up to this length a piece is one token in every language
_ASCII = {chr(code): _ascii_class(chr(code)) for code in range(128)}
_STARTS, _CLASSES = zip(*_class_starts(), strict=True)
_HINTS = _hints()


def estimate_tokens(text: str) -> int:
    """About how many o200k_base tokens `text` takes: 0 for none, else at least 1; never raises.

    Exactly additive where a block ends and another begins: when `a` ends with ">\\n" and `b` starts with "<",
    `estimate_tokens(a + b) == estimate_tokens(a) + estimate_tokens(b)`.
    """
    if ">\n<" in text:
        return sum(map(_block_tokens, _BLOCK_START.split(text)))
    return _block_tokens(text)


def _block_tokens(block: str) -> int:
    if not block:
        return 0
    words = block.split(" ")
    plain, others = _plain_words_apart(words)
    remainder = " ".join(others)
    sizes: dict[str, list[int]] = defaultdict(list, word=plain)
    tokens, signs = float(len(plain)), 0
    for least, longer, code in _measured_words(remainder):
        tokens += least
        signs += code
        for name, length in longer:
            sizes[name].append(length)
    languages = _language_weights(words, signs, remainder if "han" in sizes else "")
    for name, lengths in sizes.items():
        lengths.sort()
        if lengths:
            tokens += _further_tokens(lengths, COSTS[name], languages)
    return max(1, int(tokens + 0.5))


def _plain_words_apart(words: list[str]) -> tuple[list[int], list[str]]:
    """The lengths of the words that are one piece each, their space included, and all other words.

    Most words of a message are plain; sparing them the regular expression halves the time of an estimate.
    """
    lengths: list[int] = []
    others: list[str] = []
    for word in words:
        if word.isalpha() and word.isascii() and (word.islower() or word.istitle()):
            lengths.append(len(word) + 1)
        else:
            others.append(word)
    return lengths, others


_Measured = tuple[float, tuple[tuple[str, int], ...], int]
"""The pieces of a text: the tokens that they take at least, class and length of those that may take more, and how many
signs of code are in them."""


def _measured_words(text: str) -> list[_Measured]:
    """The words of a text, measured one by one: no piece goes over a space that ends no other spaces."""
    if _SPACES.search(text):
        return [_measure(text)]
    first, *others = shapes_of(text)
    return [_FIRST[first], *map(_SPACED.__getitem__, others)]


def _measure(text: str) -> _Measured:
    pieces = split_pieces(text)
    tokens, sizes = float(len(pieces)), []
    for piece in pieces:
        if piece in _ASCII:  # a single character is a single token
            continue
        name = piece_class(piece)
        if name == "symbol":
            tokens += symbol_tokens(piece) - 1
        elif len(piece) > _FREE[name] or name == "han":  # of which the language asks too
            sizes.append((name, len(piece)))
    return tokens, tuple(sizes), sum(map(text.count, CODE_SIGNS))


_FIRST, _SPACED = ByShape(_measure), ByShape(lambda word: _measure(" " + word))


def split_pieces(text: str) -> list[str]:
    """The pieces of `text`, which joined give it back."""
    return _PIECE.findall(text)


def piece_class(piece: str) -> str:
    """The class of COSTS that a piece belongs to, or "symbol"; its last character tells."""
    last = piece[-1]
    name = _ASCII.get(last) or _CLASSES[bisect_right(_STARTS, last) - 1]
    if name == "word":
        return "word" if piece[0] == " " else "glued"
    if name == "punctuation" or (name == "space" and not piece.isspace()):
        return "punctuation" if piece.isascii() else "symbol"
    if name in SYMBOLS:
        return "symbol"
    return f"glued {name}" if name in SPACED and piece[0] != " " else name


def symbol_tokens(piece: str) -> float:
    """The tokens of a run of symbols or emoji."""
    return sum(_symbol_cost(character) for character in piece.lstrip(" "))


def _symbol_cost(character: str) -> float:
    if character in _ONE_TOKEN or character < "\x80":
        return 1.0
    return SYMBOLS.get(_CLASSES[bisect_right(_STARTS, character) - 1], SYMBOLS["mark"])[0]


def _language_weights(words: list[str], signs: int, han: str) -> dict[str, float]:
    """How strongly function words, signs of code and those in a text with Han characters hint at each language; weak
    hints are dropped.
    """
    scores: dict[str, float] = defaultdict(float)
    for language, share in chain.from_iterable(map(_HINTS.__getitem__, filter(_HINTS.__contains__, words))):
        scores[language] += share
    scores["code"] += signs
    if han:
        for language, characters in HAN_SIGNS.items():
            scores[language] += sum(map(han.count, characters))
    least = max(scores.values()) / 8
    return {language: score**3 for language, score in scores.items() if score > least}


def _further_tokens(
    lengths: list[int], costs: Mapping[str, tuple[float, float]], languages: Mapping[str, float]
) -> float:
    """Tokens beyond the first of each piece of one class, weighted by language. The lengths are in order."""
    total = weights = 0.0
    for language, weight in languages.items() if len(costs) > 1 else ():
        if language in costs:
            free, slope = costs[language]
            long = lengths[bisect_right(lengths, free) :]
            total += weight * (slope * (sum(long) - free * len(long)))
            weights += weight
    if weights:
        return total / weights
    free, slope = costs[""]
    long = lengths[bisect_right(lengths, free) :]
    return slope * (sum(long) - free * len(long))
