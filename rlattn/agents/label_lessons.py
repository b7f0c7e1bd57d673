"""What is learned from along given labels: batches of texts of like length, without end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rlattn.agents.lessons import batches
from rlattn.corpora import Pair
from rlattn.envs.texts import unknown_label
from rlattn.hosts.classifier import ClassifierHost, EncodedTexts
from rlattn.hosts.seq2seq import pad


@dataclass(frozen=True)
class LabelLesson:
    """Texts that are labelled together.

    Attributes:
        encoded: What the host knows of them.
        source: Their tokens, int64, zero behind each text, ``[texts, source]``.
        label: Their labels among the host's, int64, ``[texts]``.
    """

    encoded: EncodedTexts
    source: Tensor
    label: Tensor

    def __len__(self) -> int:
        return len(self.label)


def label_lessons(
    host: ClassifierHost[Any], pairs: Sequence[Pair], *, lanes: int, max_source: int, seed: int
) -> Iterator[LabelLesson]:
    """Walks over all texts again and again, in another order each time.

    Args:
        host: The frozen classifier.
        pairs: The texts and their labels.
        lanes: Texts in a batch.
        max_source: Longer texts are cut, in tokens.
        seed: Fixes the orders.

    Yields:
        Batches without end.

    Raises:
        InputError: If a text has a label that the host does not know.
    """
    for indices, read in batches(host, pairs, lanes=lanes, max_source=max_source, seed=seed):
        yield make_label_lesson(host, read, [pairs[i].target for i in indices])


def make_label_lesson(
    host: ClassifierHost[Any], sources: Sequence[Sequence[int]], labels: Sequence[str]
) -> LabelLesson:
    """A lesson of some texts.

    Args:
        host: The frozen classifier.
        sources: Their tokens.
        labels: Their labels.

    Raises:
        InputError: If the host does not know a label.
    """
    number = {label: place for place, label in enumerate(host.labels)}
    unknown = [label for label in labels if label not in number]
    if unknown:
        raise unknown_label(host, unknown[0])
    source = pad([list(row) for row in sources], 0)[0].to(host.device)
    label = torch.tensor([number[label] for label in labels], device=host.device)
    return LabelLesson(host.encode(sources), source, label)
