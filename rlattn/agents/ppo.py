"""The policy class that lets an unmodified Stable-Baselines3 PPO train an attention policy."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium import spaces
from stable_baselines3.common.distributions import Distribution
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import CombinedExtractor
from stable_baselines3.common.type_aliases import PyTorchObs, Schedule
from torch import Tensor

from rlattn.actions import MaskedDistribution
from rlattn.actions.checks import check_in_space
from rlattn.envs.store import Rows
from rlattn.errors import InputError
from rlattn.observation import Observation
from rlattn.policy import AttentionPolicy, PolicyConfig


def to_observation(obs: PyTorchObs) -> Observation:
    """An observation of either face as the policy network takes it.

    Positions beyond the longest source of the batch are left out.

    Args:
        obs: A dictionary of tensors with a leading batch dimension.

    Raises:
        InputError: If handles are no whole numbers any more.
    """
    assert isinstance(obs, dict)
    mask = obs["mask"].bool()
    # At least one position, for observations that are sampled from the space rather than seen.
    mask[:, 0] |= ~mask.any(-1)
    width = int(mask.any(0).nonzero().max()) + 1
    mask = mask[:, :width]
    if "memory" in obs:
        memory = obs["memory"].reshape(len(mask), obs["mask"].shape[1], -1)[:, :width][mask]
        rows, token = None, obs["token"]
    else:
        if any(obs[name].is_floating_point() for name in ("episode", "token")):
            raise InputError(
                "the handles in the observations are not whole numbers: a wrapper changed them; of "
                "VecNormalize use norm_obs=False, or norm_obs_keys without 'episode' and 'token'"
            )
        # A batch comes from one environment, and so from one store.
        store, first = obs["episode"].unbind(-1)
        names, rows = _needed(first, mask)
        memory = Rows.find(int(store[0])).gather(names)
        store, name = obs["token"].unbind(-1)
        token = Rows.find(int(store[0])).gather(name)
    return Observation(
        memory=memory,
        mask=mask,
        state=obs["state"].float(),
        token=token,
        attention=obs["attention"][:, :width].float(),
        coverage=obs["coverage"][:, :width].float(),
        source=obs["source"][:, :width].long() if "source" in obs else None,
        rows=rows,
    )


def _needed(first: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """The rows of memory that observations need, each once: many are of the same episode.

    Args:
        first: The name of each observation's first row, ``[batch]``.
        mask: True at real source tokens, ``[batch, source]``.

    Returns:
        The names of the rows, and which of them each real source token is, lane after lane.
    """
    episodes, episode = torch.unique(first, return_inverse=True)
    lengths = torch.zeros_like(episodes).scatter_(0, episode, mask.sum(-1))
    offsets = torch.arange(mask.shape[1], device=mask.device)
    names = (episodes[:, None] + offsets)[offsets < lengths[:, None]]
    before = lengths.cumsum(0) - lengths
    return names, (before[episode][:, None] + offsets)[mask]


def _d_model(space: spaces.Dict) -> int:
    """Width of the memory that observations carry."""
    if "memory" not in space.spaces:
        raise InputError("observations carry handles: give the policy the host's d_model")
    memory, mask = space["memory"].shape, space["mask"].shape
    assert memory is not None
    assert mask is not None
    return memory[0] // mask[0]


class PointerPolicy(ActorCriticPolicy):
    """An attention policy as Stable-Baselines3 wants it: ``PPO(PointerPolicy, env, ...)``.

    Args:
        observation_space: As an rlattn environment declares it.
        action_space: Likewise.
        lr_schedule: Learning rate over the course of training.
        action: The name of the action family.
        d_model: Width of the host's memory; None takes it from observations that carry the memory.
        width: Hidden units of the network.
        **kwargs: What `ActorCriticPolicy` takes.

    Raises:
        InputError: If observations carry handles and `d_model` is not given.
    """

    def __init__(
        self,
        observation_space: spaces.Dict,
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        *,
        action: str,
        d_model: int | None = None,
        width: int = 64,
        **kwargs: Any,
    ) -> None:
        d_model = _d_model(observation_space) if d_model is None else d_model
        state = observation_space["state"].shape
        assert state is not None
        self._config = PolicyConfig(action, d_model, state[0], width)
        kwargs.setdefault("features_extractor_class", CombinedExtractor)
        super().__init__(observation_space, action_space, lr_schedule, **kwargs)

    def _build(self, lr_schedule: Schedule) -> None:
        self.attention = AttentionPolicy(self._config)
        self._checked = False
        self.optimizer = self.optimizer_class(
            self.attention.parameters(),
            lr=lr_schedule(1),  # type: ignore[call-arg]
            **self.optimizer_kwargs,
        )

    def forward(
        self, obs: PyTorchObs, deterministic: bool = False
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Actions ``[batch, ...]``, values ``[batch, 1]``, log-probabilities ``[batch]``."""
        distribution, value = self.attention(to_observation(obs))
        action = distribution.mode() if deterministic else distribution.sample()
        return self._of_space(action, obs), value[:, None], distribution.log_prob(action)

    def evaluate_actions(
        self, obs: PyTorchObs, actions: Tensor
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Values ``[batch, 1]``, log-probabilities and entropies ``[batch]`` of actions taken."""
        observation = to_observation(obs)
        distribution, value = self.attention(observation)
        actions = self.attention.family.narrow(actions, observation.mask.shape[1])
        return value[:, None], distribution.log_prob(actions), distribution.entropy()

    def predict_values(self, obs: PyTorchObs) -> Tensor:
        """Values, ``[batch, 1]``."""
        value: Tensor = self.attention(to_observation(obs))[1]
        return value[:, None]

    def get_distribution(self, obs: PyTorchObs) -> Distribution:
        """Not offered: a masked distribution has another interface; see `masked_distribution`."""
        raise NotImplementedError("use PointerPolicy.masked_distribution(obs)")

    def masked_distribution(self, obs: PyTorchObs) -> MaskedDistribution:
        """The distribution over actions on the positions up to the batch's longest source."""
        distribution: MaskedDistribution = self.attention(to_observation(obs))[0]
        return distribution

    def _predict(self, observation: PyTorchObs, deterministic: bool = False) -> Tensor:
        return self._of_space(
            self.attention.act(to_observation(observation), deterministic), observation
        )

    def _of_space(self, action: Tensor, obs: PyTorchObs) -> Tensor:
        """Actions as the action space has them; those of the first call are looked at."""
        assert isinstance(obs, dict)
        space = self.action_space
        assert space.shape is not None
        family = self.attention.family
        if not self._checked:
            # On no more positions than the sources at hand have.
            used = obs["mask"].bool().any(0).nonzero()
            width = int(used.max()) + 1 if len(used) else 1
            check_in_space(family.spec, family.space(width), action)
            self._checked = True
        action = family.widen(action, obs["mask"].shape[1])
        if isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
            action = action.long()
        return action.reshape(-1, *space.shape)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        config = self._config
        return {
            **super()._get_constructor_parameters(),
            "action": config.action,
            "d_model": config.d_model,
            "width": config.width,
        }
