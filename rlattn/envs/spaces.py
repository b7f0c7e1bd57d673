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
        handles: Whether the memory stays in the core and the observation only says where.

    Returns:
        A dictionary of flat spaces: ``mask``, ``state``, ``attention``, ``coverage``, and
        ``episode`` (two numbers, int64) or ``memory`` (float16, row after row).
    """
    source = core.max_source
    spaces: dict[str, gymnasium.Space[np.ndarray]] = {
        "mask": MultiBinary(source),
        "state": Box(-_FULL, _FULL, (2 * core.host.d_state,), np.float32),
        # A little room above 1: sums of softmax weights round.
        "attention": Box(0.0, 1.001, (source,), np.float32),
        "coverage": Box(0.0, 1.001 * core.max_target, (source,), np.float32),
    }
    if handles:
        spaces["episode"] = Box(0, np.iinfo(np.int64).max, (2,), np.int64)
    else:
        spaces["memory"] = Box(-_HALF, _HALF, (source * core.host.d_model,), np.float16)
    return Dict(spaces)


def to_numpy(view: View) -> dict[str, np.ndarray]:
    """A view as arrays of the dtypes that `observation_space` promises."""
    return {
        key: value.cpu().numpy().astype(np.int8 if key == "mask" else np.float32, copy=False)
        for key, value in view.items()
    }
