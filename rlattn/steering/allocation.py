"""The allocation: what one action does to the attention over source positions at one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from rlattn.errors import SteeringError

SteeringMode = Literal["bias", "scale", "replace", "mix", "gate"]


@dataclass(frozen=True, slots=True, eq=False)
class Allocation:
    """What one action does to the attention over source positions at one step.

    An allocation holds for every query of a forward. Padding stays shut whatever `values` says
    there.

    Attributes:
        mode: How `values` enters the attention. With native attention `softmax(logits)`:

            - `bias`: `softmax(logits + values)`; finite floats, 0 is native;
            - `scale`: `softmax(logits * values)`; finite floats above 0, 1 is native;
            - `gate`: `softmax` over the positions where `values` is True; all True is native.
              Floats in [0, 1] open a position in part, by a factor on its weight before they are
              renormalised: 0 is shut and 1 is open;
            - `replace`: `values` itself, after it is renormalised over the valid positions;
            - `mix`: `(1 - weight) * native + weight * replace`.

            Gates and weights must leave something on a valid position in every lane.
        values: `[lanes, source]`, the same for all layers and heads, or
            `[lanes, layers, heads, source]`, where layers and heads count all cross-attention
            layers and heads of the model, or are 1 to share one row. bool or floating point for
            `gate`, floating point otherwise; never negative for `replace` and `mix`.
        weight: For `mix` only, in [0, 1]; a scalar tensor, `[lanes]`, or
            `[lanes, layers or 1, heads or 1]`. 0 is native.

    Raises:
        SteeringError: If mode, shapes or dtypes do not fit together.
    """

    mode: SteeringMode
    values: Tensor
    weight: Tensor | None = None

    def __post_init__(self) -> None:
        """Refuse what can be refused without reading a value (which would wait for the device)."""
        if self.mode not in get_args(SteeringMode):
            modes = ", ".join(get_args(SteeringMode))
            raise SteeringError(f"unknown steering mode {self.mode!r}; choose one of {modes}")
        if self.values.ndim not in (2, 4):
            raise SteeringError(
                f"values of shape {list(self.values.shape)}: expected [lanes, source] or "
                "[lanes, layers, heads, source]"
            )
        proper = self.values.dtype == torch.bool or self.values.is_floating_point()
        if self.mode == "gate" and not proper:
            raise SteeringError(
                f"a gate's values must be bool, or floating point in [0, 1], not "
                f"{self.values.dtype}"
            )
        if self.mode != "gate" and not self.values.is_floating_point():
            raise SteeringError(f"{self.mode} needs floating-point values, not {self.values.dtype}")
        if (self.weight is not None) != (self.mode == "mix"):
            raise SteeringError("`mix` needs a weight, and no other mode takes one")
        if self.weight is not None and not _weighs(self.weight, len(self.values)):
            lanes = len(self.values)
            raise SteeringError(
                f"a mix weight of shape {list(self.weight.shape)}: expected a scalar, [{lanes}], "
                f"one number per lane, or [{lanes}, layers or 1, heads or 1]"
            )

    @property
    def shares_layers(self) -> bool:
        """Whether all layers get the same values, and the same weight."""
        weight = self.weight is None or self.weight.ndim < 3 or self.weight.shape[1] == 1
        return weight and (self.values.ndim == 2 or self.values.shape[1] == 1)

    @property
    def is_plain_gate(self) -> bool:
        """Whether it is a gate of bools that all layers and heads share."""
        return self.mode == "gate" and self.values.ndim == 2 and self.values.dtype == torch.bool

    def part(self, lanes: slice, source: int) -> Allocation:
        """What it does to some lanes, over the first `source` positions."""
        weight = self.weight if self.weight is None or not self.weight.ndim else self.weight[lanes]
        return Allocation(self.mode, self.values[lanes, ..., :source], weight)

    def for_layer(self, layer: int) -> Tensor:
        """The values of one layer, with axes for heads and queries.

        Args:
            layer: Index among the model's cross-attention layers, from 0.

        Returns:
            `[lanes, heads or 1, 1, source]`, a view.
        """
        if self.values.ndim == 2:
            return self.values[:, None, None, :]
        return self.values[:, min(layer, self.values.shape[1] - 1), :, None, :]

    def weight_for_layer(self, layer: int) -> Tensor:
        """The weight of one layer, for `mix` only.

        Args:
            layer: Index among the model's cross-attention layers, from 0.

        Returns:
            `[lanes or 1, heads or 1, 1, 1]`, a view.
        """
        assert self.weight is not None, "only `mix` has a weight"
        if self.weight.ndim < 3:
            return self.weight.reshape(-1, 1, 1, 1)
        return self.weight[:, min(layer, self.weight.shape[1] - 1), :, None, None]

    def check_shape(self, lanes: int, layers: int, heads: int, source: int) -> None:
        """Refuse an allocation that was made for another batch, source or model.

        Args:
            lanes: Lanes of the forward.
            layers: Cross-attention layers of the model.
            heads: Cross-attention heads of the model.
            source: Source positions of the forward, padding included.

        Raises:
            SteeringError: If the shapes differ; names both.
        """
        shape = tuple(self.values.shape)
        shared = shape if len(shape) == 2 else (shape[0], shape[3])
        inner = () if len(shape) == 2 else shape[1:3]
        if shared != (lanes, source) or not _fits(inner, (layers, heads)):
            raise SteeringError(
                f"values of shape {list(shape)} do not fit a forward of {lanes} lanes over "
                f"{source} source positions in {layers} layers of {heads} heads: expected "
                f"[{lanes}, {source}] or [{lanes}, {layers} or 1, {heads} or 1, {source}]"
            )
        if self.weight is not None and not _fits(tuple(self.weight.shape[1:]), (layers, heads)):
            raise SteeringError(
                f"a mix weight of shape {list(self.weight.shape)} does not fit {layers} layers of "
                f"{heads} heads: expected a scalar, [{lanes}] or "
                f"[{lanes}, {layers} or 1, {heads} or 1]"
            )


def _fits(sizes: tuple[int, ...], full: tuple[int, int]) -> bool:
    return not sizes or all(n in (1, expected) for n, expected in zip(sizes, full, strict=True))


def _weighs(weight: Tensor, lanes: int) -> bool:
    return not weight.ndim or (weight.ndim in (1, 3) and len(weight) == lanes)
