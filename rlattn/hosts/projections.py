"""The keys and values that a decoder's cross-attention makes of the memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


class CrossProjections:
    """Computes the cross-attention's caches, after the first time without the decoder.

    The first time, the decoder itself makes them, and the modules that it gives the memory to are
    noted. Where these alone give the same, they are all that is called from then on.

    Args:
        decoder: A model's decoder.
    """

    def __init__(self, decoder: nn.Module) -> None:
        self._decoder = decoder
        self._modules: list[nn.Module] | None = None

    def __call__(self, memory: Tensor, decode: Callable[[], list[Tensor]]) -> Tensor:
        """The caches for a memory.

        Args:
            memory: ``[rows, source, d_model]``.
            decode: Runs a step of the decoder on it, and returns the keys and values of each
                layer's cross-attention in turn, ``[rows, heads, source, d_head]`` each.

        Returns:
            ``[2 * layers, rows, heads, source, d_head]``.
        """
        if self._modules is None:
            return self._learn(memory, decode)
        return self._project(memory) if self._modules else torch.stack(decode())

    def _learn(self, memory: Tensor, decode: Callable[[], list[Tensor]]) -> Tensor:
        given: list[nn.Module] = []

        def note(module: nn.Module, args: tuple[object, ...]) -> None:
            if args and args[0] is memory:
                given.append(module)

        linear = [module for module in self._decoder.modules() if isinstance(module, nn.Linear)]
        hooks = [module.register_forward_pre_hook(note) for module in linear]
        try:
            cross = torch.stack(decode())
        finally:
            for hook in hooks:
                hook.remove()
        self._heads, self._modules = cross.shape[2], given
        if len(given) != len(cross) or not torch.allclose(self._project(memory), cross, atol=1e-5):
            self._modules = []
        return cross

    def _project(self, memory: Tensor) -> Tensor:
        assert self._modules is not None
        rows, source, _ = memory.shape
        heads = [
            module(memory).view(rows, source, self._heads, -1).transpose(1, 2)
            for module in self._modules
        ]
        return torch.stack(heads)
