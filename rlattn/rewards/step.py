"""What a reward term is told of a step."""

from __future__ import annotations

from functools import cached_property
from typing import Literal, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from rlattn.errors import ContractError

T = TypeVar("T")
Need = Literal["native", "native_token", "reference", "label", "text", "partial"]
"""What a term asks for: native logits, the native choice, the reference as prefix, the label of a
text, the texts of sentences that ended, the texts of all lanes so far.
"""


class Texts(NamedTuple):
    """What some lanes read, wrote and should have written.

    Attributes:
        lanes: Which lanes, in ascending order, int64, ``[count]``.
        sources: Their source sentences.
        hypotheses: What they wrote.
        references: What they should have written.
    """

    lanes: np.ndarray
    sources: list[str]
    hypotheses: list[str]
    references: list[str]

    def only(self, lane: int) -> Texts:
        """Those of one lane, as if there were no other: of one sentence, or none."""
        here = np.flatnonzero(self.lanes == lane)
        sides = ([side[i] for i in here] for side in self[1:])
        return Texts(np.zeros_like(here), *sides)


class Step:
    """One step of all lanes, as reward terms see it; all tensors are on the host's device.

    What only some terms need is computed only where a term asks for it, by `Reward.needs`; a term
    that reads what it did not ask for is told so.

    Args:
        token: The token that the steered host chose, int64, ``[lanes]``.
        logits: The steered host's, float32, ``[lanes, vocabulary]``.
        age: Which step of its sentence this is for each lane, from 1, int64, ``[lanes]``.
        done: Lanes whose sentence ended with this step, bool, ``[lanes]``.
        mask: True at real source tokens, ``[lanes, source]``.
        opened: True at source positions that the allocation left open in any layer or head,
            ``[lanes, source]``.
        attention: The attention that was used, mean over layers and heads, float32,
            ``[lanes, source]``.
        coverage: The sum of such attention since the sentence began, this step included, float32,
            ``[lanes, source]``.
        native_logits: The unsteered host's after the same prefix, float32,
            ``[lanes, vocabulary]``; for terms that need ``"native"``.
        native_token: The token that the unsteered host chooses, int64, ``[lanes]``; for terms that
            need ``"native_token"``, which costs less than ``"native"`` where the prefix is the
            host's own output.
        reference_token: The reference's token at this step, int64, ``[lanes]``; for terms that
            need ``"reference"``.
        label: The label of a text that is classified, which is its reference's token at every
            step, int64, ``[lanes]``; for terms that need ``"label"``.
        finished: The sentences that ended with this step; for terms that need ``"text"``.
        partial: All sentences as far as they are written; for terms that need ``"partial"``.

    Attributes:
        reader: Name and needs of the term that reads it now; None for whoever may read all of it.
    """

    def __init__(
        self,
        *,
        token: Tensor,
        logits: Tensor,
        age: Tensor,
        done: Tensor,
        mask: Tensor,
        opened: Tensor,
        attention: Tensor,
        coverage: Tensor,
        native_logits: Tensor | None = None,
        native_token: Tensor | None = None,
        reference_token: Tensor | None = None,
        label: Tensor | None = None,
        finished: Texts | None = None,
        partial: Texts | None = None,
    ) -> None:
        self.token, self.logits, self.age, self.done = token, logits, age, done
        self.mask, self.opened = mask, opened
        self.attention, self.coverage = attention, coverage
        self._native_logits, self._native_token = native_logits, native_token
        self._reference_token, self._label = reference_token, label
        self._finished, self._partial = finished, partial
        self.reader: tuple[str, frozenset[Need]] | None = None

    @property
    def native_logits(self) -> Tensor:
        """The unsteered host's after the same prefix, float32, ``[lanes, vocabulary]``."""
        return self._asked_for(self._native_logits, "native_logits", "native")

    @property
    def native_token(self) -> Tensor:
        """The token that the unsteered host chooses, int64, ``[lanes]``."""
        return self._asked_for(self._native_token, "native_token", "native_token")

    @property
    def reference_token(self) -> Tensor:
        """The reference's token at this step, int64, ``[lanes]``."""
        return self._asked_for(self._reference_token, "reference_token", "reference")

    @property
    def label(self) -> Tensor:
        """The label of a text that is classified, int64, ``[lanes]``."""
        return self._asked_for(self._label, "label", "label")

    @property
    def finished(self) -> Texts:
        """The sentences that ended with this step."""
        return self._asked_for(self._finished, "finished", "text")

    @property
    def partial(self) -> Texts:
        """All sentences as far as they are written."""
        return self._asked_for(self._partial, "partial", "partial")

    @cached_property
    def reads_fraction(self) -> Tensor:
        """Open positions over valid positions, float32, ``[lanes]``."""
        return self.opened.sum(-1) / self.mask.sum(-1)

    @cached_property
    def log_probs(self) -> Tensor:
        """The steered host's log-probabilities in nats, ``[lanes, vocabulary]``."""
        return self.logits.log_softmax(-1)

    @cached_property
    def native_log_probs(self) -> Tensor:
        """The unsteered host's log-probabilities in nats, ``[lanes, vocabulary]``."""
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
        return _log_prob(self.native_logits, token)

    def scatter(self, values: Tensor, lanes: np.ndarray) -> Tensor:
        """Numbers of some lanes among zeros, float32, ``[lanes]``."""
        wide = torch.zeros(len(self.token), device=self.token.device)
        wide[torch.from_numpy(lanes).to(wide.device)] = values.to(wide)
        return wide

    def only(self, lane: int) -> Step:
        """The same step of one lane alone, to whoever reads this one."""

        def here(rows: Tensor | None) -> Tensor | None:
            return None if rows is None else rows[lane : lane + 1]

        tensors = ("token", "logits", "age", "done", "mask", "opened", "attention", "coverage")
        alone = Step(
            **{name: getattr(self, name)[lane : lane + 1] for name in tensors},
            native_logits=here(self._native_logits),
            native_token=here(self._native_token),
            reference_token=here(self._reference_token),
            label=here(self._label),
            finished=None if self._finished is None else self._finished.only(lane),
            partial=None if self._partial is None else self._partial.only(lane),
        )
        alone.reader = self.reader
        return alone

    def _asked_for(self, value: T | None, name: str, need: Need) -> T:
        who, needs = self.reader or ("", frozenset({need}))
        # Not even where another term asked: it would break when that one is taken away.
        if value is None or need not in needs:
            raise ContractError(
                f"the reward {who!r} reads step.{name} and did not ask for it: give it "
                f"needs = frozenset({{{need!r}}}), or register its function with needs={{{need!r}}}"
            )
        return value


def _log_prob(logits: Tensor, token: Tensor) -> Tensor:
    return logits.gather(1, token[:, None])[:, 0] - logits.logsumexp(-1)
