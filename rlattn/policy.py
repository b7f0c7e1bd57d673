"""The attention policy: a small pointer network over source positions, and an action family."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rlattn.actions import MaskedDistribution, make_family
from rlattn.observation import Observation


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
    width: int = 96


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
            nn.Linear(2 * config.d_state, 2 * width), nn.ReLU(), nn.Linear(2 * width, 2 * width)
        )
        # Where the last steps looked, seen within five positions to either side.
        self.past = nn.Conv1d(2, width, kernel_size=11, padding=5)
        self.joint = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.score = nn.Linear(width, outputs)
        self.value = nn.Sequential(nn.Linear(3 * width, width), nn.ReLU(), nn.Linear(width, 1))
        with torch.no_grad():
            self.score.weight.mul_(0.1)
            self.score.bias.copy_(torch.tensor(self.family.initial))

    def forward(self, observation: Observation) -> tuple[MaskedDistribution, Tensor]:
        """What the policy would do, and how good it thinks that is.

        Args:
            observation: ``[lanes, ...]``.

        Returns:
            The distribution over actions ``[lanes, source]`` and the value, ``[lanes]``.
        """
        mask = observation.mask
        hidden, token = observation.state.chunk(2, dim=-1)
        query = self.query(torch.cat([self.hidden_norm(hidden), self.token_norm(token)], dim=-1))
        shift, scale = query[:, None].chunk(2, dim=-1)
        key = self.key(observation.memory.float())
        past = torch.stack([observation.attention, observation.coverage], dim=1)
        position = key * (1.0 + scale) + shift + self.past(past).transpose(1, 2)
        joint = self.joint(position)
        share = mask / mask.sum(-1, keepdim=True)
        pooled = torch.einsum("bs,bsw->bw", share, joint)
        looked = torch.einsum("bs,bsw->bw", observation.attention, joint)
        value = self.value(torch.cat([pooled, looked, F.relu(shift[:, 0])], dim=-1))
        return self.family.distribution(self.score(joint), mask), value[:, 0]

    def act(self, observation: Observation, deterministic: bool = True) -> Tensor:
        """One action per lane, ``[lanes, source]``."""
        distribution, _ = self(observation)
        return distribution.mode() if deterministic else distribution.sample()
