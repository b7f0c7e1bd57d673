"""The weighted sum of reward terms."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rlattn.errors import ContractError, InputError, RlattnError
from rlattn.rewards.base import Reward
from rlattn.rewards.registry import make_reward
from rlattn.rewards.step import Need, Step, Texts
from rlattn.rewards.weights import Per, Target, Weight, WeightSpec, make_weight
from rlattn.storage.state import State, attributes, part, set_attributes


class TotalReward:
    """A weighted sum of terms, each of which stays visible by name.

    Args:
        weights: The weight of each term, by its name: a number, or what `Schedule` or `Target`
            take, by name, for one that changes.
        reads_target: Adapt the weight of the reads until this fraction of the source is read; a
            weight that is given is where it starts. The same as
            ``{"reads": {"target": reads_target}}``.

    Raises:
        InputError: If there is no such term, a weight is none, or there are none.
    """

    def __init__(
        self, weights: Mapping[str, WeightSpec], reads_target: float | None = None
    ) -> None:
        if not isinstance(weights, Mapping):
            raise InputError(
                f"reward {weights!r}: expected the weight of each term by its name, such as "
                "{'agreement': 1.0, 'reads': -0.3}"
            )
        if reads_target is not None:
            known = isinstance(reads_target, int | float) and not isinstance(reads_target, bool)
            if not (known and 0 < reads_target <= 1):
                raise InputError(f"reads target {reads_target!r}: expected a fraction in (0, 1]")
            weights = {**weights, "reads": _reads(weights.get("reads"), reads_target)}
        if not weights:
            raise InputError("no reward: expected at least one term, such as fidelity=1")
        self.terms: dict[str, Reward] = {name: make_reward(name) for name in weights}
        self._weights: dict[str, Weight] = {
            name: make_weight(name, spec) for name, spec in weights.items()
        }
        self._first_weights = copy.deepcopy(self._weights)

    @property
    def weights(self) -> dict[str, float]:
        """What each term weighs now."""
        return {name: weight.value for name, weight in self._weights.items()}

    @property
    def reads_target(self) -> float | None:
        """The fraction of the source to read, or None where the reads have no target."""
        weight = self._weights.get("reads")
        return weight.target if isinstance(weight, Target) else None

    @property
    def needs(self) -> frozenset[Need]:
        """What the terms ask for together."""
        return frozenset().union(*(term.needs for term in self.terms.values()))

    @property
    def immediate(self) -> bool:
        """Whether every term's number at a step is owed to that step alone."""
        return all(term.immediate for term in self.terms.values())

    def seed(self, seed: int) -> None:
        """Has all terms and weights begin anew."""
        self._weights = copy.deepcopy(self._first_weights)
        for term in self.terms.values():
            term.seed(seed)

    def state_dict(self) -> State:
        """What weights and terms have come to, by the name of the term."""
        return {
            name: {"weight": attributes(weight), "term": self.terms[name].state_dict()}
            for name, weight in self._weights.items()
        }

    def load_state_dict(self, state: State) -> None:
        """Goes on from what the same weights and terms had come to.

        Raises:
            InputError: If the state is that of others.
        """
        for name, weight in self._weights.items():
            own = part(state, name)
            set_attributes(weight, part(own, "weight"))
            self.terms[name].load_state_dict(part(own, "term"))

    def __call__(self, step: Step) -> tuple[Tensor, Tensor]:
        """The reward of a step.

        Returns:
            The weighted sum, ``[lanes]``, and the terms before weighting, ``[lanes, terms]``.

        Raises:
            ContractError: If a term raises, or gives anything but one number for each lane.
        """
        rows = []
        for name, term in self.terms.items():
            step.reader = name, term.needs
            rows.append(checked(name, _asked(term, step), step))
        step.reader = None
        values = torch.stack(rows, dim=1)
        weights = values.new_tensor([weight.value for weight in self._weights.values()])
        for weight in self._weights.values():
            weight.advance(len(step.token))
        return values @ weights, values

    def rehearse(self, texts: Texts) -> None:
        """Has scores of sentences tried on texts that nothing hangs on: mistakes show at once.

        Args:
            texts: Some sentences, of two or more lanes.

        Raises:
            ContractError: If a score does not give one finite number for each sentence.
        """
        for term in self.terms.values():
            term.rehearse(texts)

    def check_finite(self, values: np.ndarray, total: np.ndarray) -> None:
        """Looks at what the terms gave, where it is on the CPU already.

        Args:
            values: The terms before weighting, ``[lanes, terms]``.
            total: Their weighted sum, ``[lanes]``.

        Raises:
            ContractError: If a number is not finite; names the term and the lanes.
        """
        if np.isfinite(total).all() and np.isfinite(values).all():
            return
        for name, column in zip(self.terms, values.T, strict=True):
            lanes = np.flatnonzero(~np.isfinite(column))
            if len(lanes):
                raise ContractError(
                    f"the reward {name!r} gave {column[lanes[0]]} in lane {lanes[0]}"
                    f" ({len(lanes)} of {len(column)} lanes): expected finite numbers",
                    int(lanes[0]),
                )
        lane = int(np.flatnonzero(~np.isfinite(total))[0])
        named = zip(self.terms, values[lane], strict=True)
        shown = ", ".join(f"{name}={value:g}" for name, value in named)
        raise ContractError(
            f"the weighted sum of {shown} is {total[lane]} in lane {lane}: expected numbers whose "
            "sum is finite in float32; scale the terms or their weights down",
            lane,
        )

    def finish(self, sums: np.ndarray, lengths: np.ndarray, per: Per = "step") -> None:
        """Tells the weights of finished sentences.

        Args:
            sums: The sum of each term over each sentence, ``[sentences, terms]``.
            lengths: The steps of each sentence, ``[sentences]``.
            per: What the environment counts a cost by where a target does not say.
        """
        for weight, column in zip(self._weights.values(), sums.T, strict=True):
            weight.finish(column, lengths, per)


