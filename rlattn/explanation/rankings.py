"""Scores of tokens to compare a rationale with: attention, gradients, and chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rlattn.explanation.rationales import Scores
from rlattn.hosts.classifier import ClassifierHost
from rlattn.hosts.seq2seq import Tokenized
from rlattn.inference.order import by_length

_Sources = Sequence[Sequence[int]]


def attention_scores(
    host: ClassifierHost[Any], sources: _Sources, *, batch: int = 64
) -> list[Scores]:
    """Where the host looks by itself.

    Args:
        host: The frozen classifier.
        sources: Each text's own token ids.
        batch: How many texts are read at once.

    Returns:
        For each text its tokens' shares of the native attention.
    """

    def scored(rows: _Sources) -> Tensor:
        looked: Tensor = host.native_attention(host.encode(rows))
        return looked

    return _in_batches(scored, sources, batch)


@torch.enable_grad()
def gradient_scores(
    host: ClassifierHost[Any], sources: _Sources, *, batch: int = 64
) -> list[Scores]:
    """Gradient x input, of the log-odds of the label that the host finds likeliest.

    The gradient goes to the input embeddings of the tokens, through all of the host, and a token's
    score is its dot product with the embedding (Denil et al., 2014, "Extraction of Salient
    Sentences from Labelled Documents"; Shrikumar et al., 2017, "Learning Important Features Through
    Propagating Activation Differences"): what it adds to the log-odds, if they were linear. Scores
    have a sign, and a token that speaks against the label ranks last. Within a text the log-odds
    rank as the log-probability does, and their gradient stays where a label is sure.

    Args:
        host: The frozen classifier.
        sources: Each text's own token ids.
        batch: How many texts are read at once.

    Returns:
        For each text its tokens' scores.

    Raises:
        UnsupportedModelError: If the host's model does not embed its tokens once in a forward.
    """

    def scored(rows: _Sources) -> Tensor:
        read = host.classify_taped(rows)
        label = read.logits.argmax(-1, keepdim=True)
        others = read.logits.scatter(1, label, -torch.inf).logsumexp(-1)
        odds = read.logits.gather(1, label)[:, 0] - others
        (gradient,) = torch.autograd.grad(odds.sum(), read.embeddings)
        host.usage.backwards += len(rows)
        return (gradient * read.embeddings.detach()).float().sum(-1)

    return _in_batches(scored, sources, batch)


def random_scores(sources: _Sources, seed: int) -> list[Scores]:
    """Scores that know nothing: uniform in [0, 1), drawn for one token after the other."""
    generator = np.random.default_rng(seed)
    return [generator.random(len(row), np.float32) for row in sources]


def _in_batches(
    scored: Callable[[_Sources], Tensor], sources: _Sources, batch: int
) -> list[Scores]:
    """Scores ``[rows, source]`` of texts of like length together, each cut to its own tokens."""
    rows = Tokenized([list(row) for row in sources], 0)
    scores = [np.zeros(len(row), np.float32) for row in rows.ids]
    for here in by_length(rows, batch):
        together = scored([rows.ids[i] for i in here]).float().cpu().numpy()
        for i, row in zip(here, together, strict=True):
            scores[i][:] = row[: len(scores[i])]
    return scores
