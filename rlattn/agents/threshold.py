"""The threshold of gates that makes a policy read what it may, and no more.

Training holds what is read by drawn gates at a target, along given targets. A policy that is used
opens the likelier half of each gate, along what it writes, and reads somewhat more or less. Where
policies are compared at equal reads, one number mends that: what all log-odds are shifted by.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import torch

from rlattn.actions import Gate
from rlattn.errors import InputError
from rlattn.inference import TrainedPolicy

_CLOSE = 0.01
"""How far below the target the reads may stay, as a fraction of the source."""

_TRIES = 6
"""How often sentences are translated in search of it."""


class _Written(Protocol):
    @property
    def reads_fraction(self) -> Sequence[float]: ...


Output = TypeVar("Output", bound=_Written)
"""What came of some texts, such as translations, or labels: it tells how much of each was read."""


class Shifted(NamedTuple, Generic[Output]):
    """A policy whose gates have another threshold.

    Attributes:
        shift: What was added to all log-odds, in nats.
        policy: A copy of the policy, with it.
        output: What came of the texts under that.
    """

    shift: float
    policy: TrainedPolicy
    output: Output

    @property
    def reads(self) -> float:
        """The fraction of the source that was read: mean over texts."""
        return float(np.mean(self.output.reads_fraction))


def shift_gates(
    policy: TrainedPolicy,
    translate: Callable[[TrainedPolicy], Output],
    target: float,
    *,
    first: float = 0.0,
) -> Shifted[Output]:
    """Shifts the log-odds of all gates alike, so that nearly as much is read as may be.

    Args:
        policy: One of gates; it stays as it is.
        translate: Translates, or labels, the texts that tell.
        target: The fraction of the source to read at most.
        first: The shift that is tried first, such as that of an earlier checkpoint.

    Returns:
        Of what was tried, what reads most among all that keep to the target; where none does, what
        reads least.

    Raises:
        InputError: If the policy's actions are no gates.
    """
    if not isinstance(policy.policy.family, Gate):
        raise InputError(
            f"action {policy.policy.config.action}: only gates have a threshold to be shifted"
        )
    tried: list[Shifted[Output]] = []
    shift = first
    for _ in range(_TRIES):
        moved = _shifted(policy, shift)
        tried.append(Shifted(shift, moved, translate(moved)))
        if target - _CLOSE <= tried[-1].reads <= target:
            break
        shift = _next(tried, target)
    within = [one for one in tried if one.reads <= target]
    if within:
        return max(within, key=lambda one: one.reads)
    return min(tried, key=lambda one: one.reads)


def _shifted(policy: TrainedPolicy, shift: float) -> TrainedPolicy:
    """A copy of a policy with other log-odds."""
    network = copy.deepcopy(policy.policy)
    with torch.no_grad():
        network.score.bias.add_(shift)
    known = (policy.training, None, policy.reading, policy.labels)  # no scores: it is another
    return TrainedPolicy(network, policy.host_name, policy.host_fingerprint, *known)


def _next(tried: list[Shifted[Output]], target: float) -> float:
    """What to try next: within the bracket by its ends, before there is one farther and farther."""
    low = max((one for one in tried if one.reads <= target), key=_of, default=None)
    high = min((one for one in tried if one.reads > target), key=_of, default=None)
    if low is None or high is None:
        beyond = 2.0 ** (len(tried) - 1)
        return tried[-1].shift + (beyond if high is None else -beyond)
    aim = target - _CLOSE / 2
    share = (aim - low.reads) / (high.reads - low.reads)
    # Neither end again, however steep it is between them.
    return low.shift + min(max(share, 0.1), 0.9) * (high.shift - low.shift)


def _of(one: Shifted[Output]) -> float:
    return one.shift
