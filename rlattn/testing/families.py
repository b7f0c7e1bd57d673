"""What every action family keeps to."""

from __future__ import annotations

from functools import partial
from typing import get_args

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete
from torch import Tensor

from rlattn.actions import ActionFamily, Before, MaskedDistribution, make_family
from rlattn.actions.checks import check_in_space, check_opened
from rlattn.errors import ContractError, InputError, SteeringError
from rlattn.steering import Allocation, SteeringMode
from rlattn.steering.attention import steered_weights

_LENGTHS = (6, 4, 1, 2)
_SOURCE = 6
_LAYERS, _HEADS = 2, 2
_GROUPS, _SAMPLES = 30, 2000


def check_family(family: str | ActionFamily) -> None:
    """Draws from an action family, and looks at what comes of it.

    The rules: boxes lie in [-1, 1]; every point of the space, and every draw, maps to a legal
    allocation that attends to nothing but what it says it opens; draws are actions of the space;
    log-probabilities, entropies and their gradients are finite whatever the network gives; padding
    and neighbouring lanes enter none of them; nothing is more probable than the mode; and the
    density belongs to the draws: the expected gradient of the log-probability is zero, and the
    entropy is the expected negative log-probability.

    Args:
        family: What `make_family` takes, or a family.

    Raises:
        ContractError: If it breaks a rule.
        InputError: If there is no family of that name.
    """
    if not isinstance(family, str | ActionFamily):
        raise InputError(f"{family!r} is no action family: give its name, or one that is made")
    torch_state = torch.random.get_rng_state()
    try:
        torch.manual_seed(0)
        family = make_family(family) if isinstance(family, str) else family
        _check_words(family)
        _Checks(family).run()
    finally:
        torch.random.set_rng_state(torch_state)


