"""The score of a sentence, given out step by step."""

from __future__ import annotations

import torch
from torch import Tensor

from rlattn.errors import InputError
from rlattn.rewards.base import Reward, SentenceReward
from rlattn.rewards.registry import WRAPPERS
from rlattn.rewards.step import Need, Step, Texts


class Spread(Reward):
    """By how much each token changed the score of what is written so far.

    Over a sentence the differences sum up to its score, so that what is best stays best (potential
    shaping, Ng et al., 1999), but every step is told at once. All lanes are scored at each step:
    a slow metric makes it slow.

    Args:
        term: A score of finished sentences.

    Raises:
        InputError: If it is no such score.
    """

    needs: frozenset[Need] = frozenset({"partial"})
    immediate = False

    def __init__(self, term: Reward) -> None:
        if not isinstance(term, SentenceReward):
            raise InputError(
                f"spread:{term.name}: {term.name} is given step by step already; expected a score "
                "of whole sentences, such as spread:chrf"
            )
        self.name = f"spread:{term.name}"
        self._term = term
        self._before = torch.zeros(0)

    def rehearse(self, texts: Texts) -> None:
        """Has the score try it."""
        self._term.rehearse(texts)

    def __call__(self, step: Step) -> Tensor:
        """The difference, ``[lanes]``."""
        now = self._term.scores(step.partial).to(step.token.device)
        fresh = step.age == 1
        if self._before.shape != now.shape:
            self._before = torch.zeros_like(now)
        gain = now - self._before.masked_fill(fresh, 0.0)
        self._before = now
        return gain


WRAPPERS["spread"] = Spread
