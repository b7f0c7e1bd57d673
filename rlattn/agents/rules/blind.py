"""Rules that look at nothing but the length of the source: the floor of any comparison."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from rlattn.agents.rules.base import Rule, Seen
from rlattn.agents.rules.counts import check_share
from rlattn.corpora import Pair
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.steering import Allocation


class Uniform(Rule):
    """Equal weight on every position, in every layer and head. It reads everything."""

    name = "uniform"

    def allocation(self, seen: Seen) -> Allocation:
        """Ones: they are renormalised over the valid positions."""
        return Allocation("replace", torch.ones_like(seen.mask, dtype=torch.float32))


class Random(Rule):
    """Random weights, the same in every layer and head. It reads everything.

    They come from a Dirichlet distribution with all concentrations 1, so that all weights that sum
    to one are equally likely. They are drawn anew at each step, and depend on the seed, the
    sentence and the step alone.

    Args:
        seed: Another one gives other weights.
    """

    name = "random"

    def __init__(self, seed: int = 0) -> None:
        self._seed = np.array([seed], np.uint64)

    def allocation(self, seen: Seen) -> Allocation:
        """Exponential numbers, for these are a Dirichlet's once they are divided by their sum."""
        begin = _mixed(seen.keys ^ _mixed(_mixed(self._seed) + np.uint64(seen.step)))
        columns = np.arange(seen.mask.shape[1], dtype=np.uint64)
        # In (0, 1), with all digits that a double has: no weight is ever zero.
        drawn = ((_mixed(begin[:, None] + columns) >> np.uint64(12)) + 0.5) * 2.0**-52
        weights = torch.from_numpy(-np.log(drawn)).to(seen.mask.device, torch.float32)
        return Allocation("replace", weights)


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """SplitMix64 (Steele et al., 2014): what was close together is no longer, uint64.

    A generator draws one number after the other; here each has a place of its own, so that those of
    all lanes are made at once and padding moves none of them.
    """
    state = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = state ^ (state >> np.uint64(31))
    return mixed


class Diagonal(Rule):
    """A gate on a stretch of the source that moves along with the target.

    Its middle is where the monotonic local attention of Luong et al. (2015), "Effective Approaches
    to Attention-based Neural Machine Translation", has it, on the diagonal between source and
    target; it is pushed inwards at both ends, so that it always has its full length.

    Args:
        reads: The mean over sentences of open over valid positions.
        ratio: How many target tokens there are for a source token; `length_ratio` tells.

    Raises:
        InputError: If the reads are no share, or the ratio is not above 0.
    """

    name = "diagonal"

    def __init__(self, reads: float, ratio: float = 1.0) -> None:
        self.reads = check_share(reads, "diagonal: reads")
        if not ratio > 0:
            raise InputError(f"diagonal: a ratio of {ratio:g} target to source tokens: above 0")
        self._ratio = ratio

    def allocation(self, seen: Seen) -> Allocation:
        """As many positions as are to be kept, around the diagonal."""
        lengths = seen.mask.sum(-1)
        # Steps and positions are cells: the middle of the one is held against that of the other.
        middle = (seen.step + 0.5) / self._ratio - 0.5
        first = (middle - (seen.counts - 1) / 2).round().long()
        first = first.clamp(min=0).minimum(lengths - seen.counts)[:, None]
        columns = torch.arange(seen.mask.shape[1], device=seen.mask.device)
        return Allocation("gate", (columns >= first) & (columns < first + seen.counts[:, None]))


def length_ratio(
    host: Seq2SeqHost, pairs: Sequence[Pair], *, max_source: int = 64, max_target: int = 64
) -> float:
    """How many target tokens there are for a source token in some pairs, ends included.

    Args:
        host: Whose tokens are counted.
        pairs: Such as those to train on.
        max_source: Longer sources are cut, in tokens.
        max_target: Longer targets are cut, in tokens.
    """
    sources = host.tokenize([pair.source for pair in pairs], max_source).ids
    targets = host.tokenize_target([pair.target for pair in pairs], max_target).ids
    return sum(map(len, targets)) / sum(map(len, sources))
