"""The attention policy: a small pointer network over source positions, and an action family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rlattn.actions import MaskedDistribution, make_family
from rlattn.checks import check_whole
from rlattn.observation import Observation
from rlattn.units import REACH, Units

WIDEST = 2**16
"""No host is as wide; a larger number is a mistake, and must not be built."""

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
    width: int = 64


class Keys(NamedTuple):
    """What a policy takes from the memories, the same at all steps of an episode.

    Attributes:
        units: What there is to score.
        rows: What the network sees in each, ``[units, width]``.
    """

    units: Units
    rows: Tensor

    def on(self, lanes: Tensor) -> Keys:
        """Those of some lanes alone; `lanes` is True at these, ``[lanes]``."""
        return Keys(self.units.on(lanes), self.rows[lanes[self.units.lane]])


class AttentionPolicy(nn.Module):
    """Scores every source position from what it holds, where the decoder is, and where it looked.

    The network follows pointer networks (Vinyals et al., 2015): the same weights serve every
    position, so that any source length goes, and padding changes nothing. Where positions share a
    decision, by blocks or sentences, it looks at these as wholes: at the mean of what they hold
    and the sum of what was looked at, which costs as much less as they are longer.

    Args:
        config: How to build it.

    Raises:
        InputError: If there is no such action family, or a width cannot be one.
    """

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        for name in ("d_model", "d_state", "width"):
            check_whole(name, getattr(config, name), most=WIDEST)
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
        self.past = nn.Linear(2 * (2 * REACH + 1), width)
        self.joint = nn.Sequential(
            nn.LayerNorm(width),
            nn.ReLU(inplace=True),
            nn.Linear(width, width),
            nn.ReLU(inplace=True),
        )
        self.score = nn.Linear(width, outputs)
        self.value = nn.Sequential(nn.Linear(3 * width, width), nn.ReLU(), nn.Linear(width, 1))
        with torch.no_grad():
            self.score.weight.mul_(0.1)
            self.score.bias.copy_(torch.tensor(self.family.initial))

    def keys(self, observation: Observation) -> Keys:
        """What the network takes from the memories, the same at all steps of an episode.

        Args:
            observation: ``[lanes, ...]``.
        """
        units = Units.of(observation, self.family.segments)
        if units.segment is None:
            places = observation.rows
            rows: Tensor = self.key(observation.memory.float())
        else:
            # The mean comes before all that is learned: no gradient goes through positions.
            mean, places = units.means(observation)
            norm, project = self.key
            assert isinstance(norm, nn.LayerNorm)
            rows = project(mean * norm.weight + norm.bias)
        return Keys(units, rows if places is None else rows.index_select(0, places))

    def forward(
        self, observation: Observation, keys: Keys | None = None
    ) -> tuple[MaskedDistribution, Tensor]:
        """What the policy would do, and how good it thinks that is.

        Args:
            observation: ``[lanes, ...]``.
            keys: What `keys` gives, where it is known from an earlier step of the same episodes.

        Returns:
            The distribution over actions ``[lanes, source]`` and the value, ``[lanes]``.
        """
        keys = self.keys(observation) if keys is None else keys
        units, lane = keys.units, keys.units.lane
        past, attention = units.seen(observation)
        query = self._query(observation, keys, attention)
        joint = self._joint(query, past, keys.rows, lane)
        scores = self.score(joint)
        nothing = joint.new_zeros(len(query), joint.shape[1])
        mean = nothing.index_add(0, lane, joint) / units.mask.sum(-1, keepdim=True)
        there = nothing.index_add(0, lane, joint * attention)
        value = self.value(torch.cat([mean, there, F.relu(query[:, : joint.shape[1]])], dim=-1))
        return self._distribution(observation, units, scores), value[:, 0]

    @torch.no_grad()
    def act(
        self, observation: Observation, deterministic: bool = True, keys: Keys | None = None
    ) -> Tensor:
        """One action per lane.

        Args:
            observation: ``[lanes, ...]``.
            deterministic: Whether to take the mode rather than to sample.
            keys: What `keys` gives, where it is known from an earlier step of the same episodes.

        Returns:
            ``[lanes, size]``.
        """
        keys = self.keys(observation) if keys is None else keys
        past, attention = keys.units.seen(observation)
        query = self._query(observation, keys, attention)
        # A part at a time, so that what is passed on stays in the caches of the processor.
        whole = past, keys.rows, keys.units.lane
        parts = zip(*(torch.split(rows, _PART) for rows in whole), strict=True)
        scores = torch.cat([self.score(self._joint(query, *part)) for part in parts])
        distribution = self._distribution(observation, keys.units, scores)
        return distribution.mode() if deterministic else distribution.sample()

    def _query(self, observation: Observation, keys: Keys, attention: Tensor) -> Tensor:
        """Where the lanes are, as shift and scale of what is there to score."""
        # Gates leave most units without attention.
        there = attention[:, 0].nonzero()[:, 0]
        lane, looked = keys.units.lane[there], keys.rows[there] * attention[there]
        context = looked.new_zeros(len(keys.units.mask), looked.shape[1]).index_add(0, lane, looked)
        seen = (self.hidden_norm(observation.state), self.token_norm(observation.token), context)
        query: Tensor = self.query(torch.cat(seen, dim=-1))
        return query

    def _joint(self, query: Tensor, past: Tensor, key: Tensor, lane: Tensor) -> Tensor:
        shift, scale = query.chunk(2, dim=-1)
        # What is the same for all units of a lane is added up before it is spread over them.
        shift = (shift + self.past.bias).index_select(0, lane)
        placed = torch.addmm(shift, past, self.past.weight.t())
        joint: Tensor = self.joint(placed.addcmul_(key, (1.0 + scale).index_select(0, lane)))
        return joint

    def _distribution(
        self, observation: Observation, units: Units, rows: Tensor
    ) -> MaskedDistribution:
        scores = units.at_positions(rows)
        return self.family.on(observation.before).distribution(scores, observation.mask)
