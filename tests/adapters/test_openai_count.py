"""Counting: only with a vocabulary that is here already, no network, and additive at block boundaries."""

import base64
import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st
from persona_openai import count, vocabulary
from persona_openai.count import OpenAITokenizer, family_of, tokenizer
from persona_openai.vocabulary import CL100K, O200K, Vocabulary
from tiktoken_ext import openai_public  # type: ignore[import-untyped]

BYTES = {bytes([i]): i for i in range(256)}
DANGEROUS = [
    "\n",
    ">",
    "<",
    "/",
    " ",
    "\r",
    "a",
    "A",
    "1",
    "'s",
    "é",
    "漢",
    "\u00a0",
    "\ud800",
    "🦊",
    "</m",
    ">\n",
]
texts = st.text(max_size=40) | st.lists(st.sampled_from(DANGEROUS), max_size=12).map("".join)


def at_hand(vocabulary_: Vocabulary) -> OpenAITokenizer:
    model = {"o200k_base": "gpt-4o", "cl100k_base": "gpt-4"}[vocabulary_.name]
    found = tokenizer(model)
    if found is None:
        pytest.skip(f"the vocabulary of {vocabulary_.name} is not on this machine: set TIKTOKEN_CACHE_DIR to have it")
    return found


def in_code(vocabulary_: Vocabulary) -> OpenAITokenizer:
    """The vocabulary's own splitting, over bytes and every pair of them: merges as eagerly as can be."""
    ranks = BYTES | {bytes([a, b]): 256 + 256 * a + b for a in range(256) for b in range(256)}
    encoding = tiktoken.Encoding("t", pat_str=vocabulary_.pattern, mergeable_ranks=ranks, special_tokens={})
    return OpenAITokenizer(count.Family("t", vocabulary_), encoding)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    vocabulary._built.cache_clear()
    yield tmp_path
    vocabulary._built.cache_clear()


