"""The bytes of Gemini's answers, on the Gemini API and on Vertex: one JSON, or server-sent events of the same."""

import json
import zlib
from typing import Any

from wire import WireRequest, WireServer
from wire_format import Answer, Dialect

from persona.adapter import Provider, Secret
from wires.shape import Failure, Json, Said, Sent

FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY", "tool_calls": "STOP"}
"""An `Answer`'s stop reasons in the vendor's words; others are sent as they are."""

_TOO_LONG = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576). "
_FAILURES: dict[Failure, tuple[int, str, str]] = {
    "key": (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key. "),
    "permission": (403, "PERMISSION_DENIED", ""),
    "model": (404, "NOT_FOUND", ""),
    "request": (400, "INVALID_ARGUMENT", ""),
    "too long": (400, "INVALID_ARGUMENT", _TOO_LONG),
    "too large": (413, "INVALID_ARGUMENT", ""),
    "rate limit": (429, "RESOURCE_EXHAUSTED", ""),
    "overloaded": (503, "UNAVAILABLE", "The model is overloaded. "),
    "broken": (500, "INTERNAL", ""),
    "no time": (504, "DEADLINE_EXCEEDED", ""),
}


def reply(answer: Answer) -> bytes:
    """A whole `GenerateContentResponse`, as JSON."""
    if answer.error is not None:
        return failed(answer.error)
    parts = [{"text": "".join(answer.pieces)}] if answer.pieces else []
    return json.dumps(_response(answer, [*parts, *_calls(answer)], last=True)).encode()


def failed(error: Json) -> bytes:
    """An error object, with the vendor's keys only; a `type` is its `status`."""
    known = {"code": error.get("code") or 500, "message": error.get("message"), "status": error.get("type")}
    return json.dumps({"error": known | {key: error[key] for key in ("status", "details") if key in error}}).encode()


def embeddings(request: Any, dimension: int) -> Answer:
    """A vector for each text of a request to one of the three methods that embed, made of its checksum."""
    if "instances" in request:
        size = request.get("parameters", {}).get("outputDimensionality", dimension)
        rows = [{"embeddings": {"values": _vector(one["content"], size)}} for one in request["instances"]]
        return Answer(raw=json.dumps({"predictions": rows}).encode())
    if "content" in request:
        size = request.get("embedContentConfig", {}).get("outputDimensionality", dimension)
        return Answer(raw=json.dumps({"embedding": {"values": _vector(_text(request), size)}}).encode())
    rows = [{"values": _vector(_text(one), one.get("outputDimensionality", dimension))} for one in request["requests"]]
    return Answer(raw=json.dumps({"embeddings": rows}).encode())


def _said(answer: Answer) -> bytes:
    return b"".join(_event(_response(answer, [{"text": piece}])) for piece in answer.pieces or ("",))


def _ending(answer: Answer) -> bytes:
    if answer.error is not None:
        return b"data: " + failed(answer.error) + b"\r\n\r\n"
    return _event(_response(answer, _calls(answer) or [{"text": ""}], last=True))


def _calls(answer: Answer) -> list[Json]:
    return [{"functionCall": {"id": id, "name": name, "args": json.loads(a)}} for id, name, a in answer.calls]


def _response(answer: Answer, parts: list[Json], *, last: bool = False) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
    response: Json = {"candidates": [candidate], "modelVersion": answer.model, "responseId": "req_1"}
    if last and answer.finish is not None:
        candidate["finishReason"] = FINISH.get(answer.finish, answer.finish)
    if last and answer.usage is not None:
        response["usageMetadata"] = _usage(answer.usage)
    return response


def _usage(usage: Json) -> Json:
    """The counts in the vendor's names: what was thought is counted beside the reply."""
    cached = usage.get("prompt_tokens_details", {}).get("cached_tokens")
    thoughts = usage.get("completion_tokens_details", {}).get("reasoning_tokens")
    counts = {
        "promptTokenCount": usage["prompt_tokens"],
        "candidatesTokenCount": usage["completion_tokens"] - (thoughts or 0),
        "cachedContentTokenCount": cached,
        "thoughtsTokenCount": thoughts,
        "totalTokenCount": usage["prompt_tokens"] + usage["completion_tokens"],
    }
    return {name: count for name, count in counts.items() if count is not None}


def _event(event: Json) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\r\n\r\n"


def _text(request: Json) -> str:
    return "".join(part["text"] for part in request["content"]["parts"])


def _vector(text: str, size: int) -> list[float]:
    return [1.0 + zlib.crc32(f"{i}{text}".encode()) % 1000 / 500 for i in range(size)]


def _asks_for_stream(path: str, body: Any) -> bool:
    return ":streamGenerateContent" in path


GOOGLE = Dialect(reply, _said, _ending, failed, _asks_for_stream)


class GoogleWire:
    """The Gemini API."""

    name = "google"
    kind = "google"
    dialect = GOOGLE
    cool = "gemini-2.5-flash"
    hot = "gemini-3.8-flash"
    alternates = True
    writes = False
    free_keys = True

    def provider(self, server: WireServer, key: str) -> Provider:
        """The server as Google."""
        return Provider("suite", self.kind, server.origin, Secret(key), "SUITE_KEY")

    def read(self, request: WireRequest) -> Sent:
        """The path and the body of a request to generate content."""
        body, options = request.body, request.body.get("generationConfig", {})
        system = [part["text"] for part in body.get("systemInstruction", {}).get("parts", ())]
        told = [text.partition(" by this JSON Schema: ")[2] for text in system if " by this JSON Schema: " in text]
        declared = [one for tool in body.get("tools", ()) for one in tool["functionDeclarations"]]
        return Sent(
            request.path.rpartition("/models/")[2].partition(":")[0],
            request.headers["x-goog-api-key"],
            tuple(system),
            tuple(map(_read, body["contents"])),
            tuple((one["name"], one["parametersJsonSchema"]) for one in declared),
            options.get("maxOutputTokens"),
            options.get("temperature"),
            json.loads(told[0]) if told else options.get("responseJsonSchema"),
        )

    def failure(self, name: Failure, words: str) -> Answer:
        """An error object with its status."""
        status, kind, own = _FAILURES[name]
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
        error = {"code": status, "status": kind, "message": own + words, "details": details if name == "key" else []}
        return Answer(status=status, raw=failed(error))

    def overloaded(self) -> Json:
        """What comes in a stream."""
        return {"code": 503, "status": "UNAVAILABLE", "message": "The model is overloaded."}


def _read(content: Any) -> Said:
    parts = content["parts"]
    inline = [part["inlineData"] for part in parts if "inlineData" in part]
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    results = [part["functionResponse"] for part in parts if "functionResponse" in part]
    return Said(
        {"model": "assistant"}.get(content["role"], content["role"]),
        tuple(part["text"] for part in parts if "text" in part),
        (
            *(part["fileData"]["fileUri"] for part in parts if "fileData" in part),
            *(f"data:{one['mimeType']};base64,{one['data']}" for one in inline),
        ),
        tuple((call["id"], call["name"], call["args"]) for call in calls),
        tuple((one["id"], *one["response"].values()) for one in results),
    )
