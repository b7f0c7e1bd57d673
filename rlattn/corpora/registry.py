"""Corpora by name."""

from __future__ import annotations

import re
import sys

from rlattn.checks import check_whole
from rlattn.corpora.base import ParallelCorpus
from rlattn.corpora.documents import LENGTHS, document_corpus
from rlattn.corpora.files import read_parallel
from rlattn.corpora.hub import hub_corpus
from rlattn.corpora.kinds import kind_corpus
from rlattn.corpora.labelled import read_labelled
from rlattn.corpora.locale import TRAIN_SIZE, locale_corpus
from rlattn.corpora.noise import PLACES, Layout, noisy_corpus
from rlattn.errors import InputError

FORMS = (
    "locale:SOURCE-TARGET, documents:SOURCE-TARGET[:FEWEST-MOST], kinds:LOCALE, tsv:FILE, "
    "csv:FILE[#TEXT,LABEL], jsonl:FILE[#TEXT,LABEL], noise:[before:|behind:]CORPUS, "
    "hub:DATA[:CONFIG]#SOURCE-TARGET or hub:DATA[:CONFIG]#TEXT,LABEL"
)
"""What the name of a corpus may look like."""

_MOST_NOISE = 8
"""How often noise may be put beside what has noise."""

_LABELLED = re.compile(
    r"(?P<family>\w+):(?P<file>[^#]+\.(?P=family)(\.gz)?)(#(?P<text>[^#,]+),(?P<label>[^#,]+))?"
)


def load_corpus(name: str, *, seed: int = 0, train_size: int | None = None) -> ParallelCorpus:
    """Return the corpus of a name.

    Args:
        name: `locale:en-de` and any other pair of CLDR locales (see `locale_corpus`),
            `documents:en-de` or, with other lengths, `documents:en-de:60-150` (see
            `document_corpus`), `tsv:FILE` (see `read_parallel`), or a data set such as
            `hub:opus_books:de-en#de-en` (see `hub_corpus`); or any of these with another sentence
            beside each source, `noise:locale:en-de`, `noise:before:` or `noise:behind:locale:en-de`
            (see `noisy_corpus`). Labelled corpora are `kinds:en` and any other CLDR locale (see
            `kind_corpus`), `csv:FILE`, `jsonl:FILE` or with other columns `csv:FILE#TEXT,LABEL`
            (see `read_labelled`), `hub:DATA#TEXT,LABEL`, and `tsv:FILE` with labels behind the tab.
        seed: Seed of the draws of locale phrases and of noise; other corpora do not depend on it.
        train_size: Number of training pairs of a locale or kinds corpus (50,000 when None) or of
            documents (10,000 when None, and more where they are shorter); the most to keep of any
            other (all when None).

    Returns:
        The corpus.

    Raises:
        InputError: If there is no corpus of that name, or it cannot be read rightly.
    """
    if not isinstance(name, str):
        raise InputError(f"unknown corpus {name!r}; expected {FORMS}")
    check_whole("seed", seed, 0, 2**63 - 1)
    if train_size is not None:
        check_whole("train_size", train_size, most=sys.maxsize)  # all that a sequence can have
    family, _, rest = name.partition(":")
    if family == "locale":
        source, target = _locales(name, rest)
        size = TRAIN_SIZE if train_size is None else train_size
        return locale_corpus(source, target, seed=seed, train_size=size)
    if family == "documents":
        pair, colon, lengths = rest.partition(":")
        source, target = _locales(name, pair)
        limits = _lengths(name, lengths) if colon else LENGTHS
        return document_corpus(source, target, seed=seed, train_size=train_size, lengths=limits)
    if family == "kinds" and rest:
        size = TRAIN_SIZE if train_size is None else train_size
        return kind_corpus(rest, seed=seed, train_size=size)
    if family == "noise" and rest:
        place = next((place for place in PLACES if rest.startswith(f"{place}:")), None)
        inside = rest if place is None else rest.removeprefix(f"{place}:")
        if inside.count("noise:") > _MOST_NOISE:
            raise InputError(f"{name:.40}…: expected at most {_MOST_NOISE} times noise")
        corpus = load_corpus(inside, seed=seed, train_size=train_size)
        return noisy_corpus(corpus, Layout(place or "either"), seed=seed)
    if family == "tsv" and rest:
        return read_parallel(rest, train_size=train_size)
    if family in ("csv", "jsonl") and rest:
        return _labelled(name, train_size)
    if family == "hub" and rest:
        return hub_corpus(rest, train_size=train_size)
    raise InputError(f"unknown corpus {name!r}; expected {FORMS}")


def _labelled(name: str, train_size: int | None) -> ParallelCorpus:
    given = _LABELLED.fullmatch(name)
    if given is None:
        family = name.partition(":")[0]
        raise InputError(
            f"{name}: expected {family}:FILE[#TEXT,LABEL], where FILE ends in .{family} or "
            f".{family}.gz; rlattn.corpora.read_labelled takes columns of any name"
        )
    return read_labelled(
        given["file"], text=given["text"], label=given["label"], train_size=train_size
    )


def _locales(name: str, pair: str) -> tuple[str, str]:
    source, hyphen, target = pair.partition("-")
    if not (source and hyphen and target):
        raise InputError(
            f"{name!r} names no pair of locales; expected one like {name.partition(':')[0]}:en-de"
        )
    return source, target


def _lengths(name: str, text: str) -> tuple[int, int]:
    given = re.fullmatch(r"([0-9]{1,6})-([0-9]{1,6})", text)
    if given is None:
        raise InputError(
            f"{name!r} says no lengths; expected the fewest and the most words, such as 60-150"
        )
    return int(given[1]), int(given[2])
