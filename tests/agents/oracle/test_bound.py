"""The bound along references: as a slow search finds it, never below native attention."""

from __future__ import annotations

import pytest

from rlattn.agents.oracle import oracle_bound
from rlattn.corpora import Pair
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from tests.agents.oracle.twin import Twin
from tests.hosts.tiny import SOURCE, TARGET, pairs
from tests.learning.local_host import POSITIONS, local_host

LIMITS = {"max_source": SOURCE, "max_target": TARGET}
SHORT = [pair for pair in pairs(30) if max(map(len, pair)) < 16][:5]


@pytest.mark.parametrize("boosts", [(), (3.0, -2.0)], ids=str)
def test_it_is_what_a_slow_search_finds(each_host: Seq2SeqHost, boosts: tuple[float, ...]) -> None:
    bound = oracle_bound(each_host, SHORT, boosts=boosts, lanes=40, **LIMITS)
    twins = [Twin(each_host, pair) for pair in SHORT]
    assert bound.tokens == sum(len(twin.reference) for twin in twins)
    native = [twin.likeliest(None) for twin in twins]
    best = [max(twin.likeliest(boosts), one) for twin, one in zip(twins, native, strict=True)]
    found = bound.native_log_likelihood, bound.native_accuracy, bound.log_likelihood, bound.accuracy
    expected = [
        sum(each) / bound.tokens for kind in (native, best) for each in zip(*kind, strict=True)
    ]
    assert found == pytest.approx(expected, abs=1e-4)


def test_references_are_never_less_likely_than_natively(each_host: Seq2SeqHost) -> None:
    for pair in pairs(20, seed=1):
        bound = oracle_bound(each_host, [pair], boosts=(), **LIMITS)
        assert bound.log_likelihood >= bound.native_log_likelihood


@pytest.mark.parametrize("lanes", [1, 30, 1000])
def test_how_many_changes_are_tried_at_once_does_not_matter(
    each_host: Seq2SeqHost, lanes: int
) -> None:
    chosen = pairs(8, seed=2)
    together = oracle_bound(each_host, chosen, lanes=lanes, **LIMITS)
    alone = [oracle_bound(each_host, [pair], **LIMITS) for pair in chosen]
    for name in ("native_log_likelihood", "log_likelihood", "native_accuracy", "accuracy"):
        mean = sum(getattr(one, name) * one.tokens for one in alone) / together.tokens
        assert getattr(together, name) == pytest.approx(mean, abs=1e-4)


def test_where_attention_decides_the_token_the_oracle_writes_every_reference() -> None:
    host = local_host(range(POSITIONS))  # which copies, natively
    reversals = [Pair(text, text[::-1]) for text in ("a b c d e", "f a", "l k j c b a d")]
    bound = oracle_bound(host, reversals, boosts=(), max_target=POSITIONS)
    assert bound.accuracy == 1.0
    assert bound.native_accuracy < 0.4
    assert bound.log_likelihood > bound.native_log_likelihood + 1


def test_of_no_pairs_there_is_nothing_to_tell(host: Seq2SeqHost) -> None:
    assert oracle_bound(host, []).tokens == 0


@pytest.mark.parametrize("boost", [float("nan"), float("inf")])
def test_a_boost_that_is_not_finite_is_refused(host: Seq2SeqHost, boost: float) -> None:
    with pytest.raises(InputError, match="expected finite numbers"):
        oracle_bound(host, SHORT, boosts=(1.0, boost), **LIMITS)
