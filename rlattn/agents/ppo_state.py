"""The state of a PPO and of its environment, between two rollouts."""

from __future__ import annotations

from collections import deque

import numpy as np
import torch
from stable_baselines3 import PPO

from rlattn.agents.ppo import PointerPolicy
from rlattn.agents.randomness import random_state, set_random_state
from rlattn.envs import AttentionVecEnv
from rlattn.storage.state import State, part, parts, take


def ppo_state(ppo: PPO) -> State:
    """All that a PPO's next steps depend on; between two rollouts, and once it has begun to learn.

    Args:
        ppo: What `make_ppo` gave, on a `AttentionVecEnv` without a wrapper.
    """
    return {
        "env_steps": ppo.num_timesteps,
        "updates": ppo._n_updates,
        "left": ppo._current_progress_remaining,
        "episode_starts": ppo._last_episode_starts,
        "episodes": list(ppo.ep_info_buffer or ()),
        "policy": ppo.policy.state_dict(),
        # The learning rate comes from the steps that are left.
        "optimiser": ppo.policy.optimizer.state_dict()["state"],
        "core": _env(ppo).core.state_dict(),
        "random": random_state(),
    }


def load_ppo_state(ppo: PPO, state: State) -> None:
    """Has a PPO go on where another of the same settings was.

    Args:
        ppo: What `make_ppo` gave; `PPO.learn` goes on with ``reset_num_timesteps=False``.
        state: As `ppo_state` gave it.

    Raises:
        InputError: If the state is not that of such a PPO.
    """
    env = _env(ppo)
    own = ppo.policy.state_dict()
    given = part(state, "policy")
    ppo.policy.load_state_dict({name: take(given, name, own[name]) for name in own})
    optimiser = ppo.policy.optimizer
    parameters = dict(enumerate(p for group in optimiser.param_groups for p in group["params"]))
    moments = {}
    for number, named in part(state, "optimiser").items():
        like = parameters[int(number)].detach()
        # Of a parameter there are moments of its shape, and a count of steps.
        moments[int(number)] = {
            name: take(named, name, like if tensor.ndim else torch.zeros(()))
            for name, tensor in named.items()
        }
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": moments, "param_groups": groups})
    env.core.load_state_dict(part(state, "core"))
    ppo._last_obs = env.observation()  # type: ignore[assignment]
    ppo._last_episode_starts = take(state, "episode_starts", np.zeros(env.num_envs, np.bool_))
    ppo.num_timesteps, ppo._n_updates = take(state, "env_steps", 0), take(state, "updates", 0)
    ppo._current_progress_remaining = take(state, "left", 0.0)
    ppo.ep_info_buffer = deque(parts(state, "episodes"), maxlen=ppo._stats_window_size)
    ppo.ep_success_buffer = deque(maxlen=ppo._stats_window_size)
    set_random_state(part(state, "random"))


def _env(ppo: PPO) -> AttentionVecEnv:
    env = ppo.get_env()
    assert isinstance(env, AttentionVecEnv)
    assert isinstance(ppo.policy, PointerPolicy)
    return env
