"""How a server speaks the protocol: the vendor itself, or one of the many that are compatible with it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from persona.adapter import Provider
from persona.errors import SettingsError

VENDOR_URL = "https://api.openai.com/v1"


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

    Raises SettingsError when `base_url` is no web address.
    """
    url = provider.base_url or VENDOR_URL
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an IPv6 address that cannot be
        usable = False
    if not usable:
        raise SettingsError(
            f"provider {provider.name!r} has base_url {provider.base_url!r}, which is no web address",
            hint="write it with its scheme, like http://localhost:8000/v1",
        )
    return url


def dialect_of(provider: Provider) -> Dialect:
    """The dialect spoken where the provider is. Raises SettingsError as `url_of` does."""
    host = urlsplit(url_of(provider)).hostname or ""
    suffixes = (dialect for known, dialect in _HOSTS.items() if host == known or host.endswith(f".{known}"))
    return next(suffixes, COMPATIBLE)
