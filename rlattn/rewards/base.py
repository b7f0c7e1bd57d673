"""What a reward term is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from rlattn.errors import ContractError
from rlattn.rewards.step import Need, Step, Texts
from rlattn.storage.state import State, attributes, part, set_attributes


class Reward(ABC):
    """A term of the reward: one number per lane and step.

    A term may remember things between steps; where ``step.age`` is 1, a lane has begun a new
    sentence.

    Attributes:
        name: What users call it, and how it is logged.
        needs: What it asks for; nothing that no term asks for is computed.
        immediate: Whether its number at a step is owed to that step alone, and not to those before
            it. Where all terms are like that, a discount of 0 learns best.
    """

    name: str
    needs: frozenset[Need] = frozenset()
    immediate: bool = True

    @abstractmethod
    def __call__(self, step: Step) -> Tensor:
        """One number per lane, floating point, ``[lanes]``."""

    def seed(self, seed: int) -> None:  # noqa: B027  (most terms have nothing to do)
        """Begins anew: the environment's seed was set.

        Args:
            seed: Fixes everything that is random.
        """

    def state_dict(self) -> State:
        """What it remembers, for checkpoints.

        These are its attributes that are tensors, arrays, numbers or terms. A term that remembers
        anything else overrides this, and `load_state_dict`, too.
        """
        terms = {name: term for name, term in vars(self).items() if isinstance(term, Reward)}
        return attributes(self) | {name: term.state_dict() for name, term in terms.items()}

    def load_state_dict(self, state: State) -> None:
        """Remembers what a term of the same kind did.

        Raises:
            InputError: If the state is not that of such a term.
        """
        set_attributes(self, state)
        for name, term in vars(self).items():
            if isinstance(term, Reward):
                term.load_state_dict(part(state, name))

    def rehearse(self, texts: Texts) -> None:  # noqa: B027  (likewise)
        """Tries on some texts what it would do at the end of sentences, and forgets it.

        Args:
            texts: Sentences of two or more lanes.

        Raises:
            ContractError: If it would break a rule.
        """


class SentenceReward(Reward):
    """A term that scores a finished sentence and is zero before its end."""

    needs: frozenset[Need] = frozenset({"text"})
    immediate = False

    @abstractmethod
    def score(
        self, sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str]
    ) -> Sequence[float]:
        """The scores of some sentences, in their order.

        Args:
            sources: What was translated.
            hypotheses: What was written; may be empty, and may break off in a word.
            references: What should have been written.
        """

    def __call__(self, step: Step) -> Tensor:
        """The score where a sentence ended, zero elsewhere, ``[lanes]``."""
        return step.scatter(self.scores(step.finished), step.finished.lanes)

    def scores(self, texts: Texts) -> Tensor:
        """The scores of sentences, one each, ``[count]``.

        Raises:
            ContractError: If `score` does not give one number for each sentence.
        """
        if not len(texts.lanes):
            return torch.zeros(0)
        given = self.score(*texts[1:])
        try:
            scores = torch.as_tensor(given, dtype=torch.float32)
        except (TypeError, ValueError) as error:
            raise ContractError(
                f"the score {self.name!r} gave {type(given).__name__}, which does not hold numbers "
                f"({error}): expected one number for each sentence"
            ) from error
        if scores.shape != (len(texts.lanes),):
            raise ContractError(
                f"the score {self.name!r} gave numbers of shape {list(scores.shape)} for "
                f"{len(texts.lanes)} sentences: expected one for each, [{len(texts.lanes)}]"
            )
        if not scores.isfinite().all():
            bad = int((~scores.isfinite()).nonzero()[0])
            raise ContractError(
                f"the score {self.name!r} gave {scores[bad].item()} for "
                f"{texts.hypotheses[bad]!r}, where {texts.references[bad]!r} should stand: "
                "expected finite numbers"
            )
        return scores

    def rehearse(self, texts: Texts) -> None:
        """Scores the texts."""
        self.scores(texts)
