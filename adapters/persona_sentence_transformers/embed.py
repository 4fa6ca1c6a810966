"""Embeddings by a model in this process: texts in, unit vectors out."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from persona.adapter import Provider, valid
from persona.errors import AdapterMissing, EmbedderMismatch, ModelNotFound, ProviderUnavailable, SettingsError
from persona_sentence_transformers import folder
from persona_sentence_transformers.options import options_of

LIBRARY = "sentence_transformers"
BATCH = 16
"""Texts at a time: more are no faster on a CPU, and a turn that asks meanwhile would wait for all of them."""


class SentenceEmbedder:
    """A model, written as a folder or as its id on the hub, or as either with `@dimension` for its first numbers only.

    The library and the model are loaded with the first text. Only with the provider's option `download = "yes"`, and
    when the model is not on this machine, it is fetched at once. Raises AdapterMissing without the library,
    ModelNotFound without the model, SettingsError when its dimension is neither known nor given.
    """

    batch_size = BATCH
    quick = False

    def __init__(self, provider: Provider, model: str) -> None:
        options = options_of(provider)
        if find_spec(LIBRARY) is None:
            raise _missing(provider)
        self._provider = provider
        self.name = f"{provider.name}:{model}"
        self.cosine_floor = options.cosine_floor
        self._lock = Lock()  # the library's tokenizers refuse to be used by two threads at once
        self._model: Any = None
        known, self._cut = _parsed(model)
        found = folder.find(known)
        if found is None and options.download:
            self._model = self._load(folder.repository(known), offline=False)
            found = folder.find(known)
        if found is None:
            raise ModelNotFound(
                f"{self.name}: no folder is called so, and the hub's cache on this machine holds no such model",
                hint=f"name its folder, run `hf download {folder.repository(known)}`, or write "
                "options = { download = 'yes' } for the provider",
                target=self.name,
            )
        self._folder: Path = found
        self.dimension = self._declared(known)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), dimension), float32; zeros for an empty text. 10 ms each on a CPU, or more.

        Raises what the constructor does when the model cannot be loaded, EmbedderMismatch when its vectors are not of
        the declared length, ProviderUnavailable when it fails. Several threads wait for each other.
        """
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        rows = [row for row, text in enumerate(texts) if text.strip()]
        if rows:
            vectors[rows] = self._checked(self._encoded([valid(texts[row]) for row in rows]))
        return vectors

    def _declared(self, model: str) -> int:
        size = self._cut or folder.dimension(self._folder)
        if size is None:
            raise SettingsError(
                f"the files of embedding model {model!r} do not say its dimension",
                hint=f"write it as {model}@<dimension>",
            )
        return size

    def _encoded(self, texts: list[str]) -> NDArray[np.float32]:
        with self._lock:
            if self._model is None:
                self._model = self._load(str(self._folder), offline=True)
            try:
                return np.asarray(self._model.encode(texts, batch_size=BATCH, show_progress_bar=False), np.float32)
            except RuntimeError as error:  # no memory, a device that is lost
                raise ProviderUnavailable(
                    f"{self.name}: the model failed", hint="see the error under this one", target=self.name
                ) from error

    def _load(self, source: str, *, offline: bool) -> Any:
        try:
            from sentence_transformers import SentenceTransformer

            with _no_progress_bar():
                return SentenceTransformer(source, local_files_only=offline, truncate_dim=self._cut)
        except ImportError as error:
            raise _missing(self._provider) from error
        except Exception as error:  # what a damaged file raises is not documented, nor what a hub out of reach does
            raise ModelNotFound(
                f"{self.name}: the model in {source!r} cannot be {'loaded' if offline else 'fetched'}",
                hint="see the error under this one, and fetch the model again" if offline else "check id and network",
                target=self.name,
            ) from error

    def _checked(self, found: NDArray[np.float32]) -> NDArray[np.float32]:
        size = found.shape[1]
        if size != self.dimension:
            raise EmbedderMismatch(
                f"{self.name} gave a vector of {size} numbers instead of {self.dimension}",
                hint=f"write {size} behind the embedder's @, and let it index again",
            )
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return (found / np.where(lengths > 0, lengths, 1)).astype(np.float32)


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """A backend has no use for one on its standard error. The setting is the whole process's, and is put back."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _parsed(model: str) -> tuple[str, int | None]:
    """The model, and the dimension that is written behind it."""
    name, _, dimension = model.rpartition("@")
    if name and dimension.isdecimal() and int(dimension) > 0 and not Path(model).expanduser().is_dir():
        return name, int(dimension)
    return model, None


def _missing(provider: Provider) -> AdapterMissing:
    return AdapterMissing(
        f"provider {provider.name!r} needs the library sentence-transformers, which is not installed",
        hint="run pip install 'pypersona[sentence-transformers]'",
    )