class _Checks:
    """All rules, for one family."""

    def __init__(self, family: ActionFamily) -> None:
        self.mask = torch.arange(_SOURCE) < torch.tensor(_LENGTHS)[:, None]
        looked = torch.rand(self.mask.shape).masked_fill(~self.mask, 0.0)
        looked = looked / looked.sum(-1, keepdim=True)
        # Few different tokens, for a family that tells them apart: each of them comes up.
        self.before = Before(looked, 2 * looked, torch.randint(0, 4, self.mask.shape))
        self.plain, self.family = family, family.on(self.before)
        self.space = family.space(_SOURCE)

    def run(self) -> None:
        """Checks one rule after the other, from simple to subtle."""
        self.check_space()
        self.check_points()
        width = len(self.family.initial)
        initial = torch.tensor(self.family.initial).expand(*self.mask.shape, width)
        random = torch.randn(*self.mask.shape, width)
        for kind, parameters in {
            "its initial output": initial,
            "any output": random,
            "a large output": torch.full_like(initial, 1e4),
            "a very negative output": torch.full_like(initial, -1e4),
        }.items():
            self.check_numbers(parameters.clone().requires_grad_(), kind)
        self.check_padding(random)
        self.check_lanes(random)
        self.check_density(random[:1])

    def broke(self, rule: str) -> ContractError:
        """The error that says so."""
        return ContractError(f"the action {self.family.spec!r}: {rule}")

    def check_space(self) -> None:
        """Boxes lie in [-1, 1]."""
        space = self.space
        if not isinstance(space, gymnasium.Space):
            raise self.broke(f"space({_SOURCE}) is a {type(space).__name__}, no Gymnasium space")
        if not isinstance(space, Box | Discrete | MultiBinary | MultiDiscrete):
            raise self.broke(
                f"its space is a {type(space).__name__}: expected a Box, Discrete, MultiBinary or "
                "MultiDiscrete, which PPO can act in"
            )
        if isinstance(space, Box) and not ((space.low == -1).all() and (space.high == 1).all()):
            raise self.broke(
                f"its box goes from {space.low.min()} to {space.high.max()}: expected -1 to 1, "
                "for PPO starts with actions of that size, and what is beyond is clipped; scale in "
                "`allocation`"
            )

    def check_points(self) -> None:
        """Every point of the space is legal."""
        self.space.seed(0)
        for _ in range(20):
            points = np.stack([np.asarray(self.space.sample()) for _ in _LENGTHS])
            self.check_action(self.family.narrow(torch.as_tensor(points), _SOURCE), "a point")

    def check_action(self, action: Tensor, what: str) -> None:
        """An action leads to attention over what it opens, and to nothing else."""
        opened = self.family.opened(action, self.mask)
        check_opened(self.family.spec, opened, self.mask)
        allocation = self.family.allocation(self.family.nearest(action), self.mask)
        if not isinstance(allocation, Allocation):
            raise self.broke(
                f"allocation gave a {type(allocation).__name__}: expected an Allocation of "
                "rlattn.steering"
            )
        if allocation.mode != self.family.mode:
            raise self.broke(f"its allocation's mode is {allocation.mode}, not {self.family.mode}")
        logits = torch.randn(len(action), _HEADS, 1, _SOURCE)
        attended = torch.zeros_like(self.mask)
        try:
            allocation.check_shape(len(action), _LAYERS, _HEADS, _SOURCE)
            for layer in range(_LAYERS):
                valid = self.mask[:, None, None]
                weights = steered_weights(logits, valid, allocation, layer, None, check=True)
                attended |= (weights > 0).any(1)[:, 0]
        except SteeringError as error:
            raise self.broke(f"{what} of the space maps to no legal allocation: {error}") from error
        if (attended & ~opened).any():
            raise self.broke(
                f"{what} of the space attends to positions that `opened` says are shut: reads "
                "would be counted too low"
            )

    def check_numbers(self, parameters: Tensor, kind: str) -> None:
        """Draws and their numbers have the right form and are finite, and so are gradients."""
        distribution = self.family.distribution(parameters, self.mask)
        size = self.family.size(_SOURCE)
        numbers = [distribution.entropy()]
        for what, action in (("sample", distribution.sample()), ("mode", distribution.mode())):
            action = action.detach()
            if action.shape != (len(_LENGTHS), size):
                raise self.broke(
                    f"{what} gave {list(action.shape)}: expected {[len(_LENGTHS), size]}, a number "
                    "for each of the space"
                )
            check_in_space(
                self.family.spec, self.space, action, f" where the network gives {kind}: bound it"
            )
            self.check_action(action, f"a {what}")
            numbers.append(distribution.log_prob(action))
        for what, values in zip(("entropy", "log_prob", "log_prob"), numbers, strict=True):
            if values.shape != (len(_LENGTHS),):
                raise self.broke(
                    f"{what} gave {list(values.shape)}: expected one number for each lane, "
                    f"[{len(_LENGTHS)}]; sum over what an action holds"
                )
            if not values.isfinite().all():
                raise self.broke(f"{what} is {values.tolist()} where the network gives {kind}")
        (gradient,) = torch.autograd.grad(torch.stack(numbers).sum(), parameters)
        if not gradient.isfinite().all():
            raise self.broke(f"gradients are not finite where the network gives {kind}")
        if gradient[~self.mask].any():
            raise self.broke("padding enters log_prob or entropy: it has a gradient")

    def check_padding(self, parameters: Tensor) -> None:
        """More padding changes nothing."""
        here = self.family.distribution(parameters, self.mask)
        pad = torch.nn.functional.pad
        wider = pad(self.mask, (0, 3))
        family = self.plain.on(self.before.each(lambda rows: pad(rows, (0, 3))))
        there = family.distribution(pad(parameters, (0, 0, 0, 3), value=3.0), wider)
        action = here.sample()
        widened = self.family.widen(action, _SOURCE + 3)
        pairs = (
            ("log_prob", here.log_prob(action), there.log_prob(widened)),
            ("mode", self.family.widen(here.mode(), _SOURCE + 3), there.mode()),
            ("opened", pad(self.family.opened(action, self.mask), (0, 3)).float(),
             family.opened(widened, wider).float()),
        )  # fmt: skip
        for what, ours, theirs in pairs:
            if not torch.allclose(ours, theirs, atol=1e-4, rtol=1e-4):
                raise self.broke(f"{what} changes when padding stands behind the source")

    def check_lanes(self, parameters: Tensor) -> None:
        """A lane alone is what it is beside others."""
        together = self.family.distribution(parameters, self.mask)
        action = together.sample()
        for lane, length in enumerate(_LENGTHS):
            rows, mask = parameters[lane : lane + 1, :length], self.mask[lane : lane + 1, :length]
            family = self.plain.on(self.before.each(partial(_part, lane=lane, length=length)))
            alone = family.distribution(rows, mask)
            mine = family.narrow(action[lane : lane + 1], length)
            if not torch.allclose(
                alone.log_prob(mine), together.log_prob(action)[lane], atol=1e-4, rtol=1e-4
            ):
                raise self.broke("log_prob of a lane alone is not what it is beside others")

    def check_density(self, parameters: Tensor) -> None:
        """The density belongs to the draws."""
        groups = []
        for _ in range(_GROUPS):
            row = parameters.clone().requires_grad_()
            distribution = self.lane(row)
            action = distribution.sample().detach()
            log_prob = distribution.log_prob(action)
            best = distribution.log_prob(distribution.mode().detach())
            if (log_prob > best + 1e-3).any():
                raise self.broke("a sample is more probable than the mode")
            (score,) = torch.autograd.grad(log_prob.mean(), row)
            surprise = (distribution.entropy() + log_prob).mean().detach()
            groups.append(torch.cat([score.flatten(), surprise[None]]))
        found = torch.stack(groups)
        error = found.std(0) / _GROUPS**0.5 + 1e-4
        away = (found.mean(0) / error).abs()
        if away[:-1].max() > 7:
            raise self.broke(
                "log_prob is not the density of what `sample` draws: the expected gradient of the "
                f"log-probability is {found.mean(0)[:-1].abs().max():.3g}, not 0"
            )
        if away[-1] > 7:
            raise self.broke(
                f"entropy is {found.mean(0)[-1]:.3g} nats off the expected negative log_prob of "
                "what `sample` draws: one of the three is wrong"
            )

    def lane(self, parameters: Tensor) -> MaskedDistribution:
        """The distribution of one lane, many times."""
        mask = self.mask[:1].expand(_SAMPLES, -1)
        family = self.plain.on(self.before.each(lambda rows: rows[:1].expand(_SAMPLES, -1)))
        return family.distribution(parameters.expand(_SAMPLES, -1, -1), mask)


def _part(rows: Tensor, lane: int, length: int) -> Tensor:
    return rows[lane : lane + 1, :length]


def _check_words(family: ActionFamily) -> None:
    """What a family says of itself."""
    name = getattr(family, "name", type(family).__name__)
    mode, initial = getattr(family, "mode", None), getattr(family, "initial", None)
    if mode not in get_args(SteeringMode):
        modes = ", ".join(get_args(SteeringMode))
        raise ContractError(f"the action {name!r}: its mode is {mode!r}, expected one of {modes}")
    if not isinstance(initial, tuple) or not initial:
        raise ContractError(
            f"the action {name!r}: initial is {initial!r}, expected a tuple of the numbers that "
            "the network first gives for each position, such as (0.0,)"
        )
