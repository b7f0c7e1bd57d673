"""The Stable-Baselines3 face of the core; observations can carry handles instead of memories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvObs, VecEnvStepReturn

from rlattn.envs.actions import as_tensor
from rlattn.envs.base import Core
from rlattn.envs.masks import action_masks
from rlattn.envs.rendering import RENDER_FPS, Renderer
from rlattn.envs.spaces import components, observation_space, observe, row
from rlattn.errors import InputError

_FOR_EACH_LANE = frozenset({"action_masks"})
"""Methods whose result has a row for each lane; of others every lane gets the whole result."""


class AttentionVecEnv(VecEnv):
    """All lanes of a core as one vectorised environment.

    Lanes that finish restart within the step. Their info holds ``terminal_observation``,
    ``TimeLimit.truncated``, ``reads_fraction`` and the sum of every reward term as ``reward_NAME``;
    and ``episode``, with these and with return ``r`` and length ``l``, as a `Monitor` would put it.

    Args:
        core: The batched core.
        handles: Whether memories and embeddings stay in the core and observations only say where,
            as our own policy reads them; other policies need False.
        render_mode: ``"rgb_array"`` for pictures of each lane's alignment so far, or None.

    Raises:
        InputError: If there is no such render mode.
    """

    def __init__(self, core: Core, *, handles: bool = True, render_mode: str | None = None) -> None:
        if render_mode not in (None, "rgb_array"):
            raise InputError(f"unknown render mode {render_mode!r}: expected rgb_array or none")
        self.core = core
        space = core.family.space(core.max_source)
        self.render_mode = render_mode
        super().__init__(core.lanes, observation_space(core, handles=handles), space)
        self.metadata: dict[str, Any] = {**self.metadata, "render_fps": RENDER_FPS}
        self._handles = handles
        self._renderer = None if render_mode is None else Renderer(core, render_mode)
        self._action: torch.Tensor | None = None

    def reset(self) -> VecEnvObs:
        """Starts every lane on a new sentence; `seed` before it begins a new order."""
        view = self.core.reset(self._seeds[0])
        self._reset_seeds()
        self._reset_options()
        if self._renderer:
            self._renderer.restart()
        return observe(self.core, view, self._memory())

    def observation(self) -> VecEnvObs:
        """What each lane sees now."""
        return observe(self.core, self.core.view(), self._memory())

    def step_async(self, actions: np.ndarray) -> None:
        """Takes one action per lane, ``[lanes, ...]``."""
        self._action = as_tensor(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Takes one step in every lane."""
        assert self._action is not None
        before = self._memory()
        transition = (self._renderer or self.core).step(self._action)
        done = transition.terminated | transition.truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if transition.final_view is not None:
            lanes = np.flatnonzero(done)
            final = observe(self.core, transition.final_view, before[lanes])
            for index, (lane, summary) in enumerate(zip(lanes, transition.summaries, strict=True)):
                infos[lane] = {
                    "terminal_observation": row(final, index),
                    "TimeLimit.truncated": bool(transition.truncated[lane]),
                    "episode": summary,
                    **components(summary),
                }
        observation = observe(self.core, transition.view, self._memory())
        return observation, transition.reward, done, infos

    def action_masks(self) -> np.ndarray:
        """Which choices name a position of the source, bool; see `rlattn.envs.masks`."""
        return action_masks(self.core)

    def _memory(self) -> np.ndarray | torch.Tensor:
        """Each lane's memory, or where it begins."""
        return self.core.memory_handles if self._handles else self.core.memory()

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
        """Calls a method of the environment once, and gives what it says of each lane."""
        result = getattr(self, method_name)(*method_args, **method_kwargs)
        if method_name in _FOR_EACH_LANE:
            return [result[lane] for lane in self._lanes(indices)]
        return [result] * len(self._lanes(indices))

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper], indices: VecEnvIndices = None
    ) -> list[bool]:
        """False for every lane, but for the Monitor, whose bookkeeping is built in."""
        from stable_baselines3.common.monitor import Monitor

        return [issubclass(wrapper_class, Monitor)] * len(self._lanes(indices))

    def get_images(self) -> Sequence[np.ndarray | None]:
        """A picture of each lane's alignment so far; None for each without a render mode."""
        if self._renderer is None:
            return [None] * self.num_envs
        frames = (self._renderer.frame(lane) for lane in range(self.num_envs))
        return [np.asarray(frame) for frame in frames]

    def _lanes(self, indices: VecEnvIndices) -> list[int]:
        return list(self._get_indices(indices))
