"""What a classifier says without a rationale, and from the rationale alone.

These are the measures of DeYoung et al. (2020, "ERASER: A Benchmark to Evaluate Rationalized NLP
Models"). What is taken out of a text is not masked but removed: its other tokens are encoded anew,
move together, and are read with native attention.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from rlattn.errors import InputError
from rlattn.explanation.rationales import Rationale, Scores, top
from rlattn.hosts.classifier import ClassifierHost
from rlattn.hosts.seq2seq import Tokenized
from rlattn.inference.order import by_length

BINS = (0.01, 0.05, 0.1, 0.2, 0.5)
"""Sizes of rationales that `aopc` takes the mean over, as shares of a text's tokens."""


@dataclass(frozen=True)
class Faithfulness:
    """How faithful rationales are: drops in the probability of the label of the whole text.

    Attributes:
        comprehensiveness: The drop where the rationale is removed, float32, ``[texts]``: high if it
            has all that the label rests on.
        sufficiency: The drop where all else is removed, float32, ``[texts]``: near 0, or below, if
            it has enough for the label.
    """

    comprehensiveness: npt.NDArray[np.float32]
    sufficiency: npt.NDArray[np.float32]


def faithfulness(
    host: ClassifierHost[Any],
    sources: Sequence[Sequence[int]],
    rationales: Sequence[Rationale],
    *,
    batch: int = 64,
) -> Faithfulness:
    """Comprehensiveness and sufficiency of one rationale for each text.

    Of a text of which nothing is left, the host reads its special tokens alone.

    Args:
        host: The frozen classifier; what counts is the label that it finds likeliest for the whole
            text.
        sources: Each text's own token ids.
        rationales: For each text, which of its tokens are the rationale.
        batch: How many texts are read at once.

    Raises:
        InputError: If the rationales do not fit the texts.
    """
    return Faithfulness(*_drops(host, sources, [rationales], batch)[:, 0])


def faithfulness_by_name(
    host: ClassifierHost[Any],
    sources: Sequence[Sequence[int]],
    rationales: Mapping[str, Sequence[Rationale]],
    *,
    batch: int = 64,
) -> dict[str, Faithfulness]:
    """`faithfulness` of several rationales for each text, which is itself read once for all.

    Args:
        host: As for `faithfulness`.
        sources: Each text's own token ids.
        rationales: By name, one rationale for each text.
        batch: How many texts are read at once.

    Raises:
        InputError: If the rationales do not fit the texts.
    """
    drops = _drops(host, sources, list(rationales.values()), batch)
    return {name: Faithfulness(*drops[:, number]) for number, name in enumerate(rationales)}


def aopc(
    host: ClassifierHost[Any],
    sources: Sequence[Sequence[int]],
    scores: Sequence[Scores],
    *,
    bins: Sequence[float] = BINS,
    batch: int = 64,
) -> Faithfulness:
    """Comprehensiveness and sufficiency of a ranking: the mean over rationales of several sizes.

    The "area over the perturbation curve" (Samek et al., 2017, "Evaluating the Visualization of
    What a Deep Neural Network Has Learned") as ERASER has it. The mean is over the sizes that are
    given, as in that benchmark's own program: an empty rationale is not one of them.

    Args:
        host: As for `faithfulness`.
        sources: Each text's own token ids.
        scores: Of each text's tokens; the highest ones are the rationale.
        bins: Sizes of the rationales, as shares of a text's tokens, which are rounded up: a text
            that is not empty has at least one in its rationale.
        batch: How many texts are read at once.

    Raises:
        InputError: If the scores do not fit the texts, or a bin is not a share above 0.
    """
    if not bins or not all(0 < share <= 1 for share in bins):
        given = ", ".join(map(str, bins)) or "none"
        raise InputError(f"the bins are {given}: give at least one share, above 0 and at most 1")
    # Rounded first, for 0.07 * 100 is a little more than 7.
    sizes = [[math.ceil(round(share * len(row), 6)) for row in scores] for share in bins]
    choices = [top(scores, each) for each in sizes]
    return Faithfulness(*_drops(host, sources, choices, batch).mean(1))


def _drops(
    host: ClassifierHost[Any],
    sources: Sequence[Sequence[int]],
    choices: Sequence[Sequence[Rationale]],
    batch: int,
) -> npt.NDArray[np.float32]:
    """Drops without and with each choice of rationales alone, ``[2, choices, texts]``."""
    without, alone = [], []
    for rationales in choices:
        _check(sources, rationales)
        for source, rationale in zip(sources, rationales, strict=True):
            pairs = list(zip(source, rationale, strict=True))
            without.append([token for token, inside in pairs if not inside])
            alone.append([token for token, inside in pairs if inside])
    read = _probabilities(host, [*sources, *without, *alone], batch)
    texts = np.arange(len(sources))
    whole, parts = read[: len(sources)], read[len(sources) :]
    label = whole.argmax(1)
    of_label = parts.reshape(2, len(choices), *whole.shape)[:, :, texts, label]
    drops: npt.NDArray[np.float32] = whole[texts, label] - of_label
    return drops


def _check(sources: Sequence[Sequence[int]], rationales: Sequence[Rationale]) -> None:
    if len(sources) != len(rationales):
        raise InputError(
            f"there are {len(sources)} texts and rationales or scores of {len(rationales)}: "
            "give one to each text"
        )
    for text, (source, rationale) in enumerate(zip(sources, rationales, strict=True)):
        if len(source) != len(rationale):
            raise InputError(
                f"text {text} has {len(source)} tokens and its rationale or scores are of "
                f"{len(rationale)}: give a value to each token"
            )


@torch.no_grad()
def _probabilities(
    host: ClassifierHost[Any], texts: Sequence[Sequence[int]], batch: int
) -> npt.NDArray[np.float32]:
    """What the host natively makes of texts, ``[texts, labels]``; each is read once."""
    # So what removes nothing drops by 0 exactly, whatever company a text is read in.
    unique: dict[tuple[int, ...], int] = {}
    places = [unique.setdefault(tuple(text), len(unique)) for text in texts]
    rows = Tokenized([list(text) for text in unique], 0)
    found = np.zeros((len(rows.ids), len(host.labels)), np.float32)
    for here in by_length(rows, batch):
        logits = host.classify(host.encode([rows.ids[i] for i in here]))
        found[here] = logits.softmax(-1).cpu().numpy()
    return found[np.array(places, np.int64)]
