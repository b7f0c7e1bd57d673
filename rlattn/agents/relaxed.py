"""Actions that gradients go through, from an allocation back to what a policy gave."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium.spaces import Box
from torch import Tensor

from rlattn.actions import ActionFamily, Gate, MaskedDistribution
from rlattn.actions.distributions import NonEmptyBernoulli
from rlattn.errors import InputError
from rlattn.rewards.weights import Target, Weight
from rlattn.steering import Allocation

_GAIN, _RATE = 3.0, 0.5
"""How the price of the reads moves: fewer sentences pass than where rewards teach, so that what
lasts of it has to come sooner; with less for the excess, for else it swings."""


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


def check_costs(family: ActionFamily, weight: float, target: float | None) -> None:
    """Makes sure that reads which cost something can be learned.

    Args:
        family: What decides on them.
        weight: What the reads count for; negative is a cost.
        target: The fraction of the source to read, or None.

    Raises:
        InputError: If they cost something and there are no gates to shut.
    """
    if (weight or target is not None) and not isinstance(family, Gate):
        raise InputError(
            f"action {family.spec}: reads that cost something can be learned by gates alone: use "
            "gate, or no reads_weight and reads_target"
        )


def reads_price(weight: float, target: float | None, price: float) -> Weight:
    """What reads weigh, as in a reward.

    Args:
        weight: A fixed weight, where there is no target.
        target: The fraction of the source to read, or None.
        price: With a target, the most that reads cost, and what they cost at first.
    """
    if target is None:
        return Weight(weight)
    return Target(target, price=price, gain=_GAIN, rate=_RATE)


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


def bounded(gates: Tensor, bound: float) -> Tensor:
    """The same gates, each of which is taken to change the loss by no more than a bound.

    Beside what little is open, the derivative of one that is shut promises far more than there is.

    Args:
        gates: ``[lanes, source]``.
        bound: In nats.
    """
    kept = gates.view_as(gates)
    if kept.requires_grad:
        kept.register_hook(  # type: ignore[no-untyped-call]
            lambda gradient: gradient.clamp(-bound, bound)
        )
    return kept


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
