"""The random states of a process: Python's, NumPy's and PyTorch's."""

from __future__ import annotations

import random

import numpy as np
import torch

from rlattn.storage.state import State, parts, take


def random_state() -> State:
    """Where all generators are that a seed of the process sets."""
    version, python, gauss = random.getstate()
    kind, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    state: State = {
        "python": {"version": version, "state": np.array(python), "gauss": gauss},
        "numpy": {
            "kind": kind,
            "keys": np.asarray(keys).astype(np.int64),
            "position": position,
            "has_gauss": has_gauss,
            "gauss": cached,
        },
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    return state


def set_random_state(state: State) -> None:
    """Puts all generators where they were.

    Args:
        state: As `random_state` gave it. Of accelerators, those that are still there.

    Raises:
        InputError: If it is something else.
    """
    now = random_state()
    python, numpy = take(state, "python", now["python"]), take(state, "numpy", now["numpy"])
    keys = tuple(take(python, "state", now["python"]["state"]).tolist())
    random.setstate((take(python, "version", 0), keys, python["gauss"]))
    np.random.set_state(
        (
            take(numpy, "kind", ""),
            take(numpy, "keys", now["numpy"]["keys"]).astype(np.uint32),
            take(numpy, "position", 0),
            take(numpy, "has_gauss", 0),
            take(numpy, "gauss", 0.0),
        )
    )
    torch.set_rng_state(take(state, "torch", now["torch"]))
    for number, _ in enumerate(zip(now["cuda"], parts(state, "cuda"), strict=False)):
        torch.cuda.set_rng_state(state["cuda"][number].clone(), number)
