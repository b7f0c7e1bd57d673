"""Corpora by name."""

from __future__ import annotations

from rlattn.corpora.base import ParallelCorpus
from rlattn.corpora.files import read_parallel
from rlattn.corpora.hub import hub_corpus
from rlattn.corpora.locale import TRAIN_SIZE, locale_corpus
from rlattn.errors import InputError

FORMS = "locale:SOURCE-TARGET, tsv:FILE or hub:DATA[:CONFIG]#SOURCE-TARGET"
"""What the name of a corpus may look like."""


def load_corpus(name: str, *, seed: int = 0, train_size: int | None = None) -> ParallelCorpus:
    """Return the corpus of a name.

    Args:
        name: `locale:en-de` and any other pair of CLDR locales (see `locale_corpus`), `tsv:FILE`
            (see `read_parallel`), or a data set such as `hub:opus_books:de-en#de-en` (see
            `hub_corpus`).
        seed: Seed of the draws of a locale corpus; the others do not depend on it.
        train_size: Number of training pairs of a locale corpus (50,000 when None); the most to
            keep of any other (all when None).

    Returns:
        The corpus.

    Raises:
        InputError: If there is no corpus of that name, or it cannot be read rightly.
    """
    family, _, rest = name.partition(":")
    if family == "locale":
        source, hyphen, target = rest.partition("-")
        if not (source and hyphen and target):
            raise InputError(f"{name!r} names no pair of locales; expected one like locale:en-de")
        size = TRAIN_SIZE if train_size is None else train_size
        return locale_corpus(source, target, seed=seed, train_size=size)
    if family == "tsv" and rest:
        return read_parallel(rest, train_size=train_size)
    if family == "hub" and rest:
        return hub_corpus(rest, train_size=train_size)
    raise InputError(f"unknown corpus {name!r}; expected {FORMS}")
