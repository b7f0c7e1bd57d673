"""Observation spaces, the same for every face."""

from __future__ import annotations

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, MultiBinary

from rlattn.envs.core import TranslationCore, View

_HALF, _FULL = (float(np.finfo(dtype).max) for dtype in (np.float16, np.float32))


def observation_space(core: TranslationCore, *, handles: bool) -> Dict:
    """What one lane sees.

    Args:
        core: The batched core.
        handles: Whether memory and embeddings stay in the core and the observation only says
            where.

    Returns:
        A dictionary of flat spaces: ``mask``, ``state``, ``attention``, ``coverage``; and either
        ``memory`` (float16, row after row) and ``token`` (its embedding), or two numbers, int64,
        for each: ``episode`` and ``token``.
    """
    source, d_state = core.max_source, core.host.d_state
    spaces: dict[str, gymnasium.Space[np.ndarray]] = {
        "mask": MultiBinary(source),
        "state": Box(-_FULL, _FULL, (d_state,), np.float32),
        # A little room above 1: sums of softmax weights round.
        "attention": Box(0.0, 1.001, (source,), np.float32),
        "coverage": Box(0.0, 1.001 * core.max_target, (source,), np.float32),
    }
    if handles:
        for name in ("episode", "token"):
            spaces[name] = Box(0, np.iinfo(np.int64).max, (2,), np.int64)
    else:
        spaces["token"] = Box(-_FULL, _FULL, (d_state,), np.float32)
        spaces["memory"] = Box(-_HALF, _HALF, (source * core.host.d_model,), np.float16)
    return Dict(spaces)


def to_numpy(view: View) -> dict[str, np.ndarray]:
    """A view as arrays; but for the token, of the dtypes that `observation_space` promises."""
    arrays = {key: value.cpu().numpy() for key, value in view.items()}
    return {**arrays, "mask": arrays["mask"].astype(np.int8)}
