"""OpenAI's wire, for the behaviour suite."""

import json
from typing import Any

from wire import WireRequest, WireServer
from wire_format import OPENAI, Answer

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


class OpenAIWire:
    """Chat completions."""

    name = "openai"
    kind = "openai"
    dialect = OPENAI
    cool = "m"
    hot = ""
    alternates = False
    writes = True
    free_keys = True

    def provider(self, server: WireServer, key: str) -> Provider:
        """The server as OpenAI."""
        return Provider("suite", self.kind, server.url, Secret(key), "SUITE_KEY")

    def read(self, request: WireRequest) -> Sent:
        """The body of a chat completion."""
        body = request.body
        tools = ((tool["function"]["name"], tool["function"]["parameters"]) for tool in body.get("tools", ()))
        return Sent(
            body["model"],
            request.headers["authorization"].removeprefix("Bearer "),
            tuple(message["content"] for message in body["messages"] if message["role"] == "system"),
            tuple(_said(message) for message in body["messages"] if message["role"] != "system"),
            tuple(tools),
            body.get("max_tokens"),
            body.get("temperature"),
            body["response_format"]["json_schema"]["schema"] if "response_format" in body else None,
        )

    def failure(self, name: Failure, words: str) -> Answer:
        """An error object with its status."""
        status, code = _FAILURES[name]
        error = {"message": words, "type": None, "param": None, "code": code}
        return Answer(status=status, raw=json.dumps({"error": error}).encode())

    def overloaded(self) -> Json:
        """What comes in a stream."""
        return {"message": "no capacity", "type": "server_error", "code": "server_overloaded"}


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
