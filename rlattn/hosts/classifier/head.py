"""Training a head that pools the states of a frozen encoder by attention."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rlattn.corpora import ParallelCorpus, labels_of
from rlattn.hosts.classifier.drops import opened_at_random
from rlattn.hosts.classifier.framing import Framing
from rlattn.hosts.classifier.pool import AttentionPool
from rlattn.hosts.classifier.pooled import reach, states_of
from rlattn.hosts.descent import Budget, descend
from rlattn.hosts.settings import check_above_0, check_rates, check_shares

_TOGETHER = 64  # texts that the encoder reads at once


@dataclass(frozen=True)
class HeadConfig:
    """Shape and training of a head on a frozen encoder.

    Attributes:
        heads: How many queries look, where states are pooled by attention.
        views: How many times the encoder reads each text with tokens shut, beside once as a whole,
            where what is shut is kept from it.
        max_length: The most tokens of a text; longer ones keep their beginning.
        shut: Largest share of the tokens that is shut in a training text.
        texts: Texts of a batch.
        learning_rate: Highest learning rate of Adam.
        warmup: Fraction of the budget after which the highest learning rate is reached.
        max_steps: Budget in optimizer steps, or None for no such limit.
        max_minutes: Budget in minutes of wall-clock time, or None for no such limit; the encoder's
            reading, which comes before, does not count.
        seed: Seed of the initial weights, the order of the texts and what is shut.

    Raises:
        InputError: If a value is out of its range, or the budget has no limit.
    """

    heads: int = 4
    views: int = 2
    max_length: int = 128
    shut: float = 0.8
    texts: int = 128
    learning_rate: float = 1e-3
    warmup: float = 0.1
    max_steps: int | None = 600
    max_minutes: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_above_0(self, "heads", "views", "max_length", "texts")
        check_shares(self, "shut")
        check_rates(self)


def train_head(
    encoder: nn.Module,
    tokenizer: Any,
    corpus: ParallelCorpus,
    config: HeadConfig | None = None,
    progress: bool = True,
) -> AttentionPool:
    """Trains a head for `PooledClassifierHost` to label texts, also from parts of them.

    The encoder reads each text once; its states are kept in half precision until the end, two
    bytes for each number of each token.

    Args:
        encoder: A frozen Hugging Face encoder, in evaluation mode.
        tokenizer: Its tokenizer.
        corpus: Texts, and their labels as targets; the training split is learned from.
        config: Shape and training.
        progress: Whether to draw a progress bar.

    Returns:
        The head, frozen, for labels in the order of `labels_of`.

    Raises:
        InputError: If `labels_of` refuses the corpus.
        RlattnError: If training diverges.
    """
    settings, labels = config or HeadConfig(), labels_of(corpus)
    framing = Framing(tokenizer, type(encoder).__name__)
    limit = min(settings.max_length, reach(encoder, tokenizer, framing) or settings.max_length)
    texts, named = zip(*corpus.train, strict=True)
    sources = framing.tokenize(texts, limit).ids
    states = _States(encoder, framing, sources)
    targets = torch.tensor([labels.index(label) for label in named])
    device = next(encoder.parameters()).device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed)
        pool = AttentionPool(states.width, len(labels), settings.heads).to(device)
        rows = shuffled(len(sources), settings.texts, settings.seed)

        def loss_of_next() -> tuple[Tensor, int]:
            chosen = next(rows)
            read, mask = (t.to(device) for t in states[chosen])
            opened = opened_at_random(mask, settings.shut)
            weights = pool.weights(pool.scores(read), opened, None)
            loss = F.cross_entropy(pool(read, weights), targets[chosen].to(device))
            return loss, int(opened.sum())

        budget = Budget(settings)
        descend(pool.parameters(), loss_of_next, settings, budget, "the head", progress)
    return pool.train(False).requires_grad_(False)


class _States:
    """The states of all texts, without padding, in half precision.

    Args:
        encoder: What reads them.
        framing: Its special tokens.
        sources: Each text's own token ids.
    """

    def __init__(
        self, encoder: nn.Module, framing: Framing, sources: Sequence[Sequence[int]]
    ) -> None:
        self._lengths = torch.tensor([len(row) for row in sources])
        self._starts = self._lengths.cumsum(0) - self._lengths
        self._flat = torch.empty(0)
        for rows in torch.split(self._lengths.argsort(), _TOGETHER):
            states, mask = states_of(encoder, framing, [sources[row] for row in rows])
            if not len(self._flat):
                total, width = int(self._lengths.sum()), states.shape[-1]
                self._flat = torch.empty(total, width, dtype=torch.float16)
            columns = torch.arange(mask.shape[1])
            places = (self._starts[rows, None] + columns)[mask.cpu()]
            self._flat[places] = states[mask].half().cpu()

    @property
    def width(self) -> int:
        """Width of a state."""
        return self._flat.shape[1]

    def __getitem__(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """States of some texts, ``[rows, longest, width]``, and True at real ones."""
        lengths = self._lengths[rows, None]
        columns = torch.arange(int(lengths.max()))
        mask = columns < lengths
        places = (self._starts[rows, None] + columns).clamp(max=len(self._flat) - 1)
        return self._flat[places].float() * mask[..., None], mask


def shuffled(rows: int, size: int, seed: int) -> Iterator[Tensor]:
    """Walks over row numbers again and again, in another order each time, `size` at a time."""
    generator = np.random.default_rng(seed)
    while True:
        yield from torch.split(torch.from_numpy(generator.permutation(rows)), size)
