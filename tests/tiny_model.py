"""A Llama-shaped model and its tokenizer, made in code: half a million numbers that learn in seconds."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

STOP = "<|end|>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
MARKED = (
    "{% for message in messages %}{% if message.role == 'assistant' %}<|assistant|>\n"
    "{% generation %}{{ message.content }}<|end|>{% endgeneration %}\n"
    "{% else %}<|{{ message.role }}|>\n{{ message.content }}<|end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
"""A chat template with generation markers, which hardly any published model has."""
PLAIN = MARKED.replace("{% generation %}", "").replace("{% endgeneration %}", "")


def make(folder: Path, texts: Iterable[str], *, template: str = PLAIN, seed: int = 0) -> Path:
    """Writes model and tokenizer into `folder`, as `from_pretrained` and servers read them; BPE learnt from `texts`."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bytes_and_merges = Tokenizer(models.BPE())
    bytes_and_merges.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    bytes_and_merges.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=["<|pad|>", STOP, *ROLES],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bytes_and_merges.train_from_iterator(texts, trainer)
    marks = {"pad_token": "<|pad|>", "eos_token": STOP}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bytes_and_merges, **marks)
    tokenizer.chat_template = template
    torch.manual_seed(seed)
    stop = tokenizer.convert_tokens_to_ids(STOP)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=128,
            intermediate_size=256,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=512,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=stop,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    model.generation_config = GenerationConfig(eos_token_id=stop, pad_token_id=tokenizer.pad_token_id)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def answer(folder: str | Path, question: str, *, most: int = 40) -> str:
    """What the model in a folder says, the likeliest token each time; an adapter's folder brings its base."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    with torch.no_grad():
        said = model.generate(**asked, max_new_tokens=most, do_sample=False)
    return str(tokenizer.decode(said[0, asked["input_ids"].shape[1] :]))


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """A JSONL file."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path
