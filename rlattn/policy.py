"""The attention policy: a small pointer network over source positions, and an action family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rlattn.actions import MaskedDistribution, make_family
from rlattn.observation import Observation

_REACH = 5
"""How many positions to either side a position sees of where the last steps looked."""

_PART = 4096
"""How many rows are scored at once where no gradient is asked for."""


@dataclass(frozen=True)
class PolicyConfig:
    """What is needed to build a policy's network anew.

    Attributes:
        action: The name of the action family.
        d_model: Width of the host's memory.
        d_state: Width of the host's decoder state.
        width: Hidden units of the network.
    """

    action: str
    d_model: int
    d_state: int
    width: int = 128


class AttentionPolicy(nn.Module):
    """Scores every source position from what it holds, where the decoder is, and where it looked.

    The network follows pointer networks (Vinyals et al., 2015): the same weights serve every
    position, so that any source length goes, and padding changes nothing. Where positions share a
    decision, by blocks or sentences, it looks at these as wholes: at the mean of what they hold
    and the sum of what was looked at, which costs as much less as they are longer.

    Args:
        config: How to build it.

    Raises:
        InputError: If there is no such action family.
    """

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        self.config = config
        self.family = make_family(config.action)
        width, outputs = config.width, len(self.family.initial)
        self.key = nn.Sequential(nn.LayerNorm(config.d_model), nn.Linear(config.d_model, width))
        self.hidden_norm = nn.LayerNorm(config.d_state)
        self.token_norm = nn.LayerNorm(config.d_state)
        self.query = nn.Sequential(
            nn.Linear(2 * config.d_state + width, 2 * width),
            nn.ReLU(),
            nn.Linear(2 * width, 2 * width),
        )
        self.past = nn.Linear(2 * (2 * _REACH + 1), width)
        self.joint = nn.Sequential(
            nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )
        self.score = nn.Linear(width, outputs)
        self.value = nn.Sequential(nn.Linear(3 * width, width), nn.ReLU(), nn.Linear(width, 1))
        with torch.no_grad():
            self.score.weight.mul_(0.1)
            self.score.bias.copy_(torch.tensor(self.family.initial))

    def keys(self, observation: Observation) -> Tensor:
        """What the network takes from the memories, the same at all steps of an episode.

        Args:
            observation: ``[lanes, ...]``.

        Returns:
            A row for each valid position, or for each segment of positions that share a decision,
            lane after lane, ``[units, width]``.
        """
        units = self._units(observation)
        if units.segment is not None:
            return self._segment_keys(observation, units.segment, units.mask)
        keys: Tensor = self.key(observation.memory.float())
        return keys if observation.rows is None else keys.index_select(0, observation.rows)

    def forward(self, observation: Observation) -> tuple[MaskedDistribution, Tensor]:
        """What the policy would do, and how good it thinks that is.

        Args:
            observation: ``[lanes, ...]``.

        Returns:
            The distribution over actions ``[lanes, source]`` and the value, ``[lanes]``.
        """
        units, key = self._units(observation), self.keys(observation)
        query = self._query(observation, units, key)
        joint = self._joint(query, units.past, key, units.lane)
        scores = self.score(joint)
        nothing = joint.new_zeros(len(query), joint.shape[1])
        mean = nothing.index_add(0, units.lane, joint) / units.mask.sum(-1, keepdim=True)
        there = nothing.index_add(0, units.lane, joint * units.attention)
        value = self.value(torch.cat([mean, there, F.relu(query[:, : joint.shape[1]])], dim=-1))
        return self._distribution(observation, units, scores), value[:, 0]

    @torch.no_grad()
    def act(
        self, observation: Observation, deterministic: bool = True, keys: Tensor | None = None
    ) -> Tensor:
        """One action per lane.

        Args:
            observation: ``[lanes, ...]``.
            deterministic: Whether to take the mode rather than to sample.
            keys: What `keys` gives, where it is known from an earlier step of the same episodes.

        Returns:
            ``[lanes, size]``.
        """
        units = self._units(observation)
        keys = self.keys(observation) if keys is None else keys
        query = self._query(observation, units, keys)
        # A part at a time, so that what is passed on stays in the caches of the processor.
        parts = zip(*(torch.split(t, _PART) for t in (units.past, keys, units.lane)), strict=True)
        scores = torch.cat([self.score(self._joint(query, *part)) for part in parts])
        distribution = self._distribution(observation, units, scores)
        return distribution.mode() if deterministic else distribution.sample()

    def _units(self, observation: Observation) -> _Units:
        """What there is to score: positions, or segments of them."""
        mask, attention, coverage = observation.mask, observation.attention, observation.coverage
        segment = None
        if self.family.segments is not None:
            segment = self.family.segments.on(observation.source).index(mask)
            segment = segment.masked_fill(~mask, 0)
            nothing = attention.new_zeros(len(mask), int(segment.max()) + 1)
            mask, attention, coverage = (
                nothing.scatter_add(1, segment, t.masked_fill(~observation.mask, 0.0))
                for t in (mask.to(attention), attention, coverage)
            )
            mask = mask > 0
        past = torch.cat([_around(attention), _around(coverage)], dim=-1)[mask]
        # From here on one row per unit: most of a padded batch is padding.
        return _Units(mask, mask.nonzero()[:, 0], past, attention[mask][:, None], segment)

    def _segment_keys(self, observation: Observation, segment: Tensor, units: Tensor) -> Tensor:
        """Keys of segments: of the mean of what their positions hold."""
        norm, project = self.key
        assert isinstance(norm, nn.LayerNorm)
        mask, memory, places = observation.mask, observation.memory, None
        if observation.rows is not None:
            # Each source once: in a batch of steps many lanes are of one.
            lanes, source = _sources(mask, observation.rows)
            memory = memory.index_select(0, observation.rows[_places(mask, lanes)])
            mask, segment, units = mask[lanes], segment[lanes], units[lanes]
            places = _places(units, source)
        # The mean comes before all that is learned, so that no gradient goes through positions.
        level = F.layer_norm(memory.float(), norm.normalized_shape, eps=norm.eps)
        first = torch.arange(len(mask), device=mask.device)[:, None] * units.shape[1]
        owner, present = (first + segment)[mask], units.flatten()
        total = level.new_zeros(len(present), level.shape[1]).index_add(0, owner, level)
        count = torch.bincount(owner, minlength=len(present))
        mean = total[present] / count[present, None]
        keys: Tensor = project(mean * norm.weight + norm.bias)
        return keys if places is None else keys.index_select(0, places)

    def _query(self, observation: Observation, units: _Units, key: Tensor) -> Tensor:
        """Where the lanes are, as shift and scale of what is there to score."""
        nothing = key.new_zeros(len(units.mask), key.shape[1])
        context = nothing.index_add(0, units.lane, key * units.attention)
        seen = (self.hidden_norm(observation.state), self.token_norm(observation.token), context)
        query: Tensor = self.query(torch.cat(seen, dim=-1))
        return query

    def _joint(self, query: Tensor, past: Tensor, key: Tensor, lane: Tensor) -> Tensor:
        shift, scale = (half.index_select(0, lane) for half in query.chunk(2, dim=-1))
        joint: Tensor = self.joint(torch.addcmul(self.past(past) + shift, key, 1.0 + scale))
        return joint

    def _distribution(
        self, observation: Observation, units: _Units, rows: Tensor
    ) -> MaskedDistribution:
        scores = rows.new_zeros(*units.mask.shape, rows.shape[1])
        scores[units.mask] = rows
        if units.segment is not None:
            scores = scores.gather(1, units.segment[..., None].expand(-1, -1, rows.shape[1]))
        return self.family.on(observation.before).distribution(scores, observation.mask)


class _Units(NamedTuple):
    """What the network scores: the valid positions, or segments of them.

    Attributes:
        mask: True where there is one, ``[lanes, most]``.
        lane: Whose each is, lane after lane, int64, ``[units]``.
        past: Where the last steps looked, around each, ``[units, 2 * (2 * _REACH + 1)]``.
        attention: How much the last step looked at each, ``[units, 1]``.
        segment: The segment of each position, int64, ``[lanes, source]``; None for positions.
    """

    mask: Tensor
    lane: Tensor
    past: Tensor
    attention: Tensor
    segment: Tensor | None


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
    """Each position's neighbourhood, ``[lanes, source, 2 * _REACH + 1]``."""
    return F.pad(attention, (_REACH, _REACH)).unfold(-1, 2 * _REACH + 1, 1)
