"""What so many examples are enough for, by a rule of thumb: more of the same rarely makes up for mistakes."""

from persona.values.harvest import PURPOSES


def advice(rows: int) -> str:
    """In words, what so many examples are enough for, and what the next purpose needs."""
    enough = [name for name, (least, _) in PURPOSES.items() if rows >= least]
    short = [f"{name} from {least:,}" for name, (least, _) in PURPOSES.items() if rows < least]
    said = f"enough for {', '.join(enough)}" if enough else "too few for any purpose"
    return f"{said}; {', '.join(short)}" if short else said
