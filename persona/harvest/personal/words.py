"""Word lists as running text, which is how a person reads and mends them."""


def words(text: str, apart: str | None = None) -> tuple[str, ...]:
    """The words of a text, or what stands between the signs `apart`."""
    return tuple(" ".join(one.split()) for one in text.split(apart))
