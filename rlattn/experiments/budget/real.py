"""A trained policy on text: what is kept of the host's quality, and what is saved of its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rlattn.corpora import Pair
from rlattn.experiments.statistics import Bootstrap
from rlattn.experiments.throughput.measure import Contestant, Rounds, clock, interleave
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import TrainedPolicy, Translations, translate

NATIVE, POLICY = "native", "policy"


def compare(
    host: Seq2SeqHost,
    policy: TrainedPolicy,
    pairs: Sequence[Pair],
    *,
    batch: int,
    rounds: int,
    max_source: int,
    max_target: int,
    report: Callable[[str], None],
) -> dict[str, Any]:
    """Translates with and without the policy, in turns, from text to text.

    Args:
        host: The frozen translator.
        policy: What steers it.
        pairs: What is translated, and how it should come out.
        batch: How many sentences are written at once.
        rounds: How often each has its turn.
        max_source: Longest source in tokens.
        max_target: The most tokens to write.
        report: Told of each turn.

    Returns:
        For both, `NATIVE` and `POLICY`: ``bleu`` (an `Estimate`), ``reads`` (an `Estimate`),
        ``sentences_per_s`` (a `Spread`), ``over_native`` (a `Spread`); and ``bleu_of_native``, the
        share of the BLEU that the policy keeps.
    """
    sources = [pair.source for pair in pairs]
    written: dict[str, Translations] = {}

    def turn(name: str) -> Contestant:
        steering = policy if name == POLICY else None

        def work() -> int:
            written[name] = translate(
                host, sources, steering, max_source=max_source, max_target=max_target, batch=batch
            )
            return len(sources)

        return Contestant(work)

    names = (NATIVE, POLICY)
    rates: dict[str, list[float]] = {name: [] for name in names}
    turns = {name: turn(name) for name in names}
    for name, rate in interleave(turns, rounds=rounds, seconds=0.0, clock=clock(str(host.device))):
        report(name)
        assert rate is not None, "nobody warms up"
        rates[name].append(rate)
    found, bootstrap = Rounds(rates), Bootstrap([pair.target for pair in pairs])
    results: dict[str, Any] = {
        name: {
            "bleu": bootstrap.bleu(written[name].texts),
            "reads": bootstrap.mean(written[name].reads_fraction),
            "sentences_per_s": found.rate(name),
            "over_native": found.ratio(name, NATIVE),
        }
        for name in names
    }
    bleu = {name: results[name]["bleu"].value for name in names}
    return {**results, "bleu_of_native": bleu[POLICY] / bleu[NATIVE], "sentences": len(sources)}
