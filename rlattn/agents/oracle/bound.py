"""How likely references become if attention is changed in their favour at every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rlattn.agents.oracle.search import Search, batches
from rlattn.corpora import Pair
from rlattn.hosts import LaneDecoder, LaneSources, Seq2SeqHost
from rlattn.hosts.seq2seq import pad


@dataclass(frozen=True)
class Bound:
    """How well a host predicts references along themselves, natively and under the oracle.

    Attributes:
        tokens: How many reference tokens there are, ends included.
        native_log_likelihood: Mean of their log-probabilities under native attention, in nats.
        log_likelihood: The same under the oracle; never below the native one.
        native_accuracy: The share of them that the host would write under native attention.
        accuracy: The same under the oracle.
    """

    tokens: int
    native_log_likelihood: float
    log_likelihood: float
    native_accuracy: float
    accuracy: float


def oracle_bound(
    host: Seq2SeqHost,
    pairs: Sequence[Pair],
    *,
    boosts: Sequence[float] = (3.0,),
    max_source: int = 64,
    max_target: int = 64,
    lanes: int = 512,
) -> Bound:
    """How likely references become if attention is changed in their favour at every step.

    The reference is the prefix. At each step the change at a single position under which its next
    token is likeliest is kept, and the next step sees what it left in the self-attention's past. A
    sentence that is likelier with native attention at all steps keeps that.

    What is found can be reached: some sequence of allocations does. It is not the most that can be,
    for changes are tried one position at a time, alike in all layers and heads, and none is kept
    that pays only later. And no policy can be expected to reach it, for none sees the reference.

    Args:
        host: The frozen translator.
        pairs: Sentences with their references; a source of S tokens takes ``1 + S * (1 + boosts)``
            lanes.
        boosts: Biases in nats that are tried on each position, beside all attention on it.
        max_source: Longer sources are cut, in tokens.
        max_target: Longer references are cut, in tokens.
        lanes: How many changes to try in one forward; each holds its own past and source.

    Raises:
        InputError: If a boost is not a finite number.
    """
    sources = host.tokenize([pair.source for pair in pairs], max_source).ids
    targets = host.tokenize_target([pair.target for pair in pairs], max_target).ids
    sums = torch.zeros(4, dtype=torch.double)
    for here in batches(sources, boosts, lanes):
        rows, references = [sources[i] for i in here], [targets[i] for i in here]
        natively, found = _along(host, rows, references, boosts, max_target)
        sums += torch.cat([natively, torch.where(found[0] > natively[0], found, natively)]).sum(1)
    count = sum(map(len, targets))
    native_likely, native_right, likely, right = (sums / max(count, 1)).tolist()
    return Bound(count, native_likely, likely, native_right, right)


def _along(
    host: Seq2SeqHost,
    rows: list[list[int]],
    references: list[list[int]],
    boosts: Sequence[float],
    max_target: int,
) -> tuple[Tensor, Tensor]:
    """Log-likelihood of each reference and its tokens written, natively and under the oracle.

    Returns:
        Two of ``[2, sentences]``, double, on the CPU.
    """
    wanted, real = (t.to(host.device) for t in pad(references, host.pad_token))
    search = Search(host, rows, boosts, max_target)
    native = LaneDecoder(host, LaneSources.of(host.encode(rows)), max_target)
    tokens = torch.full_like(wanted[:, 0], host.start_token)
    natively, found = [], []
    for step in range(wanted.shape[1]):
        asked, live = wanted[:, step], real[:, step]
        logits = native.step(tokens).logits.double()
        first, last = (torch.full_like(live, step == t) for t in (0, max_target - 1))
        likely = logits.log_softmax(-1).gather(1, asked[:, None])[:, 0]
        natively.append(torch.stack([likely, host.choose(logits, first, last) == asked]))
        search.drop(live, live)
        best = search.step(tokens, asked, live)
        found.append(torch.stack([best.log_likelihood.double(), best.token == asked]))
        tokens = asked
    beyond = ~real.T[:, None]
    sums = (torch.stack(each).masked_fill(beyond, 0.0).sum(0) for each in (natively, found))
    one, other = (each.cpu() for each in sums)
    return one, other
