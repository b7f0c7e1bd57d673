"""How many bytes a stored transition takes, and how much memory the process took."""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from stable_baselines3 import PPO

from rlattn.experiments.throughput.ppo import Learning
from rlattn.experiments.throughput.synthetic import Size, write_task

_SOURCE, _TARGET = 64, 64  # tokens
_SIZE = Size(d_model=512, layers=1, heads=4, ffn=64, vocabulary=100)
_LANES = 2
_STATUS = Path("/proc/self/status")


def transition_bytes(ppo: PPO) -> float:
    """The bytes of all arrays and tensors in a PPO's rollout buffer, for each transition."""
    buffer = ppo.rollout_buffer
    return _bytes(vars(buffer)) / (buffer.buffer_size * buffer.n_envs)


def memory_share(mean_source: float, mean_target: float, d_model: int) -> float:
    """Bytes of a float16 memory that is kept once, for each step of its episode.

    Args:
        mean_source: Tokens of a source.
        mean_target: Steps of an episode.
        d_model: Width of the memory.
    """
    return 2 * mean_source * d_model / mean_target


def reference_transition() -> dict[str, float]:
    """Bytes per transition at 64 source and target tokens and a d_model of 512.

    The rollout buffer is the one that learning with default settings makes.

    Returns:
        Bytes as they are stored, bytes with the memory in each transition (float32 and float16),
        and the ratios.
    """
    with tempfile.TemporaryDirectory() as folder:
        host, corpus = write_task(
            Path(folder), _SIZE, source_length=_SOURCE // 2, sentences=100, seed=0
        )
        settings = {"host": host, "corpus": corpus, "prefix": "reference", "device": "cpu"}
        limits = {"max_source": _SOURCE, "max_target": _TARGET, "seed": 0}
        learning = Learning({**settings, **limits, "reward": {"reads": -1.0}}, _LANES, 1)
    buffer = transition_bytes(learning.ppo)
    kept = buffer + memory_share(_SOURCE, _TARGET, _SIZE.d_model)
    full, half = (buffer + size * _SOURCE * _SIZE.d_model for size in (4, 2))
    return {
        "bytes_per_transition": kept,
        "memory_each_step_bytes": full,
        "memory_each_step_bytes_float16": half,
        "bytes_per_transition_over_memory_each_step": kept / full,
        "bytes_per_transition_over_memory_each_step_float16": kept / half,
    }


def peak_rss_mb() -> float:
    """The most memory that this process has held so far, in 10^6 bytes."""
    # What Linux tells of a process's resources includes the peak of the one that started it.
    if (known := _status_mb("VmHWM")) is not None:
        return known
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in units of 1024 bytes, macOS in bytes.
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6


def rss_mb() -> float:
    """The memory that this process holds now, in 10^6 bytes; its peak where no system tells."""
    known = _status_mb("VmRSS")
    return peak_rss_mb() if known is None else known


def _status_mb(field: str) -> float | None:
    """A number of the process's status on Linux, in 10^6 bytes."""
    if not _STATUS.exists():
        return None
    fields = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())
    return int(fields[field].split()[0]) * 1024 / 1e6 if field in fields else None


def peak_device_mb(device: str) -> float | None:
    """The most memory that tensors have held on a GPU so far, in 10^6 bytes; None on a CPU."""
    return torch.cuda.max_memory_allocated(device) / 1e6 if device.startswith("cuda") else None


def _bytes(held: object) -> int:
    if isinstance(held, np.ndarray):
        return held.nbytes
    if isinstance(held, torch.Tensor):
        return held.nbytes
    if isinstance(held, Mapping):
        return sum(map(_bytes, held.values()))
    return 0
