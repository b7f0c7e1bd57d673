"""What a careless or hostile user may give: texts, numbers, values of settings, actions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

QUICK = 100
"""Cases of a test in the default profile, as Hypothesis has it; the long one asks for more."""

LONG_TEXT = 100_000


TRIED: Counter[str] = Counter()
"""How many cases there were, by the names of their tests."""


def cases(quick: int) -> Callable[[Any], Any]:
    """So many cases in the default profile, and as much more in others as they ask for more."""

    def decorate(test: Any) -> Any:
        inner = test.hypothesis.inner_test

        @wraps(inner)
        def counted(*args: Any, **kwargs: Any) -> Any:
            TRIED[inner.__name__] += 1
            return inner(*args, **kwargs)

        test.hypothesis.inner_test = counted
        return settings(
            max_examples=max(1, quick * settings().max_examples // QUICK),
            # Hosts are built once, and what is drawn here is large now and then.
            suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        )(test)

    return decorate


_AWKWARD = (
    *("", " ", "\t", "\n", "\r\n", "\0", "\0\0a", "\x1b[31m", "\x7f", "\x85", "\u2028", "\ufeff"),
    *("\u202eabc\u202c", "\u05e9\u05dc\u05d5\u05dd", "\u0645\u0631\u062d\u0628\u0627", "\u200f"),
    *("\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\u0301" * 50),
    *("\uffff", "\ufffd", "\U0010ffff", "<pad>", "</s>", "<unk>", "<s>", "ba </s> be <pad>"),
    *("NaN", "null", "\\u0000", '"', "'", "a,b", "a\tb", "{}", "%s", "--help", "../..", "=1"),
)
_HALVES = ("\ud800", "\udfff", "a\udc80b", "\udc80\ud800")
_WORDS = st.sampled_from(["ba", "be", "Mar 3", "1,2", "\u00e4", "\u4e16", "\U0001f600", "\u05e9"])

unicode_texts: st.SearchStrategy[str] = st.one_of(
    st.sampled_from(_AWKWARD),
    st.text(st.characters(codec="utf-8"), max_size=40),
    st.lists(_WORDS, max_size=30).map(" ".join),
)
"""Texts of all scripts, and signs that mean something to some program."""

long_texts: st.SearchStrategy[str] = st.builds(
    lambda piece, count: (piece * count)[:LONG_TEXT],
    st.sampled_from(["a", "ba ", "\0", "\u05e9", "\U0001f600", "\u0301", " ", "9", "\n", "a,"]),
    st.just(LONG_TEXT),
)
"""Texts of 100,000 characters."""

halved_texts: st.SearchStrategy[str] = st.builds(
    lambda before, half, behind: before + half + behind,
    unicode_texts,
    st.sampled_from(_HALVES),
    unicode_texts,
)
"""Texts with half a character in them, which no file holds and no tokenizer takes."""

texts: st.SearchStrategy[str] = st.one_of(unicode_texts, unicode_texts, halved_texts)

no_texts: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.binary(max_size=5), st.just(["a"])
)
"""Everything that is not text."""

numbers: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([0, -1, 1, 2, 2**31, 2**63, 2**64, 10**400, -(10**400), True, False]),
    st.sampled_from([float("nan"), float("inf"), -float("inf"), -0.0, 1e308, 1e39, 5e-324, 2.5]),
    st.integers(-3, 70),
    st.floats(),
)
"""Numbers that may be counts, weights or shares, and mostly cannot."""

values: st.SearchStrategy[Any] = st.one_of(
    numbers,
    texts,
    st.none(),
    st.binary(max_size=5),
    st.lists(st.integers() | st.text(max_size=3), max_size=3),
    st.tuples(st.text(max_size=3)),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.builds(object),
)
"""Whatever a field of some settings may be given."""

keys: st.SearchStrategy[Any] = st.one_of(texts, st.none(), st.integers(), st.floats())
"""What may stand before a value in a dictionary."""

digits: st.SearchStrategy[str] = st.sampled_from(
    ["0", "1", "3", "-1", "01", "\u0661", "\u00b2", "1e3", "2.5", "9" * 20, "9" * 5000, "nan", ""]
)
"""What may stand in a name in a number's place."""

dtypes: st.SearchStrategy[Any] = st.sampled_from(
    ["f8", "f4", "f2", "i8", "i1", "u1", "?", "c16", "O", "U3", "S3", "M8[s]", "m8[s]"]
)


@st.composite
def arrays(draw: st.DrawFn, shape: tuple[int, ...]) -> np.ndarray:
    """Arrays of mostly this shape, of any kind, with any numbers."""
    shapes = st.one_of(
        st.just(shape),
        st.permutations(shape).map(tuple),
        st.just((*shape, 1)),
        st.just((1, *shape)),
        st.just((int(np.prod(shape)),)),
        st.lists(st.integers(0, 7), max_size=4).map(tuple),
    )
    found = np.zeros(draw(shapes))
    fill = st.sampled_from([0.0, 1.0, 1.0, 0.5, -1.0, 2.0, 1e6, 3e38, 1e300, np.nan, np.inf])
    size = found.size
    if size:
        flat = found.reshape(-1)
        flat[:] = draw(st.sampled_from([0.0, 1.0]))
        for place in draw(st.lists(st.integers(0, size - 1), max_size=3)):
            flat[place] = draw(fill)
    with np.errstate(all="ignore"):
        return found.astype(draw(st.one_of(st.just("f4"), dtypes)))
