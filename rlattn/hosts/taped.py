"""Decoding that gradients go back through: sentences that start together, along known targets."""

from __future__ import annotations

import torch
from torch import Tensor

from rlattn.hosts.forward import Lanes, Step
from rlattn.hosts.lanes import shortest
from rlattn.hosts.past import Past
from rlattn.hosts.positions import known_table
from rlattn.hosts.seq2seq import Encoded, Seq2SeqHost
from rlattn.steering import Allocation, Steering
from rlattn.steering.bands import Band


class TapedPast(Past):
    """What lanes wrote, never written over: autograd needs every step's own.

    Args:
        layers: How many layers the decoder has.
        through_time: Whether gradients go back to the steps that wrote it.
    """

    def __init__(self, layers: int, through_time: bool) -> None:
        super().__init__(layers)
        self._through_time = through_time
        self._windows: list[Tensor | None] = [None] * layers

    def write(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Adds a layer's newest keys and values ``[lanes, heads, 1, d_head]``; the window's."""
        window, kept = torch.stack([keys, values]), self._windows[layer]
        if kept is not None:
            window = torch.cat([kept, window], dim=3)
        self._windows[layer] = window if self._through_time else window.detach()
        return window[0], window[1]

    def keep(self, lanes: int) -> None:
        """Drops all but the first lanes."""
        self._windows = [kept if kept is None else kept[:, :lanes] for kept in self._windows]


class TapedDecoder:
    """Writes one token per lane and step, as `LaneDecoder` does, and gradients flow through it.

    All lanes start together, and those at the end may stop before the others.

    Args:
        host: The frozen model.
        encoded: What the lanes read.
        max_target: The most tokens that a lane writes.
        through_time: Whether gradients go back to earlier steps, through the self-attention.

    Raises:
        UnsupportedModelError: If the host's decoder cannot write in lanes.
    """

    def __init__(
        self, host: Seq2SeqHost, encoded: Encoded, max_target: int, *, through_time: bool = True
    ) -> None:
        self._host = host
        # What is encoded in inference mode serves no gradient.
        self._mask, cross = encoded.mask.clone(), encoded.cross.clone()
        self._cross = list(zip(cross[::2], cross[1::2], strict=True))
        self._past = TapedPast(len(self._cross), through_time)
        self._positions = known_table(host, max_target)
        self._forward = shortest(host, Steering(host.model, record=True))
        self._age = 0

    def step(self, tokens: Tensor, allocation: Allocation | None = None) -> Step:
        """Feeds one token to each of the first lanes; the others have stopped.

        Args:
            tokens: Token ids, ``[lanes]``, no more than before.
            allocation: What the cross-attention follows; None for native attention.

        Returns:
            What every lane produced; `attention` is detached.

        Raises:
            SteeringError: If the allocation does not fit.
        """
        lanes = len(tokens)
        self._past.keep(lanes)
        positions = None
        if self._positions is not None:
            positions = self._positions[self._age].clone().expand(lanes, -1)
        band = Band(
            slice(0, lanes),
            self._mask[:lanes, None, None],
            [(keys[:lanes], values[:lanes]) for keys, values in self._cross],
            self._cross[0][0].new_zeros(lanes, 1, 1, self._age + 1),
        )
        step = self._forward(Lanes(tokens, positions, [band], [self._past]), allocation, None)
        self._host.usage.forwards += lanes
        self._age += 1
        return step
