"""The real library with a tiny model that is made here, and with a real one where HEAVY_MODEL names its folder."""

import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import run

import numpy as np
import pytest
from persona_sentence_transformers import adapter
from persona_sentence_transformers.embed import SentenceEmbedder
from talking import Desk

from persona.adapter import Provider, is_local, is_quick
from persona.errors import EmbedderMismatch, ModelNotFound, ProviderUnavailable, SettingsError

pytest.importorskip("sentence_transformers", reason="pip install 'pypersona[sentence-transformers]'")
pytestmark = [
    pytest.mark.heavy,
    pytest.mark.filterwarnings("default"),  # theirs: PyTorch and its friends warn of each other
]
MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["coffee", "milk", "oat", "with", "the", "train", "leaves", "at", "noon", "post", "office"]
TEXTS = [" ".join(WORDS[: 1 + at % 10]) for at in range(50)]
REAL = os.environ.get("HEAVY_MODEL", "")
PROVIDER = Provider("local", "sentence-transformers")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model of the library: real files, 32 numbers a text, and weights that mean nothing."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    (folder / "vocab.txt").write_text("\n".join(MARKS + WORDS), encoding="utf-8")
    shape = BertConfig(
        vocab_size=len(MARKS + WORDS), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
    )
    BertModel(shape).save_pretrained(folder / "bert")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder / "bert")
    steps = [Transformer(str(folder / "bert"), max_seq_length=64), Pooling(32)]
    SentenceTransformer(modules=steps, device="cpu").save(str(folder / "model"))
    return folder / "model"


@pytest.fixture
def embedder(tiny: Path) -> SentenceEmbedder:
    return SentenceEmbedder(PROVIDER, str(tiny))


def test_vectors_are_unit_length_and_in_the_order_of_the_texts(embedder: SentenceEmbedder) -> None:
    texts = ["coffee with oat milk", "the post office", "coffee with oat milk"]
    vectors = embedder.embed(texts)
    assert (vectors.shape, vectors.dtype) == ((3, 32), np.float32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.allclose(vectors[0], vectors[2], atol=1e-6)
    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)


def test_an_empty_text_is_zeros_and_a_lone_surrogate_does_no_harm(embedder: SentenceEmbedder) -> None:
    vectors = embedder.embed(["", "coffee \ud800", " \n"])
    assert [bool(vector.any()) for vector in vectors] == [False, True, False]
    assert embedder.embed([]).shape == (0, 32)


def test_more_texts_than_a_batch_come_back_in_order(embedder: SentenceEmbedder) -> None:
    assert len(TEXTS) > 2 * embedder.batch_size
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    assert np.allclose(embedder.embed(TEXTS), alone, atol=1e-5)


def test_it_is_local_and_not_quick_and_named_by_provider_and_model(embedder: SentenceEmbedder, tiny: Path) -> None:
    assert (is_local(embedder), is_quick(embedder)) == (True, False)
    assert (embedder.name, embedder.dimension) == (f"local:{tiny}", 32)


def test_a_written_dimension_keeps_the_first_numbers_only(tiny: Path, embedder: SentenceEmbedder) -> None:
    short = SentenceEmbedder(PROVIDER, f"{tiny}@8")
    (vector,), (whole,) = short.embed(["coffee"]), embedder.embed(["coffee"])
    assert (short.dimension, short.name) == (8, f"local:{tiny}@8")
    assert np.allclose(vector, whole[:8] / np.linalg.norm(whole[:8]), atol=1e-5)


def test_a_written_dimension_that_the_model_does_not_reach_is_a_mismatch(tiny: Path) -> None:
    with pytest.raises(EmbedderMismatch, match="32 numbers instead of 64"):
        SentenceEmbedder(PROVIDER, f"{tiny}@64").embed(["coffee"])


def test_a_folder_that_says_no_dimension_asks_for_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        SentenceEmbedder(PROVIDER, str(tmp_path))
    assert "@<dimension>" in caught.value.hint


