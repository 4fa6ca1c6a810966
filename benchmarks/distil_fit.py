"""Word vectors whose sums point where a sentence model's vectors point."""

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.distil_words import Bags

_EPOCHS, _RATE, _TOGETHER = 2, 0.004, 512


def learnt(start: NDArray[np.float32], bags: Bags, wanted: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vectors that `start`, shape (rows, d), become when 1 - cosine to the texts' `wanted` ones is made small.

    `wanted` has shape (texts, d). Adam (Kingma and Ba, 2015), which leaves the rows alone that a batch does not hold.
    """
    torch.manual_seed(0)
    draw = np.random.default_rng(0)
    table = torch.nn.Parameter(torch.tensor(start))
    adam = torch.optim.SparseAdam([table], lr=_RATE)
    batches = _EPOCHS * (len(wanted) // _TOGETHER)
    slower = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.0, batches)
    for at in range(batches):
        if at % (batches // _EPOCHS) == 0:
            order = draw.permutation(len(wanted))
        some = order[np.arange(at * _TOGETHER, (at + 1) * _TOGETHER) % len(order)]
        loss = 1 - _closeness(table, bags, wanted, some)
        adam.zero_grad()
        loss.backward()
        adam.step()
        slower.step()
    return table.detach().numpy()


def closeness(vectors: NDArray[np.float32], bags: Bags, wanted: NDArray[np.float32], texts: NDArray[np.int64]) -> float:
    """The mean cosine of some texts to their `wanted` vectors."""
    with torch.no_grad():
        return float(_closeness(torch.tensor(vectors), bags, wanted, texts))


def principal(vectors: NDArray[np.float32], bags: Bags, texts: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """The directions that hold most of how some texts differ, shape (d, count): their principal components."""
    with torch.no_grad():
        sums = _summed(torch.tensor(vectors), bags, texts).double().numpy()
    sums -= sums.mean(axis=0)
    _, found = np.linalg.eigh(sums.T @ sums)
    return found[:, : -count - 1 : -1].astype(np.float32)


def _closeness(table: torch.Tensor, bags: Bags, wanted: NDArray[np.float32], texts: NDArray[np.int64]) -> torch.Tensor:
    return (_summed(table, bags, texts) * torch.tensor(wanted[texts])).sum(1).mean()


def _summed(table: torch.Tensor, bags: Bags, texts: NDArray[np.int64]) -> torch.Tensor:
    """The unit vectors of some texts."""
    lengths = bags.starts[texts + 1] - bags.starts[texts]
    ends = lengths.cumsum()
    at = np.repeat(bags.starts[texts] - ends + lengths, lengths) + np.arange(ends[-1])
    total = torch.nn.functional.embedding_bag(
        torch.from_numpy(bags.rows[at]),
        table,
        torch.from_numpy(ends - lengths),
        mode="sum",
        sparse=True,
        per_sample_weights=torch.from_numpy(bags.weights[at]),
    )
    return torch.nn.functional.normalize(total, dim=1)
