"""A FastAPI backend: replies at once or streamed, errors as status codes with hints.

Run `pip install fastapi uvicorn` and `uvicorn fastapi_backend:app --app-dir examples`, then
`curl -N localhost:8000/chats/c-1/stream -H 'x-user: ada' --json '{"text": "When do you open?", "key": "m-1"}'`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Body, Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from persona import AsyncAssistant, AsyncConversation, Reply, TextDelta
from persona.errors import BusyError, MisuseError, NotFound, PersonaError, ProviderError, RateLimited

STATUS = {NotFound: 404, MisuseError: 422, BusyError: 409, RateLimited: 429, ProviderError: 502, PersonaError: 500}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with AsyncAssistant.open() as app.state.assistant:  # name your persona.toml here; without, all is embedded
        yield


def conversation(request: Request, id: str, x_user: Annotated[str, Header()]) -> AsyncConversation:
    assistant: AsyncAssistant = request.app.state.assistant
    return assistant.user(x_user).conversation(id, create=True)  # put your authentication in the header's place


app = FastAPI(lifespan=lifespan)
Chat = Annotated[AsyncConversation, Depends(conversation)]
Text = Annotated[str, Body()]


@app.post("/chats/{id}")
async def send(chat: Chat, text: Text, key: Text = "") -> Reply:
    return await chat.send(text, idempotency_key=key)


@app.post("/chats/{id}/stream", response_class=EventSourceResponse)
async def stream(chat: Chat, text: Text, key: Text = "") -> AsyncIterator[ServerSentEvent]:
    try:
        async with chat.stream(text, idempotency_key=key) as turn:
            async for event in turn:
                if isinstance(event, TextDelta):
                    yield ServerSentEvent(data=event.text)
        yield ServerSentEvent(data=turn.reply.id, event="done")
    except PersonaError as error:  # the status line is long gone: an event says it
        yield ServerSentEvent(data=error.hint, event="error")


@app.exception_handler(PersonaError)
def explain(request: Request, error: PersonaError) -> JSONResponse:
    status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
    return JSONResponse({"error": type(error).__name__, "hint": error.hint}, status)
