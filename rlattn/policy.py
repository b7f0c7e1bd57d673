"""The attention policy: a small pointer network over source positions, and an action family."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rlattn.actions import MaskedDistribution, make_family
from rlattn.observation import Observation

_REACH = 5
"""How many positions to either side a position sees of where the last steps looked."""


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
    position, so that any source length goes, and padding changes nothing.

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

    def keys(self, memory: Tensor) -> Tensor:
        """What the network takes from a memory, the same at every step.

        Args:
            memory: As in `Observation`, ``[rows, d_model]``.

        Returns:
            ``[rows, width]``.
        """
        keys: Tensor = self.key(memory.float())
        return keys

    def forward(
        self, observation: Observation, keys: Tensor | None = None
    ) -> tuple[MaskedDistribution, Tensor]:
        """What the policy would do, and how good it thinks that is.

        Args:
            observation: ``[lanes, ...]``.
            keys: What `keys` made of the observation's memory, where it is known already.

        Returns:
            The distribution over actions ``[lanes, source]`` and the value, ``[lanes]``.
        """
        mask = observation.mask
        # From here on one row per valid position: most of a padded batch is padding.
        lane = mask.nonzero()[:, 0]
        key = self.keys(observation.memory) if keys is None else keys
        if observation.rows is not None:
            key = key.index_select(0, observation.rows)
        looked = observation.attention[mask][:, None]
        context = key.new_zeros(len(mask), key.shape[1]).index_add(0, lane, key * looked)
        query = self.query(
            torch.cat(
                [
                    self.hidden_norm(observation.state),
                    self.token_norm(observation.token),
                    context,
                ],
                dim=-1,
            )
        )
        shift, scale = (half.index_select(0, lane) for half in query.chunk(2, dim=-1))
        past = torch.cat([_around(observation.attention), _around(observation.coverage)], dim=-1)
        joint = self.joint(torch.addcmul(self.past(past[mask]) + shift, key, 1.0 + scale))
        scores = joint.new_zeros(*mask.shape, len(self.family.initial))
        scores[mask] = self.score(joint)
        nothing = joint.new_zeros(len(mask), joint.shape[1])
        mean = nothing.index_add(0, lane, joint) / mask.sum(-1, keepdim=True)
        there = nothing.index_add(0, lane, joint * looked)
        value = self.value(torch.cat([mean, there, F.relu(query[:, : joint.shape[1]])], dim=-1))
        family = self.family.on(observation.before)
        return family.distribution(scores, mask), value[:, 0]

    def act(
        self, observation: Observation, deterministic: bool = True, keys: Tensor | None = None
    ) -> Tensor:
        """One action per lane, ``[lanes, source]``; `keys` as for `forward`."""
        distribution: MaskedDistribution = self(observation, keys)[0]
        return distribution.mode() if deterministic else distribution.sample()


def _around(attention: Tensor) -> Tensor:
    """Each position's neighbourhood, ``[lanes, source, 2 * _REACH + 1]``."""
    return F.pad(attention, (_REACH, _REACH)).unfold(-1, 2 * _REACH + 1, 1)
