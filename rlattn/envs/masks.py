"""Which actions are valid, as sb3-contrib's `MaskablePPO` asks for it."""

from __future__ import annotations

import numpy as np
from gymnasium.spaces import Discrete, MultiDiscrete

from rlattn.envs.base import Core
from rlattn.errors import InputError


def action_masks(core: Core) -> np.ndarray:
    """Which choices name a position of the source, for actions that are positions.

    Args:
        core: The batched core.

    Returns:
        bool, ``[lanes, choices]``: a column for each position, and for an action of several
        positions such columns for each of them in turn.

    Raises:
        InputError: If an action of the family is something else than positions.
    """
    space = core.family.space(core.max_source)
    choices = np.empty(0, np.int64)
    if isinstance(space, Discrete | MultiDiscrete):
        choices = np.atleast_1d(space.nvec if isinstance(space, MultiDiscrete) else space.n)
    if not len(choices) or (choices != core.max_source).any():
        raise InputError(
            f"action {core.family.spec!r} has no masks: expected one whose actions are positions, "
            "such as position or topk:4"
        )
    return np.tile(core.mask.cpu().numpy(), len(choices))
