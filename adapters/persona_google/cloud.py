"""What tuning on Vertex needs around it: a bucket that datasets are read from, and an end to endpoints.

Both are asked with the credentials of the machine. The bucket goes through google-cloud-storage (the extra
`vertex-tuning`); endpoints through their REST API (cloud.google.com/vertex-ai/docs/reference/rest, v1), for which the
SDK of the models has no word. Everything here blocks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import google.auth
import google.auth.exceptions as auth

from persona.adapter import Provider
from persona.errors import (
    AdapterMissing,
    AuthenticationFailed,
    BadReply,
    ConnectionFailed,
    ProviderError,
    SettingsError,
)
from persona_google.errors import BY_STATUS, WHAT
from persona_google.platform import GLOBAL, Platform

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_TIMEOUT_S = 120.0
_MISSING = 404


class Bucket:
    """The bucket that the provider's options name."""

    def __init__(self, provider: Provider, platform: Platform) -> None:
        self._provider = provider
        self._platform = platform
        self.name = provider.options.get("bucket", "")
        if not self.name:
            raise SettingsError(
                f"provider {provider.name!r} has no bucket, from which Vertex would read the dataset",
                hint="write bucket = 'NAME' into its options: one of Cloud Storage, in the same region",
            )
        _storage()

    def url(self, name: str) -> str:
        """How Vertex names an object."""
        return f"gs://{self.name}/{name}"

    def put(self, name: str, path: Path) -> str:
        """Uploads a file, in the place of what was there, and returns its URL."""
        with _translated(self._provider), self._client() as client:
            client.bucket(self.name).blob(name).upload_from_filename(str(path), timeout=_TIMEOUT_S)
        return self.url(name)

    def remove(self, name: str) -> bool:
        """Deletes an object. False when there was none."""
        from google.api_core.exceptions import NotFound

        with _translated(self._provider), self._client() as client:
            try:
                client.bucket(self.name).blob(name).delete(timeout=_TIMEOUT_S)
            except NotFound:
                return False
        return True

    @contextmanager
    def _client(self) -> Iterator[Any]:
        client = _storage().Client(project=self._platform.project, credentials=_credentials())
        try:
            yield client
        finally:
            client.close()


def remove_endpoint(provider: Provider, platform: Platform, endpoint: str) -> bool:
    """Undeploys what an endpoint serves, and deletes it. False when there was none."""
    from google.auth.transport.requests import AuthorizedSession  # requests comes with google-cloud-storage

    root = provider.base_url or f"https://{'' if platform.location == GLOBAL else f'{platform.location}-'}"
    root = root.rstrip("/") if provider.base_url else f"{root}aiplatform.googleapis.com"
    url = f"{root}/v1/{endpoint}"
    with _translated(provider), AuthorizedSession(_credentials()) as session:  # type: ignore[no-untyped-call]
        found = session.get(url, timeout=_TIMEOUT_S)
        if found.status_code == _MISSING:
            return False
        _check(provider, endpoint, found)
        for model in found.json().get("deployedModels", ()):
            body = {"deployedModelId": model["id"]}
            _check(provider, endpoint, session.post(f"{url}:undeployModel", json=body, timeout=_TIMEOUT_S))
        _check(provider, endpoint, session.delete(url, timeout=_TIMEOUT_S))
    return True


def _check(provider: Provider, what: str, response: Any) -> None:
    if response.status_code < 400:
        return
    raise _failure(provider, what, response.status_code)


def _failure(provider: Provider, what: str, status: int) -> ProviderError:
    kind = BY_STATUS.get(status, BadReply)
    said, hint = WHAT[kind]
    return kind(f"{provider.name}:{what}: {said} (status {status})", hint=hint, target=provider.name, status=status)


def _credentials() -> Any:
    credentials, _ = google.auth.default(scopes=[_SCOPE])
    return credentials


def _storage() -> Any:
    try:
        from google.cloud import storage
    except ImportError as error:
        raise AdapterMissing(
            "google-cloud-storage is not installed", hint="run pip install 'pypersona[vertex-tuning]'"
        ) from error
    return storage


@contextmanager
def _translated(provider: Provider) -> Iterator[None]:
    """What these libraries raise inside leaves as an error of persona, without the server's words."""
    import requests
    from google.api_core.exceptions import GoogleAPICallError, RetryError

    try:
        yield
    except GoogleAPICallError as error:
        raise _failure(provider, "Cloud Storage", int(error.code or 500)) from None
    except (requests.RequestException, RetryError, auth.TransportError) as error:
        cause = type(error).__name__
        raise ConnectionFailed(
            f"{provider.name}: Google Cloud was not reached ({cause})", hint="check the network", target=provider.name
        ) from None
    except auth.GoogleAuthError:
        raise AuthenticationFailed(
            f"{provider.name}: the credentials of this machine were not accepted",
            hint="run `gcloud auth application-default login`, or name a service account",
            target=provider.name,
        ) from None
