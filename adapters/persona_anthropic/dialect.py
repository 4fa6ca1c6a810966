"""Where the models are served: the vendor's own API, or a cloud that has a client of its own in the SDK."""

from dataclasses import dataclass

from persona.adapter import Provider, web_address
from persona.errors import SettingsError

VENDOR_URL = "https://api.anthropic.com"


@dataclass(frozen=True, slots=True)
class Platform:
    """One of the SDK's clients: the options it needs, and the extra of the SDK that it is made with.

    `sampling_version` is the API version that still takes a temperature; the one the SDK sends answers 400 to it.
    """

    client: str
    needs: tuple[str, ...]
    extra: str
    sampling_version: str


API = Platform("api", (), "", "2023-06-01")
BEDROCK = Platform("bedrock", ("region",), "bedrock", "bedrock-2023-05-31")
VERTEX = Platform("vertex", ("region", "project"), "vertex", "vertex-2023-10-16")
_PLATFORMS = {platform.client: platform for platform in (API, BEDROCK, VERTEX)}


def platform_of(provider: Provider) -> Platform:
    """The platform that the provider's options name; the vendor's own API when they name none.

    Raises SettingsError for an option that is unknown, misplaced or missing, and for a base_url that is none.
    """
    chosen = provider.options.get("client", API.client)
    platform = _PLATFORMS.get(chosen)
    if platform is None:
        raise _wrong(provider, f"client {chosen!r}, which is none", f"write one of {', '.join(_PLATFORMS)}")
    takes = ("client", *platform.needs)
    for name in provider.options:
        if name not in takes:
            raise _wrong(provider, f"{name!r}, which client {chosen!r} does not take", f"it takes {', '.join(takes)}")
    for name in platform.needs:
        if not provider.options.get(name):
            raise _wrong(provider, f"client {chosen!r} and no {name!r}", f"write {name} = '…' beside it")
    if provider.base_url:
        web_address(provider, provider.base_url, "write it with its scheme, like https://gateway.example")
    return platform


def _wrong(provider: Provider, what: str, hint: str) -> SettingsError:
    return SettingsError(f"the options of provider {provider.name!r} have {what}", hint=hint)
