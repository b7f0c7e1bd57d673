"""A term that counts at the end alone."""

from __future__ import annotations

import torch
from torch import Tensor

from rlattn.errors import InputError
from rlattn.rewards.base import Reward, SentenceReward
from rlattn.rewards.registry import WRAPPERS
from rlattn.rewards.step import Step, Texts


class Final(Reward):
    """Another term's number at the step that ends an episode, and zero before it.

    Args:
        term: The other term.

    Raises:
        InputError: If it is a score of finished sentences, which is zero before the end already.
    """

    immediate = False

    def __init__(self, term: Reward) -> None:
        if isinstance(term, SentenceReward):
            raise InputError(
                f"final:{term.name}: {term.name} is given at the end already; expected a term that "
                "is given step by step, such as final:accuracy"
            )
        self.name, self.needs = f"final:{term.name}", term.needs
        self._term = term

    def seed(self, seed: int) -> None:
        """Begins anew with the other term."""
        self._term.seed(seed)

    def rehearse(self, texts: Texts) -> None:
        """Has the other term try it."""
        self._term.rehearse(texts)

    def __call__(self, step: Step) -> Tensor:
        """The term's number where an episode ended, zero elsewhere, ``[lanes]``."""
        # It is asked at every step: it may remember.
        values = self._term(step)
        return torch.where(step.done, values, torch.zeros_like(values))


WRAPPERS["final"] = Final
