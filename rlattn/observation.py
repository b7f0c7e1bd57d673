"""What the policy sees before each step; environments and inference build it with the same code."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from rlattn.actions import Before
from rlattn.storage.state import State, take

_LIMIT = float(torch.finfo(torch.float16).max)


def compact(memory: Tensor) -> Tensor:
    """A memory as the policy sees it: float16, finite, of the same shape."""
    return memory.clamp(-_LIMIT, _LIMIT).to(torch.float16)


@dataclass(frozen=True)
class Observation:
    """What the policy sees of every lane.

    Attributes:
        memory: The encoder's output at real source tokens, float16, ``[rows, d_model]``.
        mask: True at real source tokens, ``[lanes, source]``.
        state: The decoder's last hidden state, float32, ``[lanes, d_state]``; zero at the first
            step.
        token: The embedding of the token that the decoder is about to read, float32,
            ``[lanes, d_state]``.
        attention: Where the last step looked, averaged over layers and heads, float32,
            ``[lanes, source]``.
        coverage: The sum of all such attention so far, float32, ``[lanes, source]``.
        source: The tokens of the source, int64, ``[lanes, source]``; only where actions depend on
            them.
        rows: Which row of the memory each real source token is, lane after lane, int64,
            ``[positions]``; None where each has its own, in this order.
    """

    memory: Tensor
    mask: Tensor
    state: Tensor
    token: Tensor
    attention: Tensor
    coverage: Tensor
    source: Tensor | None = None
    rows: Tensor | None = None

    @property
    def before(self) -> Before:
        """What an action family may know of it."""
        return Before(self.attention, self.coverage, self.source)


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
        self._state = torch.zeros(lanes, d_state, device=device)

    def restart(self, lanes: Tensor) -> None:
        """Forgets the given lanes' past."""
        for kept in (self.attention, self.coverage, self._state):
            kept[lanes] = 0.0

    def reorder(self, lanes: Tensor) -> None:
        """Puts the past of other lanes in the place of each lane's own, as beams are exchanged.

        Args:
            lanes: Whose past each lane has from now on, int64, ``[lanes]``.
        """
        for kept in (self.attention, self.coverage, self._state):
            kept.copy_(kept.index_select(0, lanes))

    def record(self, hidden: Tensor, attention: Tensor, covered: Tensor | None = None) -> None:
        """Takes in one step.

        Args:
            hidden: The decoder's last hidden state, ``[lanes, d_state]``.
            attention: The attention that was used, ``[lanes, width]``, `width` at most `source`.
            covered: What is added to the coverage, likewise; the attention itself by default.
        """
        width = attention.shape[1]
        self._state.copy_(hidden)
        self.attention[:, width:] = 0.0
        self.attention[:, :width] = attention
        self.coverage[:, :width] += attention if covered is None else covered

    def state_dict(self) -> State:
        """What it remembers."""
        return {"attention": self.attention, "coverage": self.coverage, "state": self._state}

    def load_state_dict(self, state: State) -> None:
        """Goes on from what another remembered."""
        self.attention = take(state, "attention", self.attention)
        self.coverage = take(state, "coverage", self.coverage)
        self._state = take(state, "state", self._state)

    def view(self, mask: Tensor, lanes: Tensor | None = None) -> dict[str, Tensor]:
        """What it remembers, and the mask; later steps do not change these tensors.

        Args:
            mask: Of all lanes, ``[lanes, width]``, `width` at most `source`.
            lanes: Which lanes to tell of; None for all.

        Returns:
            What `Observation` holds, by name, but for the memory and the token.
        """
        seen = {
            "mask": F.pad(mask, (0, self.attention.shape[1] - mask.shape[1])),
            "state": self._state,
            "attention": self.attention,
            "coverage": self.coverage,
        }
        return {name: t.clone() if lanes is None else t[lanes] for name, t in seen.items()}
