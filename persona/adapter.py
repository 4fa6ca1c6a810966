"""What a provider's package may offer, and how persona finds it: the complete list of extension points.

An adapter is one package with one entry point in the group `persona.adapters` that names an `Adapter`. Each thing
it offers is a protocol of its own; what a vendor lacks is simply absent (None), and persona says so when asked.

    [project.entry-points."persona.adapters"]
    acme = "persona_acme:adapter"
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeGuard
from urllib.parse import SplitResult, urlsplit

from persona.errors import AdapterMissing, InvalidInput, ProviderError, ProviderUnavailable, RateLimited, SettingsError
from persona.values.example import DatasetLimits, Example, Loss, Problem, Shape
from persona.values.request import Delta, Request
from persona.values.tuning import Progress, Training, TuningCard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ENTRY_POINTS = "persona.adapters"
_REQUEST_ID = re.compile(r"[\w\-]{1,128}")

COSINE_FLOOR = 0.25
"""The plain cosine under which two texts have nothing to do with each other, where an embedder does not say."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A key that never shows: `repr` and `str` hide it, `.reveal()` gives it to the one who sends it."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def __str__(self) -> str:
        return "Secret(…)"

    __repr__ = __str__

    def __bool__(self) -> bool:
        return bool(self._value)


@dataclass(frozen=True, slots=True)
class Provider:
    """One configured provider: its name in the settings, the adapter's name, where it is and its key.

    `options` are the adapter's own, such as a region; it refuses those it does not know with SettingsError.
    """

    name: str
    kind: str
    base_url: str = field(default="", repr=False)  # it may hold a password
    key: Secret = Secret("")
    key_env: str = ""
    connect_timeout_s: float = 5.0
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Framing:
    """Tokens that a chat format adds around the text.

    `per_request` once, `per_message` for each message, `per_call` for each tool call or result,
    `per_tool` for each declared tool beside its text, `image_low`/`image_tile` for pictures
    (a low-detail picture, and each tile of 512 × 512 pixels beside it).
    """

    per_request: int = 3
    per_message: int = 4
    per_call: int = 8
    per_tool: int = 8
    image_low: int = 85
    image_tile: int = 170


class Tokenizer(Protocol):
    """Counts a text as one model's vocabulary would.

    `count` must be additive where one text ends in ">\\n" and the next begins with "<" (persona's block
    boundaries), must accept any str (special tokens are plain text, lone surrogates too), and must not block. No text
    has more tokens than bytes in UTF-8.
    """

    name: str
    exact: bool
    framing: Framing

    def count(self, text: str) -> int:
        """The number of tokens in `text`; 0 for the empty text."""
        ...


class ChatModel(Protocol):
    """Sends one request and yields what comes back. One instance serves one event loop."""

    def call(self, request: Request) -> AsyncIterator[Delta]:
        """Text deltas, whole tool calls, and one `Finish` last; ending without it means the call was cut.

        Raises only errors of `persona.errors`; never retries by itself.
        """
        ...

    async def close(self) -> None:
        """Frees the connections."""
        ...


