"""Requests for vectors over a network, as they are told."""

from opentelemetry.trace import SpanKind
from talking import Desk
from told import ON, Told
from wire import WireServer

from persona.adapter import discover


def wired(server: WireServer) -> dict[str, object]:
    return {
        "telemetry": ON,
        "providers": {"wired": {"kind": "openai", "base_url": server.url}},
        "memory": {"embedder": "wired:vectors@8"},
    }


def test_a_request_for_vectors_is_told_inside_its_turn(desk: Desk, told: Told) -> None:
    desk.model.then("At nine.")
    with WireServer() as server:
        desk.chat(**wired(server)).send("When?")
    turn, span = told.one("persona.turn"), told.one("embeddings vectors")
    assert span.kind is SpanKind.CLIENT
    assert span.parent is not None
    assert turn.context is not None
    assert span.parent.span_id == turn.context.span_id
    shared = {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "vectors@8",
    }
    assert dict(span.attributes or {}) == {**shared, "gen_ai.embeddings.dimension.count": 8}
    durations = told.points()["gen_ai.client.operation.duration"]
    assert [dict(one.attributes) for one in durations if one.attributes["gen_ai.operation.name"] == "embeddings"] == [
        shared
    ]


def test_one_that_fails_is_told_and_the_turn_goes_on_by_words(desk: Desk, told: Told) -> None:
    desk.model.then("At nine.")
    with WireServer() as server:
        server.fail(500)
        assert desk.chat(**wired(server)).send("When?").text == "At nine."
    assert "error.type" in (told.one("embeddings vectors").attributes or {})
    assert "error.type" not in (told.one("persona.turn").attributes or {})


def test_an_embedder_of_this_process_makes_no_request(desk: Desk, told: Told) -> None:
    desk.model.then("At nine.")
    desk.chat(telemetry=ON).send("When?")
    assert told.named("embeddings") == []


def test_adapters_say_what_the_conventions_call_their_provider() -> None:
    named = {name: load() for name, load in discover().items()}
    called = {name: adapter.provider_name or adapter.name for name, adapter in named.items()}
    assert (called["openai"], called["anthropic"], called["google"]) == ("openai", "anthropic", "gcp.gen_ai")
