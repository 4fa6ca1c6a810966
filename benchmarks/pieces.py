"""Makes `persona_embedded/words/pieces.*` anew: `python -m benchmarks.pieces WHEEL`, a wheel of wordllama 0.4.

Its weights and its tokenizer's vocabulary are read from the wheel as they are; nothing of it is imported.
"""

import json
import sys
from zipfile import ZipFile

import numpy as np
from persona_embedded.vectors import DIMENSION, write

_WEIGHTS = "wordllama/weights/l2_supercat_256.safetensors"
_VOCABULARY = "wordllama/tokenizers/l2_supercat_tokenizer_config.json"
_UNIT = 8.0  # about the length of an everyday word's vector


def main(wheel: str) -> None:
    """Keeps the first 128 of 256 dimensions, which were trained to stand alone, with 8 bits each."""
    with ZipFile(wheel) as files:
        weights = files.read(_WEIGHTS)
        vocabulary: dict[str, int] = json.loads(files.read(_VOCABULARY))["model"]["vocab"]
    size = int.from_bytes(weights[:8], "little")
    (told,) = [one for name, one in json.loads(weights[8 : 8 + size]).items() if name != "__metadata__"]
    start, stop = told["data_offsets"]
    vectors = np.frombuffer(weights[8 + size :][start:stop], "<f2").reshape(told["shape"]).astype(np.float32)
    pieces = sorted(vocabulary, key=vocabulary.__getitem__)  # the order in which they are joined
    write("pieces", {piece: vectors[vocabulary[piece], :DIMENSION] / _UNIT for piece in pieces})


if __name__ == "__main__":
    main(sys.argv[1])
