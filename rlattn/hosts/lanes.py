"""Decoding N lanes in one forward, each at its own position.

A lane that starts anew only forgets how many columns of its past are its own: relative position
schemes stay correct as they are, absolute ones are looked up in a table.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from rlattn.hosts.direct import DirectForward, is_of_bart_build
from rlattn.hosts.forward import Forward, Lanes, ModelForward, Step
from rlattn.hosts.past import Past
from rlattn.hosts.positions import known_table
from rlattn.hosts.seq2seq import Seq2SeqHost
from rlattn.hosts.sources import LaneSources
from rlattn.steering import Allocation, Steering
from rlattn.steering.bands import Band
from rlattn.storage.state import State, parts, take


class LaneDecoder:
    """Writes one token per lane and step; any lane can start anew at any time.

    Args:
        host: The frozen model.
        sources: What the lanes read; several decoders may share it.
        max_target: The most tokens that a lane writes before it starts anew.
        record: Whether steps tell where they looked.
        forward: The way through the decoder; by default the shortest that gives what the model
            gives.

    Raises:
        UnsupportedModelError: If the decoder numbers its positions in a way that cannot be set
            for each lane on its own, or its attention cannot be routed by bands.
    """

    def __init__(
        self,
        host: Seq2SeqHost,
        sources: LaneSources,
        max_target: int,
        *,
        record: bool = False,
        forward: Forward | None = None,
    ) -> None:
        self.host, self.sources = host, sources
        self.ages = np.zeros(sources.lanes, np.int64)
        self._positions = known_table(host, max_target)
        self._columns = np.arange(max_target)[::-1]
        self._shut = torch.finfo(host.dtype).min
        self._pasts: list[Past] = []
        self._forward = forward or shortest(host, Steering(host.model, record=record))

    def restart(self, lanes: np.ndarray) -> None:
        """Makes the given lanes forget what they wrote."""
        self.ages[lanes] = 0

    def state_dict(self) -> State:
        """What the lanes wrote, but for their sources."""
        return {"ages": self.ages, "pasts": [past.state_dict() for past in self._pasts]}

    def load_state_dict(self, state: State) -> None:
        """Goes on from what others wrote, once the sources are theirs."""
        self.ages = take(state, "ages", self.ages)
        self._pasts = []
        for number, past in enumerate(parts(state, "pasts")):
            lanes, cross = self.sources.band(number)
            self._pasts.append(Past(self.sources.layers))
            self._pasts[-1].load_state_dict(past, cross[0][0], lanes.stop - lanes.start)

    def keep(self, lanes: np.ndarray) -> None:
        """Drops all but the given lanes, in ascending order, here and in the sources."""
        self.ages = self.ages[lanes]
        self.sources.keep(lanes)
        if self._pasts:
            bands = [self.sources.band(number)[0] for number in range(self.sources.bands)]
            rows = torch.as_tensor(lanes, device=self.host.device)
            self._pasts = Past.regroup(self._pasts, rows, bands)

    @torch.inference_mode()
    def follow(self, lanes: Tensor) -> None:
        """Has each lane go on from what another did in the last step.

        The two must have been alike until then, their sources included: nothing else is copied.

        Args:
            lanes: Which lane each of them goes on from, int64, ``[lanes]``.
        """
        bands = [self.sources.band(number)[0] for number in range(self.sources.bands)]
        Past.exchange(self._pasts, lanes, bands)

    @torch.inference_mode()
    def step(
        self, tokens: Tensor, allocation: Allocation | None = None, beside: Tensor | None = None
    ) -> Step:
        """Feeds one token to every lane.

        Args:
            tokens: Token ids, ``[lanes]``.
            allocation: What the cross-attention follows; None for native attention.
            beside: More rows for the output layer, ``[rows, d_head]``, as earlier steps gave them
                in `Step.head`; their logits come out of the same matrix product.

        Returns:
            What every lane produced.

        Raises:
            SteeringError: If the allocation does not fit.
        """
        positions = None
        if self._positions is not None:
            positions = self._positions[torch.as_tensor(self.ages, device=self._positions.device)]
        bands = self._bands()
        step = self._forward(Lanes(tokens, positions, bands, self._pasts), allocation, beside)
        self.host.usage.forwards += len(tokens)
        self.ages += 1
        for past in self._pasts:
            past.advance()
        return step

    def _bands(self) -> list[Band]:
        """The bands of the next forward; their pasts are made ready for it."""
        sources = self.sources
        self._pasts = self._pasts or [Past(sources.layers) for _ in range(sources.bands)]
        bands = []
        for number, past in enumerate(self._pasts):
            lanes, cross = sources.band(number)
            ages = self.ages[lanes]
            columns = int(ages.max())
            past.narrow(columns)
            # Additive, for that is what self-attention needs in every layer.
            before = self._columns[-columns - 1 :] > ages[:, None]
            own = torch.from_numpy(np.where(before, self._shut, 0.0))
            own = own.to(self.host.device, self.host.dtype)[:, None, None]
            mask = sources.mask[lanes, None, None, : cross[0][0].shape[2]]
            bands.append(Band(lanes, mask, cross, own))
        return bands


_pre_norm: WeakKeyDictionary[Seq2SeqHost, bool | None] = WeakKeyDictionary()


def shortest(host: Seq2SeqHost, steering: Steering) -> Forward:
    """The shortest way through a host's decoder that gives what the model gives."""
    if host not in _pre_norm:
        _pre_norm[host] = next(
            (norm for norm in (False, True) if is_of_bart_build(host) and _agrees(host, norm)), None
        )
    pre_norm = _pre_norm[host]
    return (
        ModelForward(host, steering)
        if pre_norm is None
        else DirectForward(host, steering, pre_norm)
    )


def _agrees(host: Seq2SeqHost, pre_norm: bool) -> bool:
    """Whether the direct way gives what the model's own forward gives, on made-up tokens."""
    sources = [[token % host.vocabulary for token in row] for row in ([5, 7, 6], [8])]
    encoded = host.encode(sources)
    steering = Steering(host.model, record=True)
    ways = ModelForward(host, steering), DirectForward(host, steering, pre_norm)
    decoders = [LaneDecoder(host, LaneSources.of(encoded), 2, forward=way) for way in ways]
    beside = encoded.memory.new_zeros(1, host.d_head)
    for token in (host.start_token, 9 % host.vocabulary):
        tokens = torch.full((2,), token, device=host.device)
        expected, found = (decoder.step(tokens, beside=beside) for decoder in decoders)
        beside = expected.head
        for theirs, ours in zip(expected, found, strict=True):
            assert theirs is not None
            assert ours is not None
            # Half the digits: far above rounding, far below what another formula would give.
            # Words that a model rules out have logits of -inf.
            finite = theirs.where(theirs.isfinite(), 0.0).abs()
            tolerance = torch.finfo(theirs.dtype).eps ** 0.5 * finite.max().item()
            if not torch.allclose(ours, theirs, rtol=0.0, atol=tolerance):
                return False
    return True
