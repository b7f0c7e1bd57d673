"""The Stable-Baselines3 face of the core: observations carry handles instead of memories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvObs, VecEnvStepReturn

from rlattn.envs.core import TranslationCore, View
from rlattn.envs.spaces import observation_space, to_numpy


class TranslationVecEnv(VecEnv):
    """All lanes of a core as one vectorised environment.

    Lanes that finish restart within the step: ``terminal_observation``, ``TimeLimit.truncated``
    and ``episode`` (return ``r``, length ``l``, ``reads_fraction`` and every reward term by name)
    stand in their info.

    Args:
        core: The batched core.
    """

    def __init__(self, core: TranslationCore) -> None:
        self.core = core
        space = core.family.space(core.max_source)
        self.render_mode = None
        super().__init__(core.lanes, observation_space(core, handles=True), space)
        self._action: torch.Tensor | None = None

    def reset(self) -> VecEnvObs:
        """Starts every lane on a new sentence; `seed` before it begins a new order."""
        view = self.core.reset(self._seeds[0])
        self._reset_seeds()
        self._reset_options()
        return self._observation(view, self.core.memory_handles)

    def step_async(self, actions: np.ndarray) -> None:
        """Takes one action per lane, ``[lanes, ...]``."""
        self._action = torch.as_tensor(actions, dtype=torch.float32)

    def step_wait(self) -> VecEnvStepReturn:
        """Writes one token in every lane."""
        assert self._action is not None
        handles = self.core.memory_handles
        transition = self.core.step(self._action)
        done = transition.terminated | transition.truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if transition.final_view is not None:
            lanes = np.flatnonzero(done)
            final = self._observation(transition.final_view, handles[lanes])
            for row, (lane, summary) in enumerate(zip(lanes, transition.summaries, strict=True)):
                infos[lane] = {
                    "terminal_observation": {key: value[row] for key, value in final.items()},
                    "TimeLimit.truncated": bool(transition.truncated[lane]),
                    "episode": summary,
                }
        observation = self._observation(transition.view, self.core.memory_handles)
        return observation, transition.reward, done, infos

    def _observation(self, view: View, handles: np.ndarray) -> dict[str, np.ndarray]:
        seen = to_numpy(view)
        token = self.core.embedding.handles(seen["token"])
        return {**seen, "token": token, "episode": handles}

    def close(self) -> None:
        """Nothing is held that needs closing."""

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """An attribute of the environment, once for each lane."""
        return [getattr(self, attr_name)] * len(self._lanes(indices))

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Sets an attribute of the environment, which all lanes share."""
        setattr(self, attr_name, value)

    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: VecEnvIndices = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        """Calls a method of the environment once, and gives its result for each lane."""
        result = getattr(self, method_name)(*method_args, **method_kwargs)
        return [result] * len(self._lanes(indices))

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper], indices: VecEnvIndices = None
    ) -> list[bool]:
        """False for every lane, but for the Monitor, whose bookkeeping is built in."""
        from stable_baselines3.common.monitor import Monitor

        return [issubclass(wrapper_class, Monitor)] * len(self._lanes(indices))

    def get_images(self) -> Sequence[np.ndarray | None]:
        """Nothing to show yet."""
        return [None] * self.num_envs

    def _lanes(self, indices: VecEnvIndices) -> list[int]:
        return list(self._get_indices(indices))