def _asked(term: Reward, step: Step) -> Any:
    """What a term gives for a step; where it raises, the lane is looked for that it raises in."""
    try:
        return term(step)
    except RlattnError:
        raise
    except Exception as error:
        lanes = range(len(step.token))
        lane = next((lane for lane in lanes if _raises(term, step.only(lane), error)), None)
        frame = traceback.extract_tb(error.__traceback__)[-1]
        raise ContractError(
            f"the reward {term.name!r} raised {type(error).__name__}: {error} ({frame.filename}, "
            f"line {frame.lineno})",
            lane,
        ) from error


def _raises(term: Reward, step: Step, expected: Exception) -> bool:
    """Whether a term raises the same again."""
    try:
        term(step)
    except Exception as error:
        return (type(error), str(error)) == (type(expected), str(expected))
    return False


def checked(name: str, values: Any, step: Step) -> Tensor:
    """What a term gave, if it is one number for each lane.

    Raises:
        ContractError: If it is not; says what it is instead.
    """
    lanes, device = len(step.token), step.token.device
    expected = f"expected a floating-point tensor [{lanes}], one number for each lane"
    if not isinstance(values, Tensor):
        raise ContractError(f"the reward {name!r} gave a {type(values).__name__}: {expected}")
    if values.shape != (lanes,):
        hint = ""
        if values.ndim == 0:
            hint = "; a mean or a sum over the lanes would reward each for what all did"
        raise ContractError(
            f"the reward {name!r} gave a tensor of shape {list(values.shape)}: {expected}{hint}"
        )
    if not values.is_floating_point():
        raise ContractError(f"the reward {name!r} gave {values.dtype}: {expected}; use .float()")
    if values.device != device:
        raise ContractError(
            f"the reward {name!r} gave a tensor on {values.device}: {expected} on {device}; make "
            "new tensors with torch.zeros_like(step.reads_fraction) or on step.token.device"
        )
    return values.detach().to(torch.float32)


def _reads(given: WeightSpec | None, target: float) -> WeightSpec:
    if given is None:
        return {"target": target}
    if not isinstance(given, int | float):
        raise InputError(
            f"reads target {target}: the weight of the reads is {given} already; give one of them"
        )
    make_weight("reads", given)
    return {"target": target, "price": max(0.0, -given)}
