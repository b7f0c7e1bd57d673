"""The Gymnasium faces of the core: one environment, and a vector of them; both self-contained."""

from __future__ import annotations

from typing import Any, get_args

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from rlattn.envs.actions import as_tensor
from rlattn.envs.masks import action_masks
from rlattn.envs.rendering import RENDER_FPS, Renderer, RenderMode
from rlattn.envs.spaces import Observed, components, observation_space, observe, row
from rlattn.envs.tasks import make_any_core


class AttentionEnv(gymnasium.Env[Observed, np.ndarray]):
    """One sentence at a time: ``gymnasium.make("rlattn/Translate-v0", ...)``.

    The info of an episode's last step holds ``reads_fraction``, and the sum of every reward term as
    ``reward_NAME``. Return and length are left to Gymnasium's and Stable-Baselines3's wrappers.

    Args:
        render_mode: ``"ansi"`` shows the source, shaded by where the last step looked, and what was
            written or said so far; ``"rgb_array"`` is a picture of the alignment so far.
        **settings: See `rlattn.envs.make_core`; or, with ``kind="classification"``,
            `rlattn.envs.make_classification_core`.

    Raises:
        InputError: If there is no such render mode, or a setting cannot be used.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  (Gymnasium's own form)
        "render_modes": list(get_args(RenderMode)),
        "render_fps": RENDER_FPS,
    }

    def __init__(self, render_mode: str | None = None, **settings: Any) -> None:
        self.core = make_any_core(**settings, lanes=1)
        self.render_mode = render_mode
        self._renderer = None if render_mode is None else Renderer(self.core, render_mode)
        space = observation_space(self.core, handles=False)
        self.observation_space = space  # type: ignore[assignment]  # a Dict of arrays, untyped there
        self.action_space = self.core.family.space(self.core.max_source)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observed, dict[str, Any]]:
        """Starts on the next sentence; with a seed, on the first of a new order."""
        super().reset(seed=seed)
        # The core has moved on already when the last sentence came to its end.
        view = self.core.view() if seed is None and self.core.fresh else self.core.reset(seed)
        if self._renderer:
            self._renderer.restart()
        return row(observe(self.core, view, self.core.memory()), 0), {}

    def step(self, action: np.ndarray) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        """Takes one step: writes a token, or labels a text."""
        memory = self.core.memory()
        transition = (self._renderer or self.core).step(as_tensor(action)[None])
        view, memory = (
            (transition.view, self.core.memory())
            if transition.final_view is None
            else (transition.final_view, memory)
        )
        info = components(transition.summaries[0]) if transition.summaries else {}
        return (
            row(observe(self.core, view, memory), 0),
            float(transition.reward[0]),
            bool(transition.terminated[0]),
            bool(transition.truncated[0]),
            info,
        )

    def action_masks(self) -> np.ndarray:
        """Which choices name a position of the source, bool; see `rlattn.envs.masks`."""
        masks: np.ndarray = action_masks(self.core)[0]
        return masks

    def render(self) -> str | np.ndarray | None:
        """Where the sentence was read so far; None without a render mode."""
        return self._renderer.frame(0) if self._renderer else None


class AttentionVectorEnv(VectorEnv[Observed, np.ndarray, np.ndarray]):
    """All lanes of a core: ``gymnasium.make_vec("rlattn/Translate-v0", num_envs=64, ...)``.

    Lanes restart within the step; ``final_obs`` and ``final_info`` stand in the infos, the latter
    with what a single environment's info holds at the end.

    Args:
        num_envs: How many lanes.
        render_mode: As for a single environment; `render` gives a frame for each lane.
        **settings: See `rlattn.envs.make_core`; or, with ``kind="classification"``,
            `rlattn.envs.make_classification_core`.

    Raises:
        InputError: If there is no such render mode, or a setting cannot be used.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  (Gymnasium's own form)
        **AttentionEnv.metadata,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(self, num_envs: int = 1, render_mode: str | None = None, **settings: Any) -> None:
        self.core = make_any_core(**settings, lanes=num_envs)
        self.render_mode = render_mode
        self._renderer = None if render_mode is None else Renderer(self.core, render_mode)
        self.num_envs = num_envs
        self.single_observation_space = observation_space(self.core, handles=False)
        self.single_action_space = self.core.family.space(self.core.max_source)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observed, dict[str, Any]]:
        """Starts every lane on a new sentence; of a list of seeds the first one counts."""
        view = self.core.reset(seed[0] if isinstance(seed, list) else seed)
        if self._renderer:
            self._renderer.restart()
        return observe(self.core, view, self.core.memory()), {}

    def step(
        self, actions: np.ndarray
    ) -> tuple[Observed, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Takes one step in every lane."""
        before = self.core.memory()
        transition = (self._renderer or self.core).step(as_tensor(actions))
        infos: dict[str, Any] = {}
        if transition.final_view is not None:
            done = transition.terminated | transition.truncated
            lanes = np.flatnonzero(done)
            last = before[torch.from_numpy(lanes)]
            final = observe(self.core, transition.final_view, last)
            observations = np.full(self.num_envs, None, object)
            for index, lane in enumerate(lanes):
                observations[lane] = row(final, index)
            infos = {
                "final_obs": observations,
                "_final_obs": done,
                "final_info": _final_info(transition.summaries, lanes, done),
                "_final_info": done.copy(),
            }
        observation = observe(self.core, transition.view, self.core.memory())
        return (
            observation,
            transition.reward.astype(np.float64),
            transition.terminated,
            transition.truncated,
            infos,
        )

    def render(self) -> tuple[str | np.ndarray, ...] | None:
        """Where each lane's sentence was read so far; None without a render mode."""
        if self._renderer is None:
            return None
        return tuple(self._renderer.frame(lane) for lane in range(self.num_envs))


def _final_info(
    summaries: list[dict[str, float]], lanes: np.ndarray, done: np.ndarray
) -> dict[str, np.ndarray]:
    """Each component with the mask that Gymnasium puts beside it, ``[num_envs]``."""
    rows = [components(summary) for summary in summaries]
    infos: dict[str, np.ndarray] = {}
    for key in rows[0]:
        infos[key] = np.zeros(len(done))
        infos[key][lanes] = [one[key] for one in rows]
        infos[f"_{key}"] = done.copy()
    return infos
