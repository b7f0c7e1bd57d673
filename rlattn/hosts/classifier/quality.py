"""How well a classifier labels on its own, and from parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from rlattn.corpora import Pair
from rlattn.hosts.classifier.base import ClassifierHost
from rlattn.steering import Allocation

_TEXTS = 128  # that are labelled at once


class Accuracy(NamedTuple):
    """Shares of texts that are labelled rightly.

    Attributes:
        whole: From all of each text.
        half: From each token with a chance of one half, drawn once.
    """

    whole: float
    half: float


@torch.no_grad()
def accuracy(host: ClassifierHost[Any], pairs: Sequence[Pair], limit: int) -> Accuracy:
    """Scores a classifier.

    Args:
        host: What labels.
        pairs: Texts and their labels, at least one.
        limit: The most tokens of a text; longer ones keep their beginning.

    Returns:
        The shares that are right.
    """
    generator = torch.Generator().manual_seed(0)
    ordered = sorted(pairs, key=lambda pair: len(pair.source))
    right = torch.zeros(2)
    for start in range(0, len(ordered), _TEXTS):
        part = ordered[start : start + _TEXTS]
        encoded = host.encode(host.tokenize([pair.source for pair in part], limit).ids)
        drawn = torch.rand(encoded.mask.shape, generator=generator) < 0.5
        half = Allocation("gate", drawn.to(host.device))
        for number, allocation in enumerate((None, half)):
            chosen = host.classify(encoded, allocation).argmax(1).tolist()
            found = zip(chosen, part, strict=True)
            right[number] += sum(host.labels[label] == pair.target for label, pair in found)
    whole, of_half = (right / len(ordered)).tolist()
    return Accuracy(whole, of_half)
