"""The Gymnasium faces of the core: one environment, and a vector of them; both self-contained."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from rlattn.envs.core import TranslationCore
from rlattn.envs.spaces import observation_space, to_numpy
from rlattn.envs.tasks import make_core

Observed = dict[str, np.ndarray]


class TranslationEnv(gymnasium.Env[Observed, np.ndarray]):
    """One sentence at a time: ``gymnasium.make("rlattn/Translate-v0", ...)``.

    The info of an episode's last step holds ``episode``: return ``r``, length ``l``,
    ``reads_fraction`` and every reward term by name.

    Args:
        render_mode: ``"ansi"`` shows the source and what was written so far.
        **settings: See `rlattn.envs.make_core`.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 4}  # noqa: RUF012  (Gymnasium's own form)

    def __init__(self, render_mode: str | None = None, **settings: Any) -> None:
        self.core = make_core(lanes=1, **settings)
        self.render_mode = render_mode
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
        return _row(_observe(self.core, view), 0), {}

    def step(self, action: np.ndarray) -> tuple[Observed, float, bool, bool, dict[str, Any]]:
        """Writes one token."""
        memory = self.core.memory()
        transition = self.core.step(_actions(np.asarray(action)[None]))
        view, memory = (
            (transition.view, self.core.memory())
            if transition.final_view is None
            else (transition.final_view, memory)
        )
        info = {"episode": transition.summaries[0]} if transition.summaries else {}
        return (
            _row(_observe(self.core, view, memory), 0),
            float(transition.reward[0]),
            bool(transition.terminated[0]),
            bool(transition.truncated[0]),
            info,
        )

    def render(self) -> str | None:
        """The source and what was written so far, when `render_mode` is ``"ansi"``."""
        if self.render_mode != "ansi":
            return None
        return f"{self.core.pair(0).source}\n{self.core.hypotheses(np.array([0]))[0]}"


class TranslationVectorEnv(VectorEnv[Observed, np.ndarray, np.ndarray]):
    """All lanes of a core: ``gymnasium.make_vec("rlattn/Translate-v0", num_envs=64, ...)``.

    Lanes restart within the step; ``final_obs`` and ``final_info`` stand in the infos.

    Args:
        num_envs: How many lanes.
        **settings: See `rlattn.envs.make_core`.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  (Gymnasium's own form)
        "render_modes": [],
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(self, num_envs: int = 1, **settings: Any) -> None:
        self.core = make_core(lanes=num_envs, **settings)
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
        return _observe(self.core, view), {}

    def step(
        self, actions: np.ndarray
    ) -> tuple[Observed, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Writes one token in every lane."""
        before = self.core.memory()
        transition = self.core.step(_actions(actions))
        infos: dict[str, Any] = {}
        if transition.final_view is not None:
            done = transition.terminated | transition.truncated
            lanes = np.flatnonzero(done)
            final = _observe(self.core, transition.final_view, before[torch.from_numpy(lanes)])
            observations = np.full(self.num_envs, None, object)
            for row, lane in enumerate(lanes):
                observations[lane] = _row(final, row)
            episode = {
                key: _scatter(np.array([s[key] for s in transition.summaries]), lanes, done)
                for key in transition.summaries[0]
            }
            infos = {
                "final_obs": observations,
                "_final_obs": done,
                "final_info": {"episode": episode, "_episode": done},
                "_final_info": done.copy(),
            }
        observation = _observe(self.core, transition.view)
        return (
            observation,
            transition.reward.astype(np.float64),
            transition.terminated,
            transition.truncated,
            infos,
        )


def _actions(action: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(np.asarray(action), dtype=torch.float32)


def _observe(
    core: TranslationCore, view: dict[str, torch.Tensor], memory: torch.Tensor | None = None
) -> Observed:
    memory = core.memory() if memory is None else memory
    token = core.embedding.gather(view["token"])
    carried = {"token": token.cpu().numpy(), "memory": memory.flatten(1).cpu().numpy()}
    return {**to_numpy(view), **carried}


def _row(observed: Observed, row: int) -> Observed:
    return {key: value[row] for key, value in observed.items()}


def _scatter(values: np.ndarray, lanes: np.ndarray, done: np.ndarray) -> np.ndarray:
    wide = np.zeros(len(done), values.dtype)
    wide[lanes] = values
    return wide
