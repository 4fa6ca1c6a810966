"""Azure's two addresses: where requests go, what they carry, and what Azure alone answers."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from persona_openai.chat import OpenAIChat
from persona_openai.dialect import AZURE, COMPATIBLE, dialect_of, has_deployments, url_of
from persona_openai.embed import OpenAIEmbedder
from wire import WireServer

from persona.adapter import Provider, Secret
from persona.errors import (
    AuthenticationFailed,
    ModelNotFound,
    PersonaError,
    ProviderError,
    RateLimited,
    Refused,
    SettingsError,
)
from persona.values.message import say
from persona.values.request import Delta, Finish, Request, TextDelta

RECORDED = Path(__file__).parent / "recorded"
VERSION = "2025-04-01-preview"
HELLO = (
    say("system", "You are terse."),
    say("user", "Hi, I'm Ana."),
    say("assistant", "Hello Ana."),
    say("user", "What's my name?"),
)
# as documented in "How to use content filters with Azure OpenAI"
FILTERED = {
    "error": {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": {"violence": {"filtered": True, "severity": "medium"}},
        },
    }
}


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


def azure(base_url: str, key: str = "azkey", **options: str) -> Provider:
    return Provider("azure", "openai", base_url, Secret(key), "AZURE_KEY", options=options)


async def ask(provider: Provider, *, stream: bool = False) -> list[Delta]:
    chat = OpenAIChat(provider)
    try:
        return [delta async for delta in chat.call(Request("my-ft-deployment", HELLO, stream=stream))]
    finally:
        await chat.close()


async def error_of(provider: Provider, *, stream: bool = False) -> PersonaError:
    with pytest.raises(PersonaError) as caught:
        await ask(provider, stream=stream)
    return caught.value


@pytest.mark.parametrize(
    ("name", "path", "options"), [("azure_chat", "/", {"api_version": VERSION}), ("azure_v1_chat", "/openai/v1/", {})]
)
async def test_a_request_goes_where_the_sdk_was_recorded_to_send_it(
    name: str, path: str, options: dict[str, str], server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "of-somebody-else")
    monkeypatch.setenv("OPENAI_API_VERSION", "of-somebody-else")
    expected: Any = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))["request"]
    await ask(azure(server.origin + path, **options))
    (request,) = server.requests
    assert (request.path, request.body) == (expected["path"], expected["json"])
    assert {key: value for key, value in request.headers.items() if key in ("api-key", "authorization")} == expected[
        "headers"
    ]


@pytest.mark.parametrize(
    ("path", "options", "sent_to"),
    [
        ("", {"api_version": VERSION}, f"/openai/deployments/text-embedding-3-small/embeddings?api-version={VERSION}"),
        ("/openai/v1", {"api_version": "preview"}, "/openai/v1/embeddings?api-version=preview"),
    ],
)
async def test_embeddings_go_the_same_ways(
    path: str, options: dict[str, str], sent_to: str, server: WireServer
) -> None:
    embedder = OpenAIEmbedder(azure(server.origin + path, **options), "text-embedding-3-small@8")
    vectors = await embedder.embed_remotely(["one", "two"])
    await embedder.close()
    assert server.requests[-1].path == sent_to
    assert server.bodies[-1]["encoding_format"] == "base64"
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)


@pytest.mark.parametrize(
    ("base_url", "options", "url", "deployments"),
    [
        ("https://r.openai.azure.com", {}, "https://r.openai.azure.com/openai/v1", False),
        ("https://r.openai.azure.com/", {}, "https://r.openai.azure.com/openai/v1", False),
        ("https://r.openai.azure.com/openai/v1/", {}, "https://r.openai.azure.com/openai/v1", False),
        ("https://r.openai.azure.com/openai/v1", {"api_version": "v"}, "https://r.openai.azure.com/openai/v1", False),
        ("https://r.cognitiveservices.azure.com", {"api_version": "v"}, "https://r.cognitiveservices.azure.com", True),
        ("https://gateway.example/team-a/", {"api_version": "v"}, "https://gateway.example/team-a", True),
    ],
)
def test_the_address_says_which_way_it_is(base_url: str, options: dict[str, str], url: str, deployments: bool) -> None:
    provider = azure(base_url, **options)
    assert (url_of(provider), has_deployments(provider)) == (url, deployments)
    assert dialect_of(provider) is AZURE


def test_another_server_with_such_a_path_is_none_of_azures() -> None:
    provider = azure("https://api.groq.example/openai/v1")
    assert (dialect_of(provider), url_of(provider)) == (COMPATIBLE, provider.base_url)


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        (azure("https://r.openai.azure.com", region="x"), "'region', which its adapter does not know; it takes api_v"),
        (azure("", api_version="v"), "no base_url; write base_url = 'https://NAME.openai.azure.com'"),
        (azure("https://r.openai.azure.com/openai/deployments/d/chat/completions"), "the address of one deployment"),
        (azure("https://r.openai.azure.com?api-version=v"), "api_version in its options"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_when_they_are_read(provider: Provider, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        OpenAIChat(provider)


async def test_no_key_is_said_before_any_network(server: WireServer) -> None:
    named = azure(server.origin, key="", api_version=VERSION)
    for provider, hint in ((named, "set AZURE_KEY"), (replace(named, key_env=""), "name its environment variable")):
        error = await error_of(provider)
        assert type(error) is AuthenticationFailed
        assert hint in error.hint
    assert server.requests == []


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, FILTERED, Refused),
        (
            401,
            {"statusCode": 401, "message": "Unauthorized. Access token is missing, invalid or expired."},
            AuthenticationFailed,
        ),
        (
            401,
            {"error": {"code": "401", "message": "Access denied due to invalid subscription key."}},
            AuthenticationFailed,
        ),
        (
            404,
            {"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}},
            ModelNotFound,
        ),
        (404, {"error": {"code": "404", "message": "Resource not found"}}, ModelNotFound),
        (429, {"error": {"code": "429", "message": "Requests have exceeded the rate limit."}}, RateLimited),
    ],
)
async def test_what_azure_refuses_is_the_error_a_caller_can_act_on(
    status: int, body: dict[str, Any], kind: type[ProviderError], stream: bool, server: WireServer
) -> None:
    headers = {"apim-request-id": "apim-7", "retry-after": "3"}
    server.fail(status, body=json.dumps(body).encode(), headers=headers)
    error = await error_of(azure(server.origin, api_version=VERSION), stream=stream)
    assert type(error) is kind
    assert isinstance(error, ProviderError)
    assert (error.status, error.target) == (status, "azure:my-ft-deployment")
    assert not isinstance(error, RateLimited) or error.retry_after_s == 3.0


async def test_the_verdicts_of_the_filter_in_a_stream_are_no_text(server: WireServer) -> None:
    chunks = [
        {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]},
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {"content": "I can"}, "finish_reason": None}]},
        {"choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {"check_offset": 44}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "content_filter"}]},
    ]
    raw = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    server.body(raw.encode(), content_type="text/event-stream")
    text, finish = await ask(azure(server.origin, api_version=VERSION), stream=True)
    assert text == TextDelta("I can")
    assert isinstance(finish, Finish)
    assert finish.stop == "refused"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_redirect_is_not_followed_with_the_key(stream: bool, server: WireServer) -> None:
    with WireServer() as elsewhere:
        server.fail(307, body=b"", headers={"location": f"{elsewhere.origin}/openai/v1/chat/completions"})
        error = await error_of(azure(server.origin, api_version=VERSION), stream=stream)
        assert elsewhere.requests == []
    assert isinstance(error, ProviderError)
    assert error.status == 307
