"""A Llama-shaped model and its tokenizer, made in code: half a million numbers that learn in seconds."""

from collections.abc import Iterable, Sequence
from pathlib import Path

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
_UNTAUGHT = -100  # a token that carries no loss, as PyTorch's cross entropy has it
_BATCH = 16

Talk = Sequence[tuple[str, str]]
"""Roles and words, the reply last."""


def make(folder: Path, texts: Iterable[str], *, template: str = PLAIN, seed: int = 0) -> Path:
    """Writes model and tokenizer into `folder`, as `from_pretrained` and servers read them; BPE learnt from `texts`."""
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    transformers.utils.logging.disable_progress_bar()
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


def teach(folder: Path, talks: Sequence[Talk], *, passes: int, rate: float = 3e-3, seed: int = 0) -> float:
    """Teaches the model in `folder` the last reply of each talk, in place; returns the last batch's loss."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).train()
    torch.manual_seed(seed)
    steps = passes * (len(talks) // _BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
    rows = [_row(tokenizer, talk) for talk in talks]
    loss = torch.zeros(())
    for _ in range(passes):
        order = torch.randperm(len(rows)).tolist()
        for at in range(0, len(rows) - _BATCH + 1, _BATCH):
            batch = [rows[number] for number in order[at : at + _BATCH]]
            longest = max(len(ids) for ids, _ in batch)
            ids, labels = (
                torch.tensor([[*row[which], *[fill] * (longest - len(row[which]))] for row in batch])
                for which, fill in ((0, tokenizer.pad_token_id), (1, _UNTAUGHT))
            )
            loss = model(input_ids=ids, attention_mask=ids != tokenizer.pad_token_id, labels=labels).loss
            loss.backward()
            optimizer.step()
            falling.step()
            optimizer.zero_grad()
    model.eval().save_pretrained(folder)
    return float(loss.detach())


def _row(tokenizer: object, talk: Talk) -> tuple[list[int], list[int]]:
    """The tokens of a talk, and those of them that carry loss."""
    said = [{"role": role, "content": text} for role, text in talk]
    render = tokenizer.apply_chat_template  # type: ignore[attr-defined]
    whole = list(render(said, return_dict=True)["input_ids"])
    asked = len(render(said[:-1], add_generation_prompt=True, return_dict=True)["input_ids"])
    return whole, [*[_UNTAUGHT] * asked, *whole[asked:]]
