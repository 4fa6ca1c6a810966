"""How a server speaks the protocol: the vendor itself, Azure, or one of the many that are compatible with it.

Azure has two addresses for a deployment: `…/openai/v1`, which speaks as the vendor does, and one under
`…/openai/deployments`, which wants an API version and the key in a header of its own.
"""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from persona.adapter import Provider, web_address
from persona.errors import SettingsError

VENDOR_URL = "https://api.openai.com/v1"
AZURE_PATH = "/openai/v1"
_OPTIONS = ("api_version", "resource_id", "management_url")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs on the wire. `limit_key` bounds the reply's tokens; the vendor retired `max_tokens`."""

    limit_key: str
    cache_key: bool
    packed_vectors: bool
    embedding_batch: int


# The vendor takes 2,048 texts and 300,000 tokens a request; text-embeddings-inference 32 texts by default.
VENDOR = Dialect("max_completion_tokens", cache_key=True, packed_vectors=True, embedding_batch=128)
AZURE = Dialect("max_completion_tokens", cache_key=False, packed_vectors=True, embedding_batch=128)
COMPATIBLE = Dialect("max_tokens", cache_key=False, packed_vectors=False, embedding_batch=32)

_HOSTS = {
    "api.openai.com": VENDOR,
    "openai.azure.com": AZURE,
    "services.ai.azure.com": AZURE,
    "cognitiveservices.azure.com": AZURE,
}


def url_of(provider: Provider) -> str:
    """Where the provider is; the vendor's own address when the settings name none.

    An Azure resource without a path or an API version is spoken to at its `/openai/v1`. Raises SettingsError when
    `base_url` is no web address, or no resource of Azure's where it must be one.
    """
    parts, version = _parts(provider), version_of(provider)
    if _dialect(parts, version) is not AZURE:
        return provider.base_url or VENDOR_URL
    if "/deployments" in parts.path or parts.query:
        raise SettingsError(
            f"provider {provider.name!r} has a base_url which is the address of one deployment",
            hint="write the resource's, like https://NAME.openai.azure.com, and api_version in its options",
        )
    bare = provider.base_url.rstrip("/")
    return bare if parts.path.strip("/") or version else f"{bare}{AZURE_PATH}"


def dialect_of(provider: Provider) -> Dialect:
    """The dialect spoken where the provider is. Raises SettingsError as `url_of` does."""
    return _dialect(urlsplit(url_of(provider)), version_of(provider))


def has_deployments(provider: Provider) -> bool:
    """Whether a model is a deployment in the address. Raises SettingsError as `url_of` does."""
    return bool(version_of(provider)) and not url_of(provider).endswith(AZURE_PATH)


def version_of(provider: Provider) -> str:
    """The version of Azure's API that the options name, or "". Raises SettingsError for options that are unknown."""
    for name in provider.options:
        if name not in _OPTIONS:
            raise SettingsError(
                f"the options of provider {provider.name!r} have {name!r}, which its adapter does not know",
                hint=f"it takes {', '.join(_OPTIONS)}, all for Azure",
            )
    version = provider.options.get("api_version", "")
    if version and not provider.base_url:
        raise SettingsError(
            f"provider {provider.name!r} has an api_version, which is Azure's, and no base_url",
            hint="write base_url = 'https://NAME.openai.azure.com' beside it",
        )
    return version


def _parts(provider: Provider) -> SplitResult:
    hint = "write it with its scheme, like http://localhost:8000/v1"
    return web_address(provider, provider.base_url or VENDOR_URL, hint)


def _dialect(parts: SplitResult, version: str) -> Dialect:
    host = parts.hostname or ""
    suffixes = (dialect for known, dialect in _HOSTS.items() if host == known or host.endswith(f".{known}"))
    return AZURE if version else next(suffixes, COMPATIBLE)  # a gateway before Azure has a name of its own
