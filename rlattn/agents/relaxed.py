"""Actions that gradients go through, from an allocation back to what a policy gave."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium.spaces import Box
from torch import Tensor

from rlattn.actions import ActionFamily, Gate, MaskedDistribution
from rlattn.actions.distributions import NonEmptyBernoulli
from rlattn.errors import InputError
from rlattn.steering import Allocation


def check_smooth(family: ActionFamily) -> None:
    """Makes sure that gradients go through a family's actions.

    Raises:
        InputError: If they are choices among positions.
    """
    smooth = isinstance(family.space(1), Box) and family.mode != "gate"
    if not smooth and not isinstance(family, Gate):
        raise InputError(
            f"action {family.spec}: a choice among positions has no gradient: use bias, mix, "
            "sharpness, simplex, per-layer of one of these, or gate"
        )


def relaxed(
    family: ActionFamily,
    distribution: MaskedDistribution,
    mask: Tensor,
    *,
    temperature: float,
    noise: bool,
) -> Allocation:
    """What a policy does in training, so that gradients flow from the allocation to its parameters.

    Args:
        family: One that `check_smooth` lets pass.
        distribution: What the policy gives.
        mask: True at real source tokens, ``[lanes, source]``.
        temperature: Of gates, which are drawn and change as relaxed ones do.
        noise: Whether other actions are drawn, rather than the mode of their distribution.
    """
    if isinstance(family, Gate):
        assert isinstance(distribution, NonEmptyBernoulli)
        return family.relaxed(distribution.straight_through(temperature), mask)
    action = distribution.sample() if noise else distribution.mode()
    within: Tensor = _Clip.apply(action)  # type: ignore[no-untyped-call]
    return family.allocation(within, mask)


class _Clip(torch.autograd.Function):
    """Clips actions to [-1, 1]; from outside, gradients lead in but not further out.

    A plain clip would leave an action that has gone too far there for good (Hausknecht and Stone,
    2016, compare the ways out).
    """

    @staticmethod
    def forward(ctx: Any, action: Tensor) -> Tensor:
        ctx.save_for_backward(action)
        return action.clamp(-1.0, 1.0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (action,) = ctx.saved_tensors
        # Descent goes against the gradient.
        outward = ((action > 1) & (gradient < 0)) | ((action < -1) & (gradient > 0))
        return gradient.masked_fill(outward, 0.0)
