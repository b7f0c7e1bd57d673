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

    The units of an episode are the same at all its steps.

    Attributes:
        mask: True where there is one, ``[lanes, most]``.
        place: Where each is among all places of the mask, int64, ``[units]``.
        segment: The segment of each position, int64, ``[lanes, source]``; None where the units are
            positions.
    """

    mask: Tensor
    place: Tensor
    segment: Tensor | None

    @classmethod
    def of(cls, observation: Observation, segments: Segments | None) -> Self:
        """The units of an observation: its positions, or segments where there are any."""
        mask = observation.mask
        if segments is None:
            return cls._at(mask, None)
        segment = segments.on(observation.source).index(mask).masked_fill(~mask, 0)
        there = mask.new_zeros(len(mask), int(segment.max()) + 1)
        return cls._at(there.scatter(1, segment, True), segment)

    @classmethod
    def _at(cls, mask: Tensor, segment: Tensor | None) -> Self:
        return cls(mask, mask.flatten().nonzero()[:, 0], segment)

    @property
    def lane(self) -> Tensor:
        """Whose each is, int64, ``[units]``."""
        return self.place // self.mask.shape[1]

    def on(self, lanes: Tensor) -> Self:
        """Those of some lanes alone; `lanes` is True at these, ``[lanes]``."""
        return self._at(
            self.mask[lanes], self.segment if self.segment is None else self.segment[lanes]
        )

    def seen(self, observation: Observation) -> tuple[Tensor, Tensor]:
        """Where the last steps looked; at a segment, as often as at all its positions.

        Returns:
            The last step's attention and all steps' coverage, of each unit and its neighbours,
            ``[units, 2 * (2 * REACH + 1)]``; and the attention of each alone, ``[units, 1]``.
        """
        looks = torch.stack([observation.attention, observation.coverage], dim=1)
        if self.segment is not None:
            looks = looks.masked_fill(~observation.mask[:, None], 0.0)
            nothing = looks.new_zeros(*looks.shape[:2], self.mask.shape[1])
            looks = nothing.scatter_add(2, self.segment[:, None].expand_as(looks), looks)
        around = F.pad(looks, (REACH, REACH)).unfold(-1, 2 * REACH + 1, 1)
        around = around.transpose(1, 2).flatten(2).flatten(0, 1)
        return around[self.place], looks[:, 0].flatten()[self.place, None]

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
        nothing = rows.new_zeros(self.mask.numel(), rows.shape[1])
        placed = nothing.index_copy(0, self.place, rows).view(*self.mask.shape, -1)
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