@pytest.fixture
def small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny vocabulary in the place of o200k_base, with a right hash."""
    content = b"\n".join(b"%b %d" % (base64.b64encode(token), rank) for token, rank in BYTES.items())
    fake = Vocabulary("o200k_base", "small", hashlib.sha256(content).hexdigest(), O200K.pattern)
    monkeypatch.setattr(count, "FAMILIES", (count.Family("gpt-4o", fake),))
    (folder / "small").write_bytes(content)
    return folder / "small"


# which vocabulary


@pytest.mark.parametrize(
    ("model", "name", "exact"),
    [
        ("gpt-4o-2024-08-06", "o200k_base", True),
        ("gpt-4.1-mini", "o200k_base", True),
        ("ft:gpt-4.1-mini-2025-04-14:acme:persona:abc", "o200k_base", True),
        ("gpt-5.6-luna", "o200k_base", True),
        ("o3-mini", "o200k_base", True),
        ("ft:o4-mini-2025-04-16:acme::x", "o200k_base", True),
        ("gpt-6.1-sol", "o200k_base", False),
        ("gpt-4-turbo", "cl100k_base", True),
        ("ft:gpt-3.5-turbo-0125:acme::x", "cl100k_base", True),
    ],
)
def test_a_model_and_its_tuned_children_have_one_vocabulary(model: str, name: str, exact: bool) -> None:
    family = family_of(model)
    assert family is not None
    assert (family.vocabulary.name, family.exact) == (name, exact)


@pytest.mark.parametrize("model", ["llama-3.1-8b", "my-deployment", "", "ft:", "ft:mistral:x"])
def test_an_unknown_model_has_no_counter(model: str) -> None:
    assert tokenizer(model) is None


@pytest.mark.parametrize("vocabulary_", [O200K, CL100K])
def test_the_patterns_are_those_that_tiktoken_ships(vocabulary_: Vocabulary) -> None:
    built: dict[str, str] = {}
    loaders: dict[str, Any] = {
        "load_tiktoken_bpe": lambda url, expected_hash: built.update(url=url, sha256=expected_hash) or {}
    }
    constructor = getattr(openai_public, vocabulary_.name)
    shipped = type(constructor)(constructor.__code__, {**vars(openai_public), **loaders})()
    assert shipped["pat_str"] == vocabulary_.pattern
    assert built["sha256"] == vocabulary_.sha256
    assert hashlib.sha1(built["url"].encode()).hexdigest() == vocabulary_.file  # noqa: S324  # tiktoken's cache key


# where it comes from


@pytest.mark.parametrize("variable", ["TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"])
def test_an_absent_vocabulary_gives_no_counter_and_asks_no_network(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr("socket.socket.connect", None)  # calling it would be a TypeError
    assert tokenizer("gpt-4o") is None
    assert list(tmp_path.iterdir()) == []


def test_an_empty_cache_variable_turns_the_lookup_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    assert tokenizer("gpt-4o") is None


def test_the_temporary_directory_is_looked_at_last(
    small: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path_factory.mktemp("tmp")
    (temporary / "data-gym-cache").mkdir()
    small.rename(temporary / "data-gym-cache" / "small")
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR")
    monkeypatch.delenv("DATA_GYM_CACHE_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    assert tokenizer("gpt-4o") is not None


def test_a_verified_file_gives_a_counter(small: Path) -> None:
    counter = tokenizer("gpt-4o")
    assert counter is not None
    assert counter.count("hello <|endoftext|>") == 19


def test_a_file_with_a_wrong_hash_is_neither_used_nor_deleted(small: Path) -> None:
    small.write_bytes(small.read_bytes() + b"\n")
    assert tokenizer("gpt-4o") is None
    assert small.exists()


def test_a_pipe_or_a_folder_in_its_place_does_not_hang(small: Path) -> None:
    small.unlink()
    os.mkfifo(small)
    assert tokenizer("gpt-4o") is None
    small.unlink()
    small.mkdir()
    assert tokenizer("gpt-4o") is None


def test_a_vocabulary_that_arrives_later_is_found(small: Path) -> None:
    content = small.read_bytes()
    small.unlink()
    assert tokenizer("gpt-4o") is None
    small.write_bytes(content)
    assert tokenizer("gpt-4o") is not None


# what it counts


@pytest.mark.parametrize("vocabulary_", [O200K, CL100K])
def test_counts_add_up_at_block_boundaries_by_the_pattern_alone(vocabulary_: Vocabulary) -> None:
    counter = in_code(vocabulary_)

    @given(texts, texts)
    def adds_up(before: str, after: str) -> None:
        first, second = f"{before}>\n", f"<{after}"
        assert counter.count(first + second) == counter.count(first) + counter.count(second)

    adds_up()


@pytest.mark.parametrize("vocabulary_", [O200K, CL100K])
def test_counts_add_up_at_block_boundaries_with_the_real_vocabulary(vocabulary_: Vocabulary) -> None:
    counter = at_hand(vocabulary_)

    @given(texts, texts)
    def adds_up(before: str, after: str) -> None:
        first, second = f"{before}>\n", f"<{after}"
        assert counter.count(first + second) == counter.count(first) + counter.count(second)

    adds_up()


def test_counts_do_not_add_up_just_anywhere() -> None:
    counter = in_code(O200K)
    assert counter.count("ab") != counter.count("a") + counter.count("b")  # so the tests above can fail


@pytest.mark.parametrize("vocabulary_", [O200K, CL100K])
def test_the_real_vocabulary_counts_as_tiktoken_itself(vocabulary_: Vocabulary) -> None:
    counter = at_hand(vocabulary_)
    theirs = tiktoken.get_encoding(vocabulary_.name)

    @given(texts)
    def is_the_same(text: str) -> None:
        assert counter.count(text) == len(theirs.encode(text, disallowed_special=()))

    is_the_same()
    assert counter.count("hello world") == 2


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\ud83e\udd8a", "\x00", "\U0010ffff" * 3])
def test_any_text_is_counted(text: str) -> None:
    assert in_code(O200K).count(text) > 0


@pytest.mark.parametrize("unit", [" ", "\n", " \n", "a", "^", "漢"])
@pytest.mark.parametrize("vocabulary_", [O200K, CL100K])
def test_a_million_equal_characters_are_counted(unit: str, vocabulary_: Vocabulary) -> None:
    encoding = tiktoken.Encoding("t", pat_str=vocabulary_.pattern, mergeable_ranks=BYTES, special_tokens={})
    counter = OpenAITokenizer(count.Family("t", vocabulary_), encoding)
    text = unit * (1_000_000 // len(unit))
    assert counter.count(text) == len(text.encode())


def test_the_chat_frame_is_the_cookbooks() -> None:
    framing = in_code(O200K).framing
    assert (framing.per_request, framing.per_message) == (3, 4)
