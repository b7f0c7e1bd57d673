"""Any action family, with a decision of its own for each cross-attention layer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import gymnasium
import numpy as np
from gymnasium import spaces
from torch import Tensor

from rlattn.actions.base import ActionFamily, Before
from rlattn.actions.distributions import MaskedDistribution
from rlattn.actions.registry import make_family, register_family, whole_number
from rlattn.errors import InputError
from rlattn.hosts import Host, Seq2SeqHost
from rlattn.steering import Allocation, Steering

_MOST_LAYERS = 1_000
"""No host has as many; a name that says more, as in a damaged file, must not be built."""


class Layered(MaskedDistribution):
    """Independent actions of all layers, side by side.

    Args:
        each: The distribution of each layer's action, lane after lane, ``[lanes * layers]``.
        layers: How many layers.
    """

    def __init__(self, each: MaskedDistribution, layers: int) -> None:
        self._each, self._layers = each, layers

    def sample(self) -> Tensor:
        """A draw for each layer, ``[lanes, layers * size]``."""
        return _unfold(self._each.sample(), self._layers)

    def mode(self) -> Tensor:
        """The mode of each layer, ``[lanes, layers * size]``."""
        return _unfold(self._each.mode(), self._layers)

    def log_prob(self, action: Tensor) -> Tensor:
        """The sum of the layers' log-densities, ``[lanes]``."""
        return _unfold(self._each.log_prob(_fold(action, self._layers)), self._layers).sum(-1)

    def entropy(self) -> Tensor:
        """The sum of the layers' entropies, ``[lanes]``."""
        return _unfold(self._each.entropy(), self._layers).sum(-1)


