"""What the policy sees before each step; environments and inference build it with the same code."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_LIMIT = float(torch.finfo(torch.float16).max)


def compact(memory: Tensor) -> Tensor:
    """A memory as the policy sees it: float16, finite, of the same shape."""
    return memory.clamp(-_LIMIT, _LIMIT).to(torch.float16)


@dataclass(frozen=True)
class Observation:
    """What the policy sees of every lane.

    Attributes:
        memory: The encoder's output at the real source tokens, lane after lane, float16,
            ``[positions, d_model]``.
        mask: True at real source tokens, ``[lanes, source]``.
        state: The decoder's last hidden state beside the embedding of the token that it is about
            to read, float32, ``[lanes, 2 * d_state]``. The first half is zero at the first step.
        attention: Where the last step looked, averaged over layers and heads, float32,
            ``[lanes, source]``.
        coverage: The sum of all such attention so far, float32, ``[lanes, source]``.
    """

    memory: Tensor
    mask: Tensor
    state: Tensor
    attention: Tensor
    coverage: Tensor


class Observer:
    """Remembers for each lane what the next observation needs of the steps before.

    Args:
        lanes: How many lanes there are.
        source: The longest source, in tokens.
        d_state: Width of the decoder's hidden state.
        device: Where the tensors are.
    """

    def __init__(self, lanes: int, source: int, d_state: int, device: torch.device) -> None:
        self.attention = torch.zeros(lanes, source, device=device)
        self.coverage = torch.zeros(lanes, source, device=device)
        self._hidden = torch.zeros(lanes, d_state, device=device)

    def restart(self, lanes: Tensor) -> None:
        """Forgets the given lanes' past."""
        for kept in (self.attention, self.coverage, self._hidden):
            kept[lanes] = 0.0

    def record(self, hidden: Tensor, attention: Tensor) -> None:
        """Takes in one step.

        Args:
            hidden: The decoder's last hidden state, ``[lanes, d_state]``.
            attention: The attention that was used, ``[lanes, width]``, `width` at most `source`.
        """
        width = attention.shape[1]
        self._hidden.copy_(hidden)
        self.attention[:, width:] = 0.0
        self.attention[:, :width] = attention
        self.coverage[:, :width] += attention

    def view(self, mask: Tensor, embedded: Tensor) -> dict[str, Tensor]:
        """All of an observation but its memory; later steps do not change these tensors.

        Args:
            mask: ``[lanes, source]``.
            embedded: The embedding of the token that is fed next, ``[lanes, d_state]``.

        Returns:
            What `Observation` holds, by name.
        """
        return {
            "mask": mask,
            "state": torch.cat([self._hidden, embedded.float()], dim=1),
            "attention": self.attention.clone(),
            "coverage": self.coverage.clone(),
        }

    def started(self, mask: Tensor, embedded: Tensor) -> dict[str, Tensor]:
        """The view of lanes that stand at their start.

        Args:
            mask: ``[lanes, source]``.
            embedded: The embedding of the start token, ``[1, d_state]``.

        Returns:
            As `view` gives it; what is the same for all lanes has one row.
        """
        blank = torch.zeros_like(self.attention[:1])
        state = torch.cat([torch.zeros_like(self._hidden[:1]), embedded.float()], dim=1)
        return {"mask": mask, "state": state, "attention": blank, "coverage": blank}
