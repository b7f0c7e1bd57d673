"""What the unsteered host says beside the steered one, at the least cost that there is."""

from __future__ import annotations

from collections.abc import Set

import numpy as np
import torch
from torch import Tensor

from rlattn.envs.episodes import Prefix
from rlattn.envs.store import RowStore
from rlattn.hosts import LaneDecoder, LaneSources, Seq2SeqHost
from rlattn.hosts.forward import Step
from rlattn.rewards import Need
from rlattn.storage.state import State, part, take


def wants_stored(needs: Set[Need], prefix: Prefix) -> bool:
    """Whether the native outputs along a prefix that is known ahead are to be stored."""
    if prefix == "free":
        return False
    # Along its own greedy output, the host's choice is the token that is fed back.
    return "native" in needs or ("native_token" in needs and prefix != "host")


class Natives:
    """The native logits of every lane at its present step.

    Along a prefix that is known ahead they come from stored inputs of the output layer, in the
    same matrix product as the steered ones; along the steered output a second decoder writes them.

    Args:
        host: The frozen model.
        sources: What the lanes read.
        needs: What the reward asks for.
        prefix: What is fed back.
        max_target: The longest target in tokens.
        store: Inputs of the output layer, one row per target token.
    """

    def __init__(
        self,
        host: Seq2SeqHost,
        sources: LaneSources,
        needs: Set[Need],
        prefix: Prefix,
        max_target: int,
        store: RowStore,
    ) -> None:
        self._stored = store if wants_stored(needs, prefix) else None
        self._first = np.zeros(sources.lanes, np.int64)
        self._twin: LaneDecoder | None = None
        if prefix == "free" and needs & {"native", "native_token"}:
            self._twin = LaneDecoder(host, sources, max_target)

    @property
    def oldest(self) -> int:
        """The name of the first stored row that a lane still needs."""
        return int(self._first.min())

    def state_dict(self) -> State:
        """Where the lanes are, but for what is stored."""
        return {
            "first": self._first,
            "twin": None if self._twin is None else self._twin.state_dict(),
        }

    def load_state_dict(self, state: State) -> None:
        """Goes on where others were, once the sources are theirs."""
        self._first = take(state, "first", self._first)
        if self._twin is not None:
            self._twin.load_state_dict(part(state, "twin"))

    def start(self, lanes: np.ndarray, first: np.ndarray) -> None:
        """Puts lanes at the start of a sentence whose stored rows begin with `first`."""
        self._first[lanes] = first
        if self._twin is not None:
            self._twin.restart(lanes)

    def beside(self, ages: np.ndarray) -> Tensor | None:
        """Rows for the steered decoder's output layer, ``[lanes, d_head]``, where stored."""
        if self._stored is None:
            return None
        return self._stored.gather(torch.from_numpy(self._first + ages))

    def logits(self, fed: Tensor, step: Step) -> Tensor | None:
        """The native logits, float32, ``[lanes, vocabulary]``; None where nobody needs them.

        Args:
            fed: The tokens that the steered decoder was fed, ``[lanes]``.
            step: What it gave.
        """
        if self._twin is not None:
            return self._twin.step(fed).logits.float()
        return step.beside.float() if len(step.beside) else None
