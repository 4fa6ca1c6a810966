"""The SDK's client for one provider, with no retries of its own."""

from functools import cache
from ssl import SSLContext

import httpx2
from openai import AsyncAzureOpenAI, AsyncOpenAI, DefaultAioHttpClient

from persona.adapter import Provider
from persona.errors import AuthenticationFailed
from persona_openai.dialect import AZURE, dialect_of, has_deployments, url_of, version_of

NO_KEY = "no-key"
"""What a server that wants no key is sent: the SDK refuses to be made without one."""


def connect(provider: Provider, http: httpx2.AsyncClient | None = None) -> AsyncOpenAI:
    """A client for the running event loop, which closes `http` with itself; nothing is sent yet.

    Raises AuthenticationFailed without a usable key, and SettingsError for options.
    """
    url, version, key = url_of(provider), version_of(provider), _key(provider)
    http = http or http_client()
    client: AsyncOpenAI
    if has_deployments(provider):
        client = AsyncAzureOpenAI(azure_endpoint=url, api_version=version, api_key=key, max_retries=0, http_client=http)
    else:
        query = {"api-version": version} if version else None
        client = AsyncOpenAI(api_key=key, base_url=url, default_query=query, max_retries=0, http_client=http)
    if provider.base_url:
        # the SDK reads these from the environment, and they are the vendor's business only
        client.organization = client.project = None
    return client


def http_client() -> httpx2.AsyncClient:
    """What the SDK's client sends with, over aiohttp."""
    return DefaultAioHttpClient(verify=_certificates())


def timeout_of(provider: Provider, seconds: float) -> httpx2.Timeout:
    """The longest wait for each step of a request."""
    return httpx2.Timeout(seconds, connect=min(seconds, provider.connect_timeout_s))


@cache
def _certificates() -> SSLContext:
    """Whom to trust: read once, for it takes 20 ms of CPU."""
    return httpx2.create_ssl_context()


def _key(provider: Provider) -> str:
    key = provider.key.reveal().strip()
    where = provider.key_env or "its key_env"
    if not key and (not provider.base_url or dialect_of(provider) is AZURE):
        raise AuthenticationFailed(
            f"provider {provider.name!r} has no key",
            hint=f"set {where} in the environment" if provider.key_env else "name its environment variable as key_env",
            target=provider.name,
        )
    if not all("!" <= character <= "~" for character in key):
        raise AuthenticationFailed(
            f"the key of provider {provider.name!r} holds characters that no key has",
            hint=f"set {where} again, without spaces, line breaks or quotes",
            target=provider.name,
        )
    return key or NO_KEY
