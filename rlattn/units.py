"""What the policy network scores: the valid positions of the sources, or segments of them."""

from __future__ import annotations

from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from rlattn.actions.segments import Segments
from rlattn.observation import Observation

REACH = 5
"""How many units to either side a unit sees of where the last steps looked."""


class Units(NamedTuple):
    """What there is to score, one row each, lane after lane: most of a padded batch is padding.

    Attributes:
        mask: True where there is one, ``[lanes, most]``.
        lane: Whose each is, int64, ``[units]``.
        past: Where the last steps looked, around each, ``[units, 2 * (2 * REACH + 1)]``.
        attention: How much the last step looked at each, ``[units, 1]``.
        segment: The segment of each position, int64, ``[lanes, source]``; None where the units are
            positions.
    """

    mask: Tensor
    lane: Tensor
    past: Tensor
    attention: Tensor
    segment: Tensor | None

    @classmethod
    def of(cls, observation: Observation, segments: Segments | None) -> Self:
        """The units of an observation: segments where there are any, of which each is the sum."""
        mask, attention, coverage = observation.mask, observation.attention, observation.coverage
        segment = None
        if segments is not None:
            segment = segments.on(observation.source).index(mask).masked_fill(~mask, 0)
            nothing = attention.new_zeros(len(mask), int(segment.max()) + 1)
            mask, attention, coverage = (
                nothing.scatter_add(1, segment, numbers.masked_fill(~observation.mask, 0.0))
                for numbers in (mask.to(attention), attention, coverage)
            )
            mask = mask > 0
        past = torch.cat([_around(attention), _around(coverage)], dim=-1)[mask]
        return cls(mask, mask.nonzero()[:, 0], past, attention[mask][:, None], segment)

    def means(self, observation: Observation) -> tuple[Tensor, Tensor | None]:
        """What segments hold, their positions normed one by one (Ba et al., 2016) and averaged.

        Returns:
            A row for each segment of each source, ``[segments, d_model]``; and which of them each
            unit is, or None where they are the units in their order.
        """
        assert self.segment is not None, "positions are what they are"
        mask, segment, present, memory = (
            observation.mask,
            self.segment,
            self.mask,
            observation.memory,
        )
        places = None
        if observation.rows is not None:
            # Each source once: in a batch of steps many lanes are of one.
            lanes, source = _sources(mask, observation.rows)
            memory = memory.index_select(0, observation.rows[_places(mask, lanes)])
            mask, segment, present = mask[lanes], segment[lanes], present[lanes]
            places = _places(present, source)
        level = F.layer_norm(memory.float(), memory.shape[-1:])
        first = torch.arange(len(mask), device=mask.device)[:, None] * present.shape[1]
        owner, there = (first + segment)[mask], present.flatten()
        total = level.new_zeros(len(there), level.shape[1]).index_add(0, owner, level)
        count = torch.bincount(owner, minlength=len(there))
        return total[there] / count[there, None], places

    def at_positions(self, rows: Tensor) -> Tensor:
        """Numbers of the units ``[units, n]`` where they belong, ``[lanes, source, n]``."""
        placed = rows.new_zeros(*self.mask.shape, rows.shape[1])
        placed[self.mask] = rows
        if self.segment is None:
            return placed
        return placed.gather(1, self.segment[..., None].expand(-1, -1, rows.shape[1]))


def _sources(mask: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Which lanes have the same source: those whose rows begin and end alike.

    Returns:
        A lane of each source, ``[sources]``, and the source of each lane, ``[lanes]``.
    """
    ends = mask.sum(-1).cumsum(0)
    span = torch.stack([rows[ends - mask.sum(-1)], rows[ends - 1], mask.sum(-1)], dim=-1)
    found, source = torch.unique(span, dim=0, return_inverse=True)
    lanes = torch.full((len(found),), len(mask), device=mask.device)
    lanes.scatter_reduce_(0, source, torch.arange(len(mask), device=mask.device), "amin")
    return lanes, source


def _places(mask: Tensor, lanes: Tensor) -> Tensor:
    """Where what some lanes have stands among what all have, lane after lane, int64."""
    lengths, chosen = mask.sum(-1), mask[lanes]
    before = (lengths.cumsum(0) - lengths)[lanes]
    return (before[:, None] + chosen.cumsum(-1) - 1)[chosen]


def _around(attention: Tensor) -> Tensor:
    """Each position's neighbourhood, ``[lanes, source, 2 * REACH + 1]``."""
    return F.pad(attention, (REACH, REACH)).unfold(-1, 2 * REACH + 1, 1)
