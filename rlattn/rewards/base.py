"""What a reward term is, and what it is told of a step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor

R = TypeVar("R", bound="type[Reward]")
Need = Literal["native", "native_token", "reference", "text"]
"""What a term asks for: native logits, the native choice, the reference as prefix, finished text.
"""


@dataclass(frozen=True)
class Step:
    """One step of all lanes, as reward terms see it.

    Attributes:
        token: The token that the steered host chose, ``[lanes]``.
        logits: The steered host's, float32, ``[lanes, vocabulary]``.
        native_logits: The unsteered host's after the same prefix; given to terms that need
            ``"native"``.
        native_token: The token that the unsteered host chooses, ``[lanes]``; given to terms that
            need ``"native_token"``, which costs less than ``"native"`` where the prefix is the
            host's own output.
        reference_token: The reference's token at this step, ``[lanes]``; given to terms that need
            ``"reference"``.
        reads_fraction: Open positions over valid positions, ``[lanes]``.
        done: Lanes whose sentence ended with this step, ``[lanes]``, on the CPU.
        hypotheses: What those lanes wrote, in the order of the lanes; given to terms that need
            ``"text"``.
        references: What they should have written.
    """

    token: Tensor
    logits: Tensor
    native_logits: Tensor | None
    native_token: Tensor | None
    reference_token: Tensor | None
    reads_fraction: Tensor
    done: np.ndarray
    hypotheses: list[str]
    references: list[str]

    @cached_property
    def log_probs(self) -> Tensor:
        """The steered host's log-probabilities in nats, ``[lanes, vocabulary]``."""
        return self.logits.log_softmax(-1)

    @cached_property
    def native_log_probs(self) -> Tensor:
        """The unsteered host's log-probabilities in nats, ``[lanes, vocabulary]``."""
        assert self.native_logits is not None, "a term reads them without needing `native`"
        return self.native_logits.log_softmax(-1)

    def log_prob(self, token: Tensor) -> Tensor:
        """The steered log-probability of one token per lane, at less cost than all of them.

        Args:
            token: ``[lanes]``.

        Returns:
            In nats, ``[lanes]``.
        """
        return _log_prob(self.logits, token)

    def native_log_prob(self, token: Tensor) -> Tensor:
        """The native log-probability of one token per lane, as `log_prob` gives the steered."""
        assert self.native_logits is not None, "a term reads them without needing `native`"
        return _log_prob(self.native_logits, token)


def _log_prob(logits: Tensor, token: Tensor) -> Tensor:
    return logits.gather(1, token[:, None])[:, 0] - logits.logsumexp(-1)


class Reward(ABC):
    """A term of the reward.

    Attributes:
        name: What users call it, and how it is logged.
        needs: What it asks for; nothing that no term asks for is computed.
    """

    name: ClassVar[str]
    needs: ClassVar[frozenset[Need]] = frozenset()

    @abstractmethod
    def __call__(self, step: Step) -> Tensor:
        """One number per lane, float, ``[lanes]``."""


class SentenceReward(Reward):
    """A term that scores a finished sentence and is zero before its end."""

    needs: ClassVar[frozenset[Need]] = frozenset({"text"})

    @abstractmethod
    def score(self, hypothesis: str, reference: str) -> float:
        """The score of one sentence."""

    def scores(self, hypotheses: Sequence[str], references: Sequence[str]) -> Sequence[float]:
        """The scores of some sentences; to be overridden where they are cheaper together."""
        return [self.score(*pair) for pair in zip(hypotheses, references, strict=True)]

    def __call__(self, step: Step) -> Tensor:
        """The score where a sentence ended, zero elsewhere, ``[lanes]``."""
        reward = torch.zeros_like(step.reads_fraction)
        if step.hypotheses:
            scores = torch.as_tensor(self.scores(step.hypotheses, step.references))
            reward[torch.from_numpy(step.done)] = scores.to(reward)
        return reward


REWARDS: dict[str, type[Reward]] = {}
"""Every known term by name."""


def register_reward(term: R) -> R:
    """Makes a term known by its name, to environments and to ``--reward``; a class decorator.

    Raises:
        ValueError: If the name is taken by another term.
    """
    if REWARDS.get(term.name, term) is not term:
        raise ValueError(f"a reward named {term.name!r} is already registered")
    REWARDS[term.name] = term
    return term
