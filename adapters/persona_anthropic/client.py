"""The SDK's client for one provider, with no retries and no traces of its own."""

from dataclasses import dataclass

import httpx2
from anthropic import AsyncAnthropic, AsyncAnthropicBedrock, AsyncAnthropicVertex, DefaultAioHttpClient

from persona.adapter import Provider
from persona.errors import AdapterMissing, AuthenticationFailed
from persona_anthropic.dialect import API, BEDROCK, VENDOR_URL, VERTEX, Platform

NO_KEY = "no-key"
"""What a server that wants no key is sent: without one the SDK looks for credentials on this machine."""

Client = AsyncAnthropic | AsyncAnthropicBedrock | AsyncAnthropicVertex


@dataclass(frozen=True, slots=True)
class Connection:
    """A client, and what the platform's own library raises: without credentials to sign with, and on a stream of
    frames that it cannot read.
    """

    client: Client
    unsigned: tuple[type[Exception], ...] = ()
    garbled: tuple[type[Exception], ...] = ()


def connect(provider: Provider, platform: Platform) -> Connection:
    """A client for the running event loop; nothing is sent yet.

    Bedrock and Vertex take the provider's key as their bearer token, and without one sign with the credentials of the
    machine. Raises AuthenticationFailed without a usable key, AdapterMissing when the platform's library is missing.
    """
    key = _key(provider, platform)
    if platform is API:
        base_url = provider.base_url or VENDOR_URL
        client = AsyncAnthropic(
            api_key=key or NO_KEY,
            base_url=base_url,
            max_retries=0,
            http_client=DefaultAioHttpClient(),
            open_telemetry=False,
        )
        return Connection(client)
    return _bedrock(provider, key) if platform is BEDROCK else _vertex(provider, key)


def _bedrock(provider: Provider, key: str) -> Connection:
    try:
        import boto3  # noqa: F401 - the SDK imports it while it signs
        from botocore.eventstream import ParserError
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError
    except ImportError as error:
        raise _missing(provider, error, BEDROCK) from None
    client = AsyncAnthropicBedrock(
        api_key=key or None,
        aws_region=provider.options["region"],
        base_url=provider.base_url or None,
        max_retries=0,
        http_client=DefaultAioHttpClient(),
        open_telemetry=False,
    )
    return Connection(client, (RuntimeError, BotoCoreError, ClientError), (ParserError, ResponseParserError))


def _vertex(provider: Provider, key: str) -> Connection:
    try:
        import google.auth.transport.requests  # noqa: F401 - the SDK imports it while it signs
        from google.auth.exceptions import GoogleAuthError
    except ImportError as error:
        raise _missing(provider, error, VERTEX) from None
    client = AsyncAnthropicVertex(
        access_token=key or None,
        region=provider.options["region"],
        project_id=provider.options["project"],
        base_url=provider.base_url or None,
        max_retries=0,
        http_client=DefaultAioHttpClient(),
        open_telemetry=False,
    )
    return Connection(client, (RuntimeError, GoogleAuthError))


def _missing(provider: Provider, error: ImportError, platform: Platform) -> AdapterMissing:
    return AdapterMissing(
        f"provider {provider.name!r} is on {platform.client}, whose library {error.name!r} is not installed",
        hint=f"pip install 'anthropic[{platform.extra}]'",
    )


def timeout_of(provider: Provider, seconds: float) -> httpx2.Timeout:
    """The longest wait for each step of a request."""
    return httpx2.Timeout(seconds, connect=min(seconds, provider.connect_timeout_s))


def _key(provider: Provider, platform: Platform) -> str:
    key = provider.key.reveal().strip()
    where = provider.key_env or "its key_env"
    if platform is not API and key.startswith("sk-ant-"):
        return ""  # a key of the vendor's own API, found under the usual name: no business of the platform's
    if not key and platform is API and not provider.base_url:
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
    return key
