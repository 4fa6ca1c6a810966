"""How many examples a purpose needs, as a rule of thumb: the number to begin with, and that of a good result.

The vendors' guides agree on the lower ones (50 to 100 for a style); more of the same rarely makes up for mistakes.
"""

PURPOSES: dict[str, tuple[int, int | None]] = {
    "style": (50, 100),
    "classification": (100, 200),
    "analysis": (500, 1_000),
    "generation": (1_000, None),
}
"""Examples by purpose: from, and to, where there is an upper number."""


def advice(rows: int) -> str:
    """In words, what so many examples are enough for, and what the next purpose needs."""
    enough = [name for name, (least, _) in PURPOSES.items() if rows >= least]
    short = [f"{name} from {least:,}" for name, (least, _) in PURPOSES.items() if rows < least]
    said = f"enough for {', '.join(enough)}" if enough else "too few for any purpose"
    return f"{said}; {', '.join(short)}" if short else said
