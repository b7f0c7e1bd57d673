"""The labels of a corpus of labelled texts."""

from __future__ import annotations

from rlattn.corpora import ParallelCorpus
from rlattn.errors import InputError


# TODO: give way to rlattn.corpora.labels.labels_of once it is there; nothing else knows of it.
def labels_of(corpus: ParallelCorpus) -> tuple[str, ...]:
    """Returns the labels that training texts have, in alphabetical order.

    Raises:
        InputError: If there are fewer than two.
    """
    labels = tuple(sorted({pair.target for pair in corpus.train}))
    if len(labels) < 2:
        raise InputError(
            f"corpus {corpus.name}: its only label is {labels[0]!r}; give texts of at least two"
        )
    return labels
