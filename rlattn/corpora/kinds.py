"""The kinds corpus: of which kind is the phrase that is asked for?

A text is a row of four to eight locale phrases, no two of a kind. One of them stands behind the
mark `A)`, and the label says of which kind it is::

    Tuesday | 6:51 PM | 46.5% | NOK 224 | A) Apr 5, 1970 – Apr 6, 1971 | Chile        days

So a seventh of the text is all that anyone needs to read, and where that stands is in the text. Any
other phrase could be the one as well: who does not look for the mark has to guess among them. The
bars part segments, so that a gate by sentences can be one by phrases.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from rlattn.corpora import phrases
from rlattn.corpora.base import ParallelCorpus
from rlattn.corpora.documents import MARKS
from rlattn.corpora.draws import Draw
from rlattn.corpora.locale import GENERATOR as PHRASE_GENERATOR
from rlattn.corpora.locale import TRAIN_SIZE, split_of, tidy, tokens
from rlattn.corpora.made import MadePairs, made_corpus
from rlattn.corpora.noise import NoisyPair
from rlattn.corpora.phrases import Kind, Names
from rlattn.corpora.stock import Stock
from rlattn.corpora.wording import Wording, identifier_of, own_locale

GENERATOR = 1
"""Version of the generator: raised whenever the same settings give other texts."""

PHRASES = range(4, 9)
"""How many phrases a text has."""

LENGTHS = range(20, 61)
"""How many words, digits and signs a text has."""

MARK = MARKS[0]
"""What the phrase that is asked for stands behind, and a space."""

BAR = " | "
"""What parts phrases."""


def _one(names: Names) -> Kind:
    return lambda draw, stock: names(draw, stock, 1)[0]


KINDS: dict[str, tuple[Kind, ...]] = {
    "amount": (phrases.amount, phrases.named_amount),
    "date": (phrases.date,),
    "days": (phrases.days,),
    "hours": (phrases.hours,),
    "language": (_one(phrases.languages),),
    "measure": (phrases.measure,),
    "moment": (phrases.moment,),
    "month": (_one(phrases.months),),
    "number": (phrases.number, phrases.compact),
    "percentage": (phrases.percentage,),
    "relative": (phrases.relative,),
    "territory": (_one(phrases.territories),),
    "time": (phrases.time,),
    "weekday": (_one(phrases.weekdays),),
}
"""The labels, and what says a phrase of each."""


@lru_cache(maxsize=8)
def _spoken(locale: str) -> tuple[Wording, Stock, dict[str, str]]:
    wording = Wording(own_locale(locale))
    stock = Stock.shared_by(wording)
    return wording, stock, _owners(wording, stock)


class KindPairs(MadePairs):
    """One split of a kinds corpus, each a `NoisyPair`: texts that are made when they are asked for.

    Args:
        locale: CLDR identifier of the locale.
        split: `train`, `valid` or `test`.
        seed: Seed of the draws.
        size: Number of pairs.
    """

    def __init__(self, locale: str, split: str, seed: int, size: int) -> None:
        super().__init__((locale, split, seed, size), size, kept=1 << 16)
        self._split, self._seed = split, seed
        self._wording, self._stock, self._owners = _spoken(locale)

    @property
    def labels(self) -> frozenset[str]:
        """The kinds, each as likely as any other."""
        return frozenset(KINDS)

    def _make(self, index: int) -> NoisyPair:
        draw = Draw("kinds", GENERATOR, self._seed, self._split, index)
        label = draw.pick(tuple(KINDS))
        others = [kind for kind in KINDS if kind != label]
        while True:
            kinds = draw.several(others, draw.pick(PHRASES) - 1)
            place = draw.below(len(kinds) + 1)
            asked = self._phrase(label, draw)
            said = [self._phrase(kind, draw) for kind in kinds]
            front = "".join(f"{phrase}{BAR}" for phrase in said[:place]) + f"{MARK} "
            text = front + BAR.join([asked, *said[place:]])
            if split_of(text) == self._split and tokens(text) in LENGTHS:
                return NoisyPair(text, label, slice(len(front), len(front) + len(asked)))

    def _phrase(self, kind: str, draw: Draw) -> str:
        while True:
            text = tidy(draw.pick(KINDS[kind])(draw, self._stock)(self._wording))
            if self._owners.get(text, kind) == kind:
                return text


def kind_corpus(
    locale: str,
    *,
    seed: int = 0,
    train_size: int = TRAIN_SIZE,
    valid_size: int = 1_000,
    test_size: int = 1_000,
) -> ParallelCorpus:
    """Return the labelled corpus of the kinds of phrases of a CLDR locale.

    Args:
        locale: Its identifier, such as `en`, `pt_BR` or `zh_Hant`.
        seed: Seed of the draws.
        train_size: Number of training pairs. They are made when asked for: any size costs nothing.
        valid_size: Number of validation pairs.
        test_size: Number of test pairs.

    Returns:
        The corpus: texts as sources, kinds as targets (see `labels_of`); the splits share no text
        with one another, nor with the other splits under any other seed.

    Raises:
        InputError: If the locale is unknown or has too few words, or a size is not positive.
    """
    locale = identifier_of(locale)
    return made_corpus(
        f"kinds:{locale}",
        {"generators": [GENERATOR, PHRASE_GENERATOR], "locale": locale, "seed": seed},
        {"train": train_size, "valid": valid_size, "test": test_size},
        lambda split, size: KindPairs(locale, split, seed, size),
    )


def _owners(say: Wording, stock: Stock) -> dict[str, str]:
    """Return the one kind of each text that phrases of several could say.

    Some locales call a language as they call its country, or 14 thousand as they call 14 miles.
    """
    counts = range(1, 100)
    said: dict[str, Iterable[str]] = {
        "weekday": say.dates.weekdays.values(),
        "month": say.dates.months.values(),
        "language": (say.names.languages[code] for code in stock.languages),
        "territory": (say.names.territories[code] for code in stock.territories),
        "number": (say.numbers.compact(n, power) for n in counts for power in stock.powers),
        "relative": (
            say.dates.relative(sign * n, span)
            for n in counts
            for span in stock.spans
            for sign in (1, -1)
        ),
    }
    owners: dict[str, str] = {}
    for kind, texts in said.items():
        for text in texts:
            owners.setdefault(tidy(text), kind)
    return owners
