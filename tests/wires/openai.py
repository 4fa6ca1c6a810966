"""OpenAI's wire, for the behaviour suite, and the two that Azure speaks of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wire import WireRequest, WireServer
from wire_format import OPENAI, Answer, Dialect

from persona.adapter import Provider, Secret
from wires.shape import Failure, Json, Said, Sent

_FAILURES: dict[Failure, tuple[int, str]] = {
    "key": (401, "invalid_api_key"),
    "permission": (403, "permission_denied"),
    "model": (404, "model_not_found"),
    "request": (400, "invalid_value"),
    "too long": (400, "context_length_exceeded"),
    "too large": (413, "request_too_large"),
    "rate limit": (429, "rate_limit_exceeded"),
    "overloaded": (503, "server_overloaded"),
    "broken": (500, "server_error"),
    "no time": (504, "timeout"),
}
# Azure's gateway answers by itself to what concerns the key and the rate, with the status as the code
_AZURE_FAILURES: dict[Failure, tuple[int, str]] = {
    **_FAILURES,
    "key": (401, "401"),
    "permission": (403, "AuthorizationFailed"),
    "model": (404, "DeploymentNotFound"),
    "rate limit": (429, "429"),
    "overloaded": (503, "ServiceUnavailable"),
    "broken": (500, "InternalServerError"),
    "no time": (408, "Timeout"),
}


@dataclass(slots=True)
class OpenAIWire:
    """Chat completions, by default as a compatible server speaks them."""

    name: str = "openai"
    kind: str = "openai"
    dialect: Dialect = OPENAI
    cool: str = "m"
    hot: str = ""
    alternates: bool = False
    writes: bool = True
    free_keys: bool = True
    path: str = "/v1"
    options: Mapping[str, str] = field(default_factory=dict)
    key_header: str = "authorization"
    limit_key: str = "max_tokens"
    failures: Mapping[Failure, tuple[int, str]] = field(default_factory=lambda: _FAILURES)

    def provider(self, server: WireServer, key: str) -> Provider:
        """The server as OpenAI."""
        return Provider(
            "suite", self.kind, server.origin + self.path, Secret(key), "SUITE_KEY", options=dict(self.options)
        )

    def read(self, request: WireRequest) -> Sent:
        """The body of a chat completion."""
        body = request.body
        tools = ((tool["function"]["name"], tool["function"]["parameters"]) for tool in body.get("tools", ()))
        return Sent(
            body["model"],
            request.headers[self.key_header].removeprefix("Bearer "),
            tuple(message["content"] for message in body["messages"] if message["role"] == "system"),
            tuple(_said(message) for message in body["messages"] if message["role"] != "system"),
            tuple(tools),
            body.get(self.limit_key),
            body.get("temperature"),
            body["response_format"]["json_schema"]["schema"] if "response_format" in body else None,
        )

    def failure(self, name: Failure, words: str) -> Answer:
        """An error object with its status."""
        status, code = self.failures[name]
        error = {"message": words, "type": None, "param": None, "code": code}
        return Answer(status=status, raw=json.dumps({"error": error}).encode())

    def overloaded(self) -> Json:
        """What comes in a stream."""
        return {"message": "no capacity", "type": "server_error", "code": "server_overloaded"}


AZURE = OpenAIWire(
    name="azure",
    dialect=replace(OPENAI, id_header="apim-request-id"),
    path="",
    options={"api_version": "2025-04-01-preview"},
    key_header="api-key",
    limit_key="max_completion_tokens",
    failures=_AZURE_FAILURES,
)
"""A resource of Azure's: models are deployments in the address."""

AZURE_V1 = replace(
    AZURE, name="azure-v1", path="/openai/v1", key_header="authorization", options={"api_version": "preview"}
)
"""The same resource at the address that speaks as the vendor does."""


def _said(message: Any) -> Said:
    if message["role"] == "tool":
        return Said("user", results=((message["tool_call_id"], message["content"]),))
    content = message["content"] or ()
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    calls = (
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))
        for call in message.get("tool_calls", ())
    )
    return Said(
        message["role"],
        tuple(part["text"] for part in parts if part["type"] == "text"),
        tuple(part["image_url"]["url"] for part in parts if part["type"] == "image_url"),
        tuple(calls),
    )
