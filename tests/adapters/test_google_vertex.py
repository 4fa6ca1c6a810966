"""Google's models on Vertex: projects, locations, tuned endpoints, and the credentials of the machine."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from persona_google.chat import GoogleChat
from wire import WireServer
from wires.google import GOOGLE

from persona.adapter import Provider, Secret
from persona.errors import AuthenticationFailed, ModelNotFound, SettingsError
from persona.values.message import say
from persona.values.request import Delta, Request, TextDelta

RECORDED = Path(__file__).parent / "recorded"
EVENTS = "text/event-stream"
ENDPOINT = "projects/proj/locations/us-central1/endpoints/123"
ON_VERTEX = {"project": "proj", "location": "us-central1"}
both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer(GOOGLE) as server:
        yield server


def ask(*, stream: bool = False, **options: Any) -> Request:
    messages = (
        say("system", "You are terse."),
        say("user", "Hi, I'm Ana."),
        say("assistant", "Hello Ana."),
        say("user", "What's my name?"),
    )
    return Request(**{"model": "m", "timeout_s": 10.0, **options}, messages=messages, stream=stream)


async def collect(chat: GoogleChat, request: Request) -> list[Delta]:
    return [delta async for delta in chat.call(request)]


def service_account(folder: Path, token_url: str) -> Path:
    """A service account's file, whose tokens come from the local server."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    account = {
        "type": "service_account",
        "project_id": "elsewhere",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "persona@proj.iam.gserviceaccount.com",
        "token_uri": token_url,
    }
    path = folder / "account.json"
    path.write_text(json.dumps(account))
    return path


@pytest.fixture
async def vertex(server: WireServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GoogleChat]:
    path = service_account(tmp_path, f"{server.origin}/token")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    vertex = GoogleChat(Provider("v", "google", server.origin, options=ON_VERTEX))
    yield vertex
    await vertex.close()


def grant(server: WireServer) -> None:
    server.body(json.dumps({"access_token": "tok", "expires_in": 3600, "token_type": "Bearer"}).encode())


@both
async def test_a_tuned_endpoint_is_asked_as_recorded_and_signed_with_the_machines_credentials(
    stream: bool, server: WireServer, vertex: GoogleChat
) -> None:
    capture = json.loads((RECORDED / "google_tuned_endpoint.json").read_text(encoding="utf-8"))
    grant(server)
    raw = json.dumps(capture["response"]).encode()
    server.body(b"data: " + raw + b"\r\n\r\n" if stream else raw, content_type=EVENTS if stream else "application/json")
    text, _ = await collect(vertex, ask(model=ENDPOINT, stream=stream, max_output_tokens=50, temperature=0.2))
    assert text == TextDelta("Ana.")
    token, asked = server.requests
    assert token.path == "/token"
    method = ":streamGenerateContent?alt=sse" if stream else ":generateContent"
    assert asked.path == capture["request"]["path"].replace(":generateContent", method)
    assert asked.headers["authorization"] == "Bearer tok"
    assert "x-goog-api-key" not in asked.headers
    del capture["request"]["json"]["systemInstruction"]["role"]
    assert asked.body == capture["request"]["json"]


async def test_a_base_model_is_asked_in_the_project_and_its_token_is_kept(
    server: WireServer, vertex: GoogleChat
) -> None:
    grant(server)
    for _ in range(2):
        await collect(vertex, ask(model="gemini-3.8-flash"))
    path = "/v1beta1/projects/proj/locations/us-central1/publishers/google/models/gemini-3.8-flash:generateContent"
    assert [request.path for request in server.requests] == ["/token", path, path]


async def test_a_location_that_is_left_out_is_the_global_one(server: WireServer) -> None:
    vertex = GoogleChat(Provider("v", "google", server.origin, Secret("vk"), options={"project": "proj"}))
    await collect(vertex, ask())
    await vertex.close()
    (request,) = server.requests
    assert request.path.startswith("/v1beta1/projects/proj/locations/global/")
    assert request.headers["x-goog-api-key"] == "vk"  # a key of Vertex, when there is one
    assert "authorization" not in request.headers


@pytest.mark.parametrize("problem", ["no file", "refused"])
async def test_credentials_that_do_not_work_are_an_authentication_error(
    problem: str, server: WireServer, vertex: GoogleChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    if problem == "no file":
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/account.json")
    server.fail(400, body=b'{"error": "invalid_grant", "error_description": "secret words"}')
    with pytest.raises(AuthenticationFailed, match="credentials of this machine") as caught:
        await collect(vertex, ask())
    assert "secret words" not in str(caught.value)
    assert "nowhere" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"region": "us-central1", "project": "p"}, "'region'.*project and location"),
        ({"location": "us-central1"}, "a location and no project"),
    ],
)
def test_options_that_cannot_be_are_a_settings_error(options: dict[str, str], hint: str) -> None:
    with pytest.raises(SettingsError, match=hint):
        GoogleChat(Provider("v", "google", options=options))


@pytest.mark.parametrize(
    ("options", "model", "message"),
    [
        ({}, ENDPOINT, "an endpoint is on Vertex"),
        (ON_VERTEX, ENDPOINT.replace("us-central1", "europe-west4"), "not in 'us-central1'"),
        ({}, "../files", "no model is written like that"),
        ({}, "m?key=1", "no model is written like that"),
        ({}, "", "no model is written like that"),
    ],
)
async def test_a_model_that_cannot_be_there_is_not_found_before_any_network(
    options: dict[str, str], model: str, message: str, server: WireServer
) -> None:
    chat = GoogleChat(Provider("v", "google", server.origin, Secret("k"), options=options))
    with pytest.raises(ModelNotFound, match=message):
        await collect(chat, ask(model=model))
    await chat.close()
    assert server.requests == []
