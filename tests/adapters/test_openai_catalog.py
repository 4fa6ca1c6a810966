"""The package and its catalog: nothing is imported early, and every fact has its source and day."""

import json
import subprocess
import sys
from pathlib import Path

from persona_openai import adapter


def test_importing_the_adapter_imports_no_library() -> None:
    code = (
        "import sys, persona_openai; persona_openai.adapter.card('gpt-5');"
        "print({'openai', 'httpx2', 'numpy', 'tiktoken', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_path())
    assert done.stdout.strip() == "set()"


def _path() -> dict[str, str]:
    root = Path(__file__).parents[2]
    return {"PYTHONPATH": f"{root}:{root / 'adapters'}"}


def test_tuned_models_have_their_bases_facts_and_no_price() -> None:
    assert adapter.card is not None
    base, tuned = adapter.card("gpt-4.1-mini"), adapter.card("ft:gpt-4.1-mini-2025-04-14:acme:persona:abc")
    assert base is not None
    assert tuned is not None
    assert (tuned.context_tokens, tuned.retires) == (base.context_tokens, "2027-01-14")
    assert (tuned.input_price, tuned.output_price, base.input_price) == (None, None, 0.4)
    assert adapter.card("llama-3") is adapter.card("ft:llama-3:acme::x") is None


def test_every_card_says_where_it_is_from_and_when_it_was_read() -> None:
    sheet = json.loads((Path(__file__).parents[2] / "adapters/persona_openai/catalog.json").read_text())
    names = [name for row in sheet["models"] for name in row["names"]]
    assert len(names) == len(set(names))
    assert adapter.card is not None
    for card in map(adapter.card, names):
        assert card is not None
        assert card.source
        assert card.checked
        assert card.input_price is None or card.input_price > 0
