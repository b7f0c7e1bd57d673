"""Made-up sentences in the making, as reward terms see them."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rlattn.rewards import Need, Step, Texts

_VOCABULARY, _SOURCE, _STEPS = 11, 7, 12
_WORDS = np.array(["a", "the", "cat", "dog", "sat", "ran", "not", "good", "bad", "here", "there"])


@dataclass(frozen=True)
class Lane:
    """What one lane does in some steps: two sentences and the beginning of a third.

    Attributes:
        ages: Which step of its sentence each is, from 1, ``[steps]``.
        done: Whether the sentence ends with it, ``[steps]``.
        source: How many source tokens the sentence of each step has, ``[steps]``.
        token: The token that is chosen, ``[steps]``.
        reference: The reference's token, ``[steps]``.
        logits: Steered and native, ``[2, steps, vocabulary]``.
        opened: ``[steps, source]``.
        attention: ``[steps, source]``.
    """

    ages: np.ndarray
    done: np.ndarray
    source: np.ndarray
    token: np.ndarray
    reference: np.ndarray
    logits: Tensor
    opened: Tensor
    attention: Tensor

    @classmethod
    def drawn(cls, seed: int) -> Lane:
        """A lane whose lengths, tokens and numbers are random."""
        rng, chance = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        lengths = rng.integers(1, 6, 2)
        ends = np.cumsum(lengths) - 1
        done = np.isin(np.arange(_STEPS), ends)
        starts = np.concatenate([[0], ends + 1])
        sentence = np.searchsorted(starts, np.arange(_STEPS), side="right") - 1
        source = rng.integers(1, _SOURCE + 1, 3)[sentence]
        token, reference = rng.integers(0, _VOCABULARY, (2, _STEPS))
        valid = torch.arange(_SOURCE) < torch.from_numpy(source)[:, None]
        opened = valid & (torch.rand(_STEPS, _SOURCE, generator=chance) < 0.5)
        opened[:, 0] |= ~opened.any(-1)
        shares = torch.rand(_STEPS, _SOURCE, generator=chance).masked_fill(~opened, 0.0)
        return cls(
            ages=np.arange(_STEPS) - starts[sentence] + 1,
            done=done,
            source=source,
            token=token,
            reference=reference,
            logits=torch.randn(2, _STEPS, _VOCABULARY, generator=chance),
            opened=opened,
            attention=shares / shares.sum(-1, keepdim=True),
        )

    def coverage(self, step: int) -> Tensor:
        """The sum of attention since the sentence began, ``[source]``."""
        return self.attention[step + 1 - self.ages[step] : step + 1].sum(0)

    def texts(self, step: int) -> tuple[str, str, str]:
        """The source, what was written so far, and what should have been written."""
        start = step + 1 - self.ages[step]
        length = int(self.source[step])
        # The first token says nothing, as special ones do: hypotheses may be empty.
        written = " ".join(_WORDS[self.token[start + 1 : step + 1]])
        wanted = " ".join(_WORDS[self.reference[start : step + 1]])
        return " ".join(_WORDS[:length]), written, wanted


def play(lanes: list[Lane], needs: Set[Need], padding: int = 0) -> Iterator[Step]:
    """The steps of some lanes together, with what was asked for and no more.

    Args:
        lanes: What they do.
        needs: What is asked for.
        padding: How many source positions stand behind the longest source.
    """

    def wide(rows: list[Tensor]) -> Tensor:
        return torch.nn.functional.pad(torch.stack(rows), (0, padding))

    for number in range(_STEPS):
        token, reference = (
            torch.tensor([int(tokens[number]) for tokens in sides])
            for sides in zip(*((lane.token, lane.reference) for lane in lanes), strict=True)
        )
        steered, native = (
            torch.stack([lane.logits[side, number] for lane in lanes]) for side in (0, 1)
        )
        # One for all steps of a sentence: its first token's reference.
        labels = torch.tensor(
            [int(lane.reference[number + 1 - lane.ages[number]]) for lane in lanes]
        )
        done = np.array([lane.done[number] for lane in lanes])
        every = np.arange(len(lanes))
        yield Step(
            token=token,
            logits=steered,
            age=torch.tensor([int(lane.ages[number]) for lane in lanes]),
            done=torch.from_numpy(done),
            mask=wide([torch.arange(_SOURCE) < int(lane.source[number]) for lane in lanes]),
            opened=wide([lane.opened[number] for lane in lanes]),
            attention=wide([lane.attention[number] for lane in lanes]),
            coverage=wide([lane.coverage(number) for lane in lanes]),
            native_logits=native if "native" in needs else None,
            native_token=native.argmax(-1) if "native_token" in needs else None,
            reference_token=reference if "reference" in needs else None,
            label=labels if "label" in needs else None,
            finished=_texts(lanes, every[done], number) if "text" in needs else None,
            partial=_texts(lanes, every, number) if "partial" in needs else None,
        )


def _texts(lanes: list[Lane], which: np.ndarray, step: int) -> Texts:
    rows = [lanes[lane].texts(step) for lane in which]
    return Texts(which, *([row[side] for row in rows] for side in range(3)))