def test_a_model_without_its_weights_is_not_found_when_the_first_text_comes(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_bytes((tiny / "modules.json").read_bytes())
    with pytest.raises(ModelNotFound, match="cannot be loaded"):
        SentenceEmbedder(PROVIDER, f"{tmp_path}@8").embed(["coffee"])


@pytest.mark.parametrize("model", ["someone/some-model", "all-MiniLM-L6-v2", "/no/such/folder"])
def test_a_model_that_is_not_on_this_machine_is_not_looked_for_elsewhere(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", str(tmp_path))
    with pytest.raises(ModelNotFound, match="no folder is called so") as caught:
        SentenceEmbedder(PROVIDER, model)
    assert "download = 'yes'" in caught.value.hint


def test_only_an_option_has_a_model_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", str(tmp_path))
    fetching = Provider("local", "sentence-transformers", options={"download": "yes"})
    with pytest.raises(ModelNotFound, match="cannot be fetched"):  # the tests have no network
        SentenceEmbedder(fetching, "someone/some-model")


def test_a_model_in_the_hubs_cache_is_found_by_its_id(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", str(tmp_path))
    kept = tmp_path / "models--sentence-transformers--tiny"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("abc", encoding="utf-8")
    (kept / "snapshots").mkdir()
    (kept / "snapshots" / "abc").symlink_to(tiny)
    (vector,) = SentenceEmbedder(PROVIDER, "tiny").embed(["coffee"])
    assert vector.shape == (32,)


def test_several_threads_get_the_vectors_of_one(embedder: SentenceEmbedder) -> None:
    alone = embedder.embed(TEXTS)
    fresh = SentenceEmbedder(PROVIDER, embedder.name.removeprefix("local:"))
    barrier = threading.Barrier(4)

    def part(at: int) -> np.ndarray:  # type: ignore[type-arg]
        barrier.wait()
        return fresh.embed(TEXTS[at::4])

    with ThreadPoolExecutor(4) as pool:
        for at, vectors in enumerate(pool.map(part, range(4))):
            assert np.allclose(vectors, alone[at::4], atol=1e-5)


def test_a_model_that_fails_is_a_provider_that_is_unavailable(embedder: SentenceEmbedder) -> None:
    embedder.embed(["coffee"])
    embedder._model.to("meta")  # a device that holds no numbers
    with pytest.raises(ProviderUnavailable, match="the model failed"):
        embedder.embed(["coffee"])


def test_a_turn_recalls_what_it_indexed(tiny: Path, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.model.then("noted", "oat milk")
    with desk.stack:
        assistant = desk.open(memory={"embedder": f"sentence-transformers:{tiny}"})
        ada = assistant.user("ada")
        ada.conversation().send("coffee with oat milk")
        assistant.drain()
        chat = ada.conversation()
        reply = chat.send("the coffee with milk")
        (found,) = chat.why(reply.id).section("recall").candidates
        assert found.included
        assert not chat.why(reply.id).notes
    assert [row["embedder"] for row in desk.log.rows("SELECT embedder FROM persona_memories")] == [
        f"sentence-transformers:{tiny}"
    ]


def test_nothing_heavy_is_loaded_before_the_first_text(tiny: Path) -> None:
    code = (
        "import sys; from persona_sentence_transformers import adapter; from persona.adapter import Provider\n"
        f"made = adapter.embed(Provider('local', 'sentence-transformers'), {str(tiny)!r})\n"
        "import json; print(json.dumps([made.dimension, 'torch' in sys.modules]))"
    )
    done = run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == [32, False]


def test_loading_a_model_prints_nothing(tiny: Path, capfd: pytest.CaptureFixture[str]) -> None:
    SentenceEmbedder(PROVIDER, str(tiny)).embed(["coffee"])
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not REAL, reason="HEAVY_MODEL names no folder of a real model")
def test_a_real_model_brings_texts_of_one_meaning_together() -> None:
    assert adapter.embed is not None
    embedder = SentenceEmbedder(PROVIDER, REAL)
    question, near, far = embedder.embed(
        ["Which hotel in Las Vegas would you suggest?", "I need a quiet room when I travel.", "The soup was too salty."]
    )
    assert question @ near > question @ far + 0.1
