"""What the options of a provider say: whether a model may be downloaded, and which cosines mean nothing."""

from dataclasses import dataclass

from persona.adapter import COSINE_FLOOR, Provider
from persona.errors import SettingsError

_NAMES = ("download", "cosine_floor")


@dataclass(frozen=True, slots=True)
class Options:
    """Without `download` nothing is ever asked of a network."""

    download: bool
    cosine_floor: float


def options_of(provider: Provider) -> Options:
    """`download` ("yes" or "no", which it is when left out) and `cosine_floor` (a number from -1 to 1).

    Raises SettingsError for others, and for other values.
    """
    for name in provider.options:
        if name not in _NAMES:
            raise _wrong(provider, name, "which its adapter does not take", "it takes download and cosine_floor")
    download = provider.options.get("download", "no")
    if download not in ("yes", "no"):
        raise _wrong(provider, "download", f"{download!r}", "write download = 'yes' or 'no'")
    return Options(download == "yes", _floor(provider))


def _floor(provider: Provider) -> float:
    written = provider.options.get("cosine_floor", str(COSINE_FLOOR))
    try:
        floor = float(written)
    except ValueError:
        floor = 2.0
    if not -1 <= floor <= 1:
        raise _wrong(provider, "cosine_floor", f"{written!r}", "write a number from -1 to 1, such as '0.7'")
    return floor


def _wrong(provider: Provider, name: str, what: str, hint: str) -> SettingsError:
    return SettingsError(f"the options of provider {provider.name!r} have {name!r}, {what}", hint=hint)