@register_family
class PerLayer(ActionFamily):
    """The actions of all layers, the first layer's first; shared by the heads of a layer.

    To the family inside, each layer of a lane is a lane.

    Args:
        inside: What is decided for each layer.
        layers: How many layers there are; None until `fit`.

    Raises:
        InputError: If the count is below 1 or absurd, or the family inside has layers already.
    """

    name = "per-layer"

    def __init__(self, inside: ActionFamily, layers: int | None = None) -> None:
        if layers is not None and layers < 1:
            raise InputError(f"per-layer:{layers}: expected at least one layer")
        if layers is not None and layers > _MOST_LAYERS:
            raise InputError(f"per-layer:{layers}: expected at most {_MOST_LAYERS:,} layers")
        if isinstance(inside, PerLayer):
            raise InputError(f"per-layer:{inside.spec}: expected a family that has no layers yet")
        self.inside, self._layers = inside, layers
        self.mode, self.chooses_reads = inside.mode, inside.chooses_reads
        self.reads_tokens, self.segments = inside.reads_tokens, inside.segments
        self.initial = inside.initial * (layers or 1)

    @classmethod
    def of(cls, argument: str | None) -> Self:
        """``per-layer:family``, or ``per-layer:layers:family`` once the host is known."""
        first, _, rest = (argument or "").partition(":")
        layers = whole_number(first)
        inside = argument if layers is None else rest
        if (inside or "").partition(":")[0] == cls.name:
            raise InputError(f"per-layer:{inside:.40}: expected a family that has no layers yet")
        if layers is not None and rest:
            return cls(make_family(rest), layers)
        if not argument or layers is not None:
            raise InputError(
                f"action per-layer{f':{argument}' if argument else ''}: expected a family, as in "
                "per-layer:gate"
            )
        return cls(make_family(argument))

    @property
    def spec(self) -> str:
        """``per-layer:layers:family``."""
        count = "" if self._layers is None else f"{self._layers}:"
        return f"{self.name}:{count}{self.inside.spec}"

    @property
    def layers(self) -> int:
        """How many layers there are.

        Raises:
            InputError: If that is not known yet.
        """
        if self._layers is None:
            raise InputError(
                f"action {self.spec}: the number of layers depends on the host: use fit(host), or "
                f"say it, as in per-layer:6:{self.inside.spec}"
            )
        return self._layers

    def fit(self, host: Host) -> PerLayer:
        """The family for the cross-attention layers that a host has.

        Raises:
            InputError: If the host has no cross-attention, or the family was made for another
                number of layers.
        """
        if not isinstance(host, Seq2SeqHost):
            raise InputError(
                f"action {self.spec}: host {host.name} has no cross-attention, whose layers could "
                f"differ: use {self.inside.spec}"
            )
        found = Steering(host.model).layers_count
        if self._layers not in (None, found):
            raise InputError(
                f"action {self.spec}: host {host.name} has {found} cross-attention layers"
            )
        return PerLayer(self.inside.fit(host), found)

    def on(self, before: Before) -> PerLayer:
        """The family for lanes of which this is known, and so of each of their layers."""
        inside = self.inside.on(before.each(self._each))
        return self if inside is self.inside else PerLayer(inside, self.layers)

    def space(self, source: int) -> gymnasium.Space[Any]:
        """The space of the family inside, once for each layer."""
        space, layers = self.inside.space(source), self.layers
        if isinstance(space, spaces.MultiBinary):
            return spaces.MultiBinary(layers * int(np.prod(space.n)))
        if isinstance(space, spaces.Discrete):
            return spaces.MultiDiscrete(np.full(layers, space.n), start=[space.start] * layers)
        if isinstance(space, spaces.MultiDiscrete):
            counts, start = (np.tile(n.ravel(), layers) for n in (space.nvec, space.start))
            return spaces.MultiDiscrete(counts, start=start)
        if isinstance(space, spaces.Box):
            low, high = (np.tile(end.ravel(), layers) for end in (space.low, space.high))
            return spaces.Box(low, high, dtype=np.float32)
        raise InputError(
            f"action {self.spec}: cannot repeat a {type(space).__name__} for each layer: expected "
            "MultiBinary, Discrete, MultiDiscrete or Box"
        )

    def distribution(self, parameters: Tensor, mask: Tensor) -> Layered:
        """Each layer's own, from numbers of its own."""
        lanes, source = mask.shape
        each = parameters.reshape(lanes, source, self.layers, -1).transpose(1, 2).flatten(0, 1)
        return Layered(self.inside.distribution(each, self._each(mask)), self.layers)

    def allocation(self, action: Tensor, mask: Tensor) -> Allocation:
        """Each layer's own, in ``[lanes, layers, heads or 1, source]``."""
        lanes, source = mask.shape
        each = self.inside.allocation(_fold(action, self.layers), self._each(mask))
        values, weight = each.values.reshape(lanes, self.layers, -1, source), each.weight
        if weight is not None and weight.ndim:
            weight = weight.reshape(lanes, self.layers, -1)
        return replace(each, values=values, weight=weight)

    def opened(self, action: Tensor, mask: Tensor) -> Tensor:
        """What any layer leaves open."""
        each = self.inside.opened(_fold(action, self.layers), self._each(mask))
        return each.reshape(len(mask), self.layers, -1).any(1)

    def narrow(self, action: Tensor, source: int) -> Tensor:
        """The part of each layer's action."""
        action = action.reshape(len(action), -1)
        return _unfold(self.inside.narrow(_fold(action, self.layers), source), self.layers)

    def widen(self, action: Tensor, source: int) -> Tensor:
        """Each layer's action on more positions."""
        return _unfold(self.inside.widen(_fold(action, self.layers), source), self.layers)

    def _each(self, rows: Tensor) -> Tensor:
        return rows.repeat_interleave(self.layers, dim=0)


def _fold(action: Tensor, layers: int) -> Tensor:
    """Each layer's action as that of a lane, ``[lanes * layers, size]``."""
    return action.reshape(len(action) * layers, -1)


def _unfold(rows: Tensor, layers: int) -> Tensor:
    """What all layers have, side by side, ``[lanes, layers * size]``."""
    return rows.reshape(len(rows) // layers, -1)
