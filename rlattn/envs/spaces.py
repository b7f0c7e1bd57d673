"""What one lane sees, as a space and as arrays; the same for every face."""

from __future__ import annotations

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box, Dict, MultiBinary

from rlattn.envs.base import Core
from rlattn.envs.transition import View

Observed = dict[str, np.ndarray]

_HALF, _FULL = (float(np.finfo(dtype).max) for dtype in (np.float16, np.float32))


def observation_space(core: Core, *, handles: bool) -> Dict:
    """What one lane sees.

    Args:
        core: The batched core.
        handles: Whether memory and embeddings stay in the core and the observation only says
            where.

    Returns:
        A dictionary of flat spaces: ``mask``, ``state``, ``attention``, ``coverage``; where
        actions depend on the tokens of the source, ``source``, their ids, int64; and either
        ``memory`` (float16, row after row) and ``token`` (its embedding), or two numbers, int64,
        for each: ``episode`` and ``token``.
    """
    source, d_state = core.max_source, core.d_state
    spaces: dict[str, gymnasium.Space[np.ndarray]] = {
        "mask": MultiBinary(source),
        "state": Box(-_FULL, _FULL, (d_state,), np.float32),
        # A little room above 1: sums of softmax weights round.
        "attention": Box(0.0, 1.001, (source,), np.float32),
        "coverage": Box(0.0, 1.001 * core.max_steps, (source,), np.float32),
    }
    if core.family.reads_tokens:
        spaces["source"] = Box(0, len(core.host.tokenizer) - 1, (source,), np.int64)
    if handles:
        for name in ("episode", "token"):
            spaces[name] = Box(0, np.iinfo(np.int64).max, (2,), np.int64)
    else:
        spaces["token"] = Box(-_FULL, _FULL, (d_state,), np.float32)
        spaces["memory"] = Box(-_HALF, _HALF, (source * core.host.d_model,), np.float16)
    return Dict(spaces)


def observe(core: Core, view: View, memory: torch.Tensor | np.ndarray) -> Observed:
    """A view as observations of the dtypes that `observation_space` promises, ``[rows, ...]``.

    Args:
        core: The batched core.
        view: What lanes see.
        memory: Their memories, ``[rows, max_source, d_model]``; or handles, where these begin,
            ``[rows, 2]``.
    """
    seen = {key: value.cpu().numpy() for key, value in view.items()}
    seen["mask"] = seen["mask"].astype(np.int8)
    if isinstance(memory, np.ndarray):
        return {**seen, "token": core.embedding.handles(seen["token"]), "episode": memory}
    token = core.embedding.gather(view["token"]).cpu().numpy()
    return {**seen, "token": token, "memory": memory.flatten(1).cpu().numpy()}


def row(observed: Observed, index: int) -> Observed:
    """One lane's part of observations."""
    return {key: value[index] for key, value in observed.items()}


def components(summary: dict[str, float]) -> dict[str, float]:
    """What an episode's return is made of: its summary without return and length."""
    return {key: value for key, value in summary.items() if key not in ("r", "l")}
