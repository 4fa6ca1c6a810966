"""The SDK's client for one provider, with no retries of its own."""

import httpx2
from openai import AsyncOpenAI, DefaultAioHttpClient

from persona.adapter import Provider
from persona.errors import AuthenticationFailed, SettingsError
from persona_openai.dialect import url_of

NO_KEY = "no-key"
"""What a server that wants no key is sent: the SDK refuses to be made without one."""


def connect(provider: Provider) -> AsyncOpenAI:
    """A client for the running event loop; nothing is sent yet.

    Raises AuthenticationFailed without a usable key, and SettingsError for options.
    """
    if provider.options:
        raise SettingsError(
            f"provider {provider.name!r} has options that its adapter does not know: {', '.join(provider.options)}",
            hint="remove them",
        )
    client = AsyncOpenAI(
        api_key=_key(provider), base_url=url_of(provider), max_retries=0, http_client=DefaultAioHttpClient()
    )
    if provider.base_url:
        # the SDK reads these from the environment, and they are the vendor's business only
        client.organization = client.project = None
    return client


def timeout_of(provider: Provider, seconds: float) -> httpx2.Timeout:
    """The longest wait for each step of a request."""
    return httpx2.Timeout(seconds, connect=min(seconds, provider.connect_timeout_s))


def _key(provider: Provider) -> str:
    key = provider.key.reveal().strip()
    where = provider.key_env or "its key_env"
    if not key and not provider.base_url:
        raise AuthenticationFailed(
            f"provider {provider.name!r} has no key",
            hint=f"set {where} in the environment",
            target=provider.name,
        )
    if not all("!" <= character <= "~" for character in key):
        raise AuthenticationFailed(
            f"the key of provider {provider.name!r} holds characters that no key has",
            hint=f"set {where} again, without spaces, line breaks or quotes",
            target=provider.name,
        )
    return key or NO_KEY
