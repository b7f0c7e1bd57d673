"""Rewards that tell nothing: what is learned from them is not owed to the reward.

Choshen et al. (2020) found that reinforcement learning for translation can gain as much from a
constant reward as from a real one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

from rlattn.errors import InputError
from rlattn.rewards.base import Reward
from rlattn.rewards.registry import WRAPPERS, register_reward
from rlattn.rewards.step import Step, Texts
from rlattn.rewards.weights import WeightSpec
from rlattn.storage.state import State, attributes, part, set_attributes, take

_ROOM = 4096

Control = Literal["constant", "shuffled"]

_COSTS = frozenset({"reads", "entropy", "coverage", "latency", "length"})
"""What is paid for reading and writing, whatever is written."""


@register_reward
class Constant(Reward):
    """One for every sentence, whatever was written."""

    name = "constant"
    immediate = False

    def __call__(self, step: Step) -> Tensor:
        """One where a sentence ended, zero elsewhere, ``[lanes]``."""
        return step.done.float()


class Shuffled(Reward):
    """Another term's numbers, each handed to a lane or step that it is not owed to.

    A lane is given a number that was earned before, or by another lane now; steps that end a
    sentence and steps that do not are shuffled apart, so that the scores of sentences still come
    at their ends.

    Args:
        term: The other term.
    """

    def __init__(self, term: Reward) -> None:
        self.name = f"shuffled:{term.name}"
        self.needs, self.immediate = term.needs, term.immediate
        self._term = term
        self.seed(0)

    def seed(self, seed: int) -> None:
        """Forgets all numbers, and begins a new order."""
        self._term.seed(seed)
        self._chance = torch.Generator().manual_seed(seed)
        self._ends, self._others = _Pool(self._chance), _Pool(self._chance)

    def rehearse(self, texts: Texts) -> None:
        """Has the other term try it."""
        self._term.rehearse(texts)

    def state_dict(self) -> State:
        """All numbers, and where the order is."""
        return {
            "attributes": super().state_dict(),
            "chance": self._chance.get_state(),
            "ends": attributes(self._ends),
            "others": attributes(self._others),
        }

    def load_state_dict(self, state: State) -> None:
        """Goes on from the numbers and the order of another."""
        super().load_state_dict(part(state, "attributes"))
        self._chance.set_state(take(state, "chance", self._chance.get_state()))
        set_attributes(self._ends, part(state, "ends"))
        set_attributes(self._others, part(state, "others"))

    def __call__(self, step: Step) -> Tensor:
        """Numbers as often as the other term gives them, ``[lanes]``."""
        values = self._term(step).clone()
        for lanes, pool in ((step.done, self._ends), (~step.done, self._others)):
            values[lanes] = pool.exchange(values[lanes])
        return values


class _Pool:
    """The numbers of late, out of which others are given for those that are put in."""

    def __init__(self, chance: torch.Generator) -> None:
        self._chance, self._kept, self._count = chance, torch.zeros(0), 0

    def exchange(self, values: Tensor) -> Tensor:
        """Puts numbers in, and gives for each one that is not itself, where there is any other."""
        if not len(values):
            return values
        if not len(self._kept):
            self._kept = values.new_zeros(max(_ROOM, len(values)))
        room = len(self._kept)
        places = (self._count + torch.arange(len(values))) % room
        self._kept[places] = values
        self._count += len(values)
        held = min(self._count, room)
        if held == 1:
            return values
        # Never all the way round: that would be the number itself.
        away = torch.randint(1, held, (len(values),), generator=self._chance)
        return self._kept[(places + away) % held]


WRAPPERS["shuffled"] = Shuffled


def controlled(weights: Mapping[str, WeightSpec], control: Control) -> dict[str, WeightSpec]:
    """An objective in which nothing tells how good a translation is, and all else is as it was.

    What is read costs what it did, at the same schedule or for the same target. Each term of
    quality is shuffled; or one constant takes the place of all of them, and weighs what they did
    together.

    Args:
        weights: The weight of each term, by its name, as `TotalReward` takes them.
        control: ``"constant"`` or ``"shuffled"``.

    Raises:
        InputError: If there is no such control; or if there is no term of quality, or there are
            several whose weights cannot be added up to that of the constant.
    """
    if control not in get_args(Control):
        raise InputError(f"unknown control {control!r}: expected {' or '.join(get_args(Control))}")
    costs = {name: weight for name, weight in weights.items() if name in _COSTS}
    quality = {name: weight for name, weight in weights.items() if name not in _COSTS}
    if not quality:
        raise InputError(f"reward {dict(weights)}: expected a term of quality to control for")
    if control == "shuffled":
        return {f"shuffled:{name}": weight for name, weight in quality.items()} | costs
    together, *others = quality.values()
    for weight in others:
        if not (isinstance(together, int | float) and isinstance(weight, int | float)):
            raise InputError(
                f"reward {dict(weights)}: a constant takes the place of {', '.join(quality)}; "
                "expected plain numbers as their weights, or one term"
            )
        together += weight
    return {"constant": together} | costs
