"""Deployments of tuned models on Azure, through its management API: a model is called by its deployment's name.

Source: learn.microsoft.com, "Deploy a fine-tuned model" (REST), API version 2024-10-01. Credentials are the machine's
own, found by azure-identity (the extra `azure-tuning`): a managed identity, `az login` or environment variables.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from persona.adapter import Provider
from persona.errors import AdapterMissing, AuthenticationFailed, BadReply, SettingsError
from persona_openai.errors import Report, failure, translated

PUBLIC = "https://management.azure.com"
_VERSION = "2024-10-01"
_TIMEOUT_S = 60.0
_MISSING = 404

FREE = "DeveloperTier"
SKUS = {"developer": FREE, "standard": "Standard", "global": "GlobalStandard"}
"""What a deployment may be of. Developer: no fee for hosting, for evaluation only, removed by Azure after 24 hours."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """The model of a deployment, and Azure's word for how far it is, such as "Creating" or "Succeeded"."""

    model: str
    state: str


class Deployments:
    """The deployments of one resource, which the provider's options name by its `resource_id`."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        resource = provider.options.get("resource_id", "").strip("/")
        if not resource:
            raise SettingsError(
                f"provider {provider.name!r} does not say which resource a model would be deployed on",
                hint="write options = { resource_id = '/subscriptions/…/accounts/NAME' }, or deploy it yourself",
            )
        self._base = f"{provider.options.get('management_url', PUBLIC).rstrip('/')}/{resource}/deployments"

    async def find(self, name: str) -> Deployed | None:
        """The deployment of a name; None when there is none."""
        found = await self._call("GET", name)
        if found is None:
            return None
        told = found.get("properties", {})
        return Deployed(str(told.get("model", {}).get("name", "")), str(told.get("provisioningState", "Creating")))

    async def make(self, name: str, model: str, sku: str) -> None:
        """Deploys a tuned model; the same call again changes nothing."""
        properties = {"model": {"format": "OpenAI", "name": model, "version": "1"}}
        await self._call("PUT", name, {"sku": {"name": sku, "capacity": 1}, "properties": properties})

    async def remove(self, name: str) -> None:
        """Ends a deployment, and what it bills; no error when there was none."""
        await self._call("DELETE", name)

    async def _call(self, method: str, name: str, body: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        token = await asyncio.to_thread(_token, self._provider)
        with translated(self._provider, name):
            async with httpx2.AsyncClient(timeout=_TIMEOUT_S) as client:
                response = await client.request(
                    method,
                    f"{self._base}/{name}",
                    params={"api-version": _VERSION},
                    json=body,
                    headers={"authorization": f"Bearer {token}"},
                )
        if response.status_code == _MISSING and method != "PUT":
            return None
        if response.is_error:
            report = Report(BadReply, (), response.text[:4000], response.status_code)
            raise failure(report, self._provider, name)
        found: dict[str, Any] = response.json() if response.content else {}
        return found


def _token(provider: Provider) -> str:
    try:
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity import DefaultAzureCredential
    except ImportError as error:
        raise AdapterMissing(
            "azure-identity is not installed", hint="run pip install 'pypersona[azure-tuning]', or deploy it yourself"
        ) from error
    try:
        with DefaultAzureCredential() as credential:
            return str(credential.get_token(f"{PUBLIC}/.default").token)
    except ClientAuthenticationError:
        raise AuthenticationFailed(
            f"{provider.name}: this machine has no credentials for Azure's management",
            hint="run `az login`, or give it a managed identity",
            target=provider.name,
        ) from None
