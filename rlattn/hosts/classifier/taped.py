"""Labels that gradients go back from, to the embeddings of a text's tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from rlattn.errors import UnsupportedModelError
from rlattn.hosts.classifier.framing import Framing


class TapedTexts(NamedTuple):
    """What a classifier says of texts, and what it depends on.

    Attributes:
        logits: ``[rows, labels]``, float32; a function of `embeddings`.
        embeddings: What the model's input embedding gives for the texts' own tokens, a leaf that
            requires a gradient, ``[rows, source, width]``, without positions. Where a model
            normalises just that, as ModernBERT does, it is what the norm gives: for what goes into
            a norm, gradient x input is 0. Behind a text stand special tokens and padding.
        mask: True at real tokens, ``[rows, source]``.
    """

    logits: Tensor
    embeddings: Tensor
    mask: Tensor


class Tape:
    """Takes note of the embeddings of the texts' own tokens in one forward."""

    def __init__(self, framing: Framing, name: str) -> None:
        self._framing, self._name = framing, name
        self._leaf: Tensor | None = None
        self._given: Tensor | None = None

    def embedded(self, module: nn.Module, args: Any, output: Tensor) -> Tensor:
        """A hook on the input embedding: puts a leaf in the place of the texts' own tokens."""
        if self._leaf is not None:
            raise self._refused()
        before, after = len(self._framing.before), len(self._framing.after)
        sizes = [before, output.shape[1] - before - after, after]
        first, own, last = torch.split(output.detach(), sizes, dim=1)
        self._leaf = own.clone().requires_grad_()
        self._given = torch.cat([first, self._leaf, last], dim=1)
        return self._given

    def normalised(self, module: nn.Module, args: Any, output: Tensor) -> Tensor:
        """A hook on a norm: begins anew behind it if it normalises just what was embedded."""
        if not args or args[0] is not self._given:
            return output
        self._leaf = None
        return self.embedded(module, args, output)

    @property
    def embeddings(self) -> Tensor:
        """The leaf, ``[rows, source, width]``.

        Raises:
            UnsupportedModelError: If the tokens were not embedded.
        """
        if self._leaf is None:
            raise self._refused()
        return self._leaf

    def _refused(self) -> UnsupportedModelError:
        return UnsupportedModelError(
            f"{self._name}: no gradient goes back to its input embeddings, for it does not embed "
            "its tokens once in a forward; rank them by another score"
        )


@contextmanager
def taped(model: Any, framing: Framing, name: str) -> Iterator[Tape]:
    """Inside, in one forward, the input embeddings of the texts' own tokens are kept.

    Args:
        model: A Hugging Face model; it is left as it was.
        framing: Its special tokens.
        name: What to call it in messages.

    Yields:
        What has the embeddings after the forward.

    Raises:
        UnsupportedModelError: If the model embeds its tokens more than once.
    """
    tape, embedding = Tape(framing, name), model.get_input_embeddings()
    handles = [embedding.register_forward_hook(tape.embedded)]
    handles += [norm.register_forward_hook(tape.normalised) for norm in _norms(model, embedding)]
    try:
        yield tape
    finally:
        for handle in handles:
            handle.remove()


def _norms(model: nn.Module, embedding: nn.Module) -> list[nn.Module]:
    """The norms that are beside the input embedding, in no layer."""
    path = next(name for name, module in model.named_modules() if module is embedding)
    beside = [embedding]
    while path:
        path = path.rpartition(".")[0]
        around = list(model.get_submodule(path).modules())
        if any(isinstance(module, nn.ModuleList) for module in around):
            break
        beside = around
    return [module for module in beside if type(module).__name__.endswith("Norm")]