class LocalEmbedder(Protocol):
    """Turns texts into vectors in this process.

    `name` names the embedder and its version: vectors of different names are never compared.
    `batch_size` is the most texts a call takes. One whose text takes more than about a millisecond says so with an
    attribute `quick = False`, and is then called in worker threads, several at once.
    """

    name: str
    dimension: int
    batch_size: int

    def embed(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Unit vectors, shape (len(texts), dimension), float32; a text with nothing in it gives zeros."""
        ...


class RemoteEmbedder(Protocol):
    """Turns texts into vectors over a network. One instance serves one event loop."""

    name: str
    dimension: int
    batch_size: int

    async def embed_remotely(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Unit vectors, shape (len(texts), dimension), float32. Raises only errors of `persona.errors`."""
        ...

    async def close(self) -> None:
        """Frees the connections."""
        ...


Embedder = LocalEmbedder | RemoteEmbedder


def is_local(embedder: Embedder) -> TypeGuard[LocalEmbedder]:
    """Whether the embedder computes in this process, rather than over a network by `embed_remotely`."""
    return not hasattr(embedder, "embed_remotely")


def is_quick(embedder: Embedder) -> bool:
    """Whether the vectors of one turn are made sooner than a thread could be asked for them."""
    return is_local(embedder) and bool(getattr(embedder, "quick", True))


def cosine_floor(embedder: Embedder) -> float:
    """The embedder's own `cosine_floor`, an optional attribute of either kind, or the usual one."""
    return float(getattr(embedder, "cosine_floor", COSINE_FLOOR))


Container = Literal["jsonl", "json", "csv", "text"]
"""How the rows of a file lie in it: a JSON object a line, one JSON array, comma-separated values, paragraphs."""


class DatasetFormat(Protocol):
    """One form of training file: its rows as JSON objects, whatever they lie in.

    All three methods are pure. The core reads and writes the files, and counts what `limits` bounds.
    """

    @property
    def name(self) -> str:
        """What a person asks for it by."""
        ...

    @property
    def shape(self) -> Shape:
        """What its rows teach."""
        ...

    @property
    def container(self) -> Container:
        """What its files are written as."""
        ...

    @property
    def also(self) -> Sequence[Container]:
        """What else its consumer reads."""
        ...

    @property
    def loss(self) -> Loss:
        """What its consumer trains on, whatever an example's weights say."""
        ...

    @property
    def limits(self) -> DatasetLimits:
        """What its consumer takes."""
        ...

    def row(self, example: Example) -> Mapping[str, object]:
        """The example as its consumer wants it. Raises InvalidInput, with the reason, for what the form cannot say."""
        ...

    def problems(self, row: Mapping[str, object]) -> Sequence[Problem]:
        """What is wrong with a row that anybody wrote; none for what `row` gave."""
        ...

    def example(self, row: Mapping[str, object], id: str) -> Example:
        """The row in persona's terms: of a row without errors. What the form has no word for is left out."""
        ...


class Tuning(Protocol):
    """Trains models on datasets. One instance serves one event loop.

    A run is known by the handle that `start` returned: text that the backend alone reads, kept in the store, so that a
    watcher of another process, or after a restart, goes on.
    """

    async def start(self, training: Training) -> str:
        """Starts the run, unless one of this job is there already, and returns its handle.

        Raises only errors of `persona.errors`. Nothing is begun then; when they are retryable, that is not known.
        """
        ...

    async def follow(self, handle: str) -> Progress:
        """What there is to say of the run now. Raises ProviderError while the backend cannot be asked."""
        ...

    async def cancel(self, handle: str) -> None:
        """Ends the run, if it has not ended; no error when it has."""
        ...

    async def clean(self, handle: str) -> Sequence[str]:
        """Removes what the run left that bills or takes room (files, endpoints, deployments), and names it."""
        ...


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Dated facts about one model. Prices are US dollars per million tokens; None is unknown, never 0.

    `source` says where the facts are from and `checked` the day (ISO) they were read there.
    """

    model: str
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    input_price: float | None = None
    cache_read_price: float | None = None
    cache_write_price: float | None = None
    output_price: float | None = None
    retires: str = ""
    source: str = ""
    checked: str = ""


@dataclass(frozen=True, slots=True)
class Adapter:
    """What a provider's package offers. Absent things are None; the factories import their SDK when called.

    `provider_name` is what the conventions of OpenTelemetry call the provider, where that is not `name`.
    `needs_key` may ask the provider: some sign with what the machine has. `follows_instructions` is False where chat is
    no language model: it cannot be asked to learn.
    """

    name: str
    chat: Callable[[Provider], ChatModel] | None = None
    embed: Callable[[Provider, str], Embedder] | None = None
    tokenizer: Callable[[str], Tokenizer | None] | None = None
    card: Callable[[str], ModelCard | None] | None = None
    datasets: Callable[[], Sequence[DatasetFormat]] | None = None
    tuning: Callable[[Provider], Tuning] | None = None
    tuning_card: Callable[[Provider, str], TuningCard | None] | None = None
    needs_key: bool | Callable[[Provider], bool] = True
    sends_outside: bool = True
    follows_instructions: bool = True
    provider_name: str = ""


def failure(
    kind: type[ProviderError],
    target: str,
    what: str,
    hint: str,
    *,
    status: int | None = None,
    known: Sequence[str] = (),
    request_id: str = "",
    retry_after_s: float | None = None,
) -> ProviderError:
    """The error of a failed call, in the same words at every provider: what happened, and what support needs to know.

    `known` are codes and class names that hold none of the server's words, which may quote the prompt or the key.
    """
    request_id = request_id if _REQUEST_ID.fullmatch(request_id) else ""
    told = [*([f"status {status}"] if status else []), *known, *([f"request {request_id}"] if request_id else [])]
    message = f"{target}: {what}" + (f" ({', '.join(told)})" if told else "")
    if issubclass(kind, RateLimited):
        return kind(
            message, hint=hint, target=target, status=status, request_id=request_id, retry_after_s=retry_after_s
        )
    return kind(message, hint=hint, target=target, status=status, request_id=request_id)


def web_address(provider: Provider, url: str, hint: str) -> SplitResult:
    """The parts of the address that a provider is at. Raises SettingsError, which does not show it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an IPv6 address that cannot be
        usable = False
    if not usable:
        raise SettingsError(f"provider {provider.name!r} has a base_url which is no web address", hint=hint)
    return parts


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The wait that `retry-after` asks for, in seconds: a number, or an HTTP date seen from the Unix time `now`."""
    from email.utils import parsedate_to_datetime  # 10 ms, and only needed once a call was refused

    asked = headers.get("retry-after", "")
    try:
        seconds = float(asked)
    except ValueError:
        pass
    else:
        return seconds if isfinite(seconds) and seconds >= 0 else None
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def valid(text: str) -> str:
    """The text as UTF-8 can carry it: surrogate pairs joined, lone surrogates U+FFFD.

    A tool may return them from JSON escapes, and no wire can hold them; tiktoken counts them so too.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def folder_of(handle: str) -> Path:
    """The folder of a tuning run on this machine, by its handle: a JSON object with `folder`. Raises InvalidInput."""
    try:
        return Path(json.loads(handle)["folder"])
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidInput("the handle is of no run on this machine", hint="follow it where it was started") from error


@contextmanager
def usable(folder: Path) -> Iterator[None]:
    """Raises ProviderUnavailable where the folder of a run cannot be read or written."""
    try:
        yield
    except OSError as error:
        raise ProviderUnavailable(
            f"the folder {folder} cannot be used: {error.strerror}", hint="make room, or choose another folder"
        ) from error


def wants_key(adapter: Adapter, provider: Provider) -> bool:
    """Whether a provider is of no use without a key of its own."""
    return adapter.needs_key(provider) if callable(adapter.needs_key) else adapter.needs_key


@lru_cache(maxsize=1)
def discover() -> Mapping[str, Callable[[], Adapter]]:
    """The installed adapters by name, each as a loader: nothing of them is imported until it is called."""
    from importlib.metadata import entry_points  # 40 ms, and only needed once a backend opens

    return {entry.name: entry.load for entry in entry_points(group=ENTRY_POINTS)}


def load(kind: str, extra: Sequence[Adapter] = ()) -> Adapter:
    """The adapter called `kind`, from `extra` first, then from the installed ones.

    Raises AdapterMissing with the names that are there.
    """
    for adapter in extra:
        if adapter.name == kind:
            return adapter
    found = discover()
    if kind not in found:
        names = ", ".join(sorted({*found, *(adapter.name for adapter in extra)})) or "none"
        raise AdapterMissing(
            f"no adapter named {kind!r} is installed (found: {names})",
            hint="install the package that offers it, or change the provider's kind in persona.toml",
        )
    try:
        return found[kind]()
    except (ImportError, AttributeError) as error:
        raise AdapterMissing(
            f"the adapter {kind!r} is installed and cannot be loaded: {error}", hint="install its package again"
        ) from error
